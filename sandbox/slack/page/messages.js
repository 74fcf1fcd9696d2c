/** Messages in a channel and in a thread. */
import { act } from "./api.js";
import { avatar, noticeAvatar } from "./avatar.js";
import { attachment, blocks } from "./blocks.js";
import { h, picture, safeLink } from "./dom.js";
import { emoji } from "./emoji.js";
import { icon, spinner } from "./icons.js";
import { displayName, isApp, memoryOf, person, store, zone } from "./store.js";
import { text } from "./text.js";
import { ago, clockTime, day, dayLabel, longTime, moment } from "./time.js";

const TOGETHER = 300; // seconds between two messages of one person that share a face

const authorOf = (message) => (message.notice ? "notice" : message.user || message.bot_id || message.username || "");
const authorName = (message) => {
  if (message.notice) return "Sandbox";
  return person(message.user)
    ? displayName(message.user)
    : message.username || displayName(message.user || message.bot_id);
};

/** What elements of a message talk to. */
function surfaceOf(message) {
  const at = { channel: message.channel, ts: message.ts };
  return {
    memory: memoryOf(`message:${message.channel}:${message.ts}`),
    click: (values) => act("click", { ...at, ...values }),
    options: (values) => act("options", { ...at, ...values }),
  };
}

const stamp = (ts) => `${dayLabel(moment(ts), zone())} at ${clockTime(moment(ts), zone())}`;

/** The words and blocks of a message. */
function bodyOf(message) {
  const surface = surfaceOf(message);
  const parts = [];
  if (message.slash) parts.push(h("div", { class: "message-text" }, h("code", { class: "slash" }, message.slash)));
  else if (message.blocks?.length) parts.push(h("div", { class: "blocks" }, blocks(message.blocks, surface)));
  else if (message.text)
    parts.push(
      h(
        "div",
        { class: "message-text" },
        text({ type: message.mrkdwn === false ? "plain_text" : "mrkdwn", text: message.text }),
      ),
    );
  for (const [index, one] of (message.attachments || []).entries())
    parts.push(attachment(one, surface, { at: `attachment${index}`, stamp }));
  for (const file of message.files || []) parts.push(fileOf(file));
  if (message.reactions?.length) parts.push(h("div", { class: "reactions" }, message.reactions.map(reaction)));
  if (message.status) parts.push(h("div", { class: "doing" }, spinner(), message.status));
  return parts;
}

function reaction({ name, users, count }) {
  const own = users?.includes(store.me) ? " is-me" : "";
  return h(
    "span",
    { class: `reaction${own}`, title: `${(users || []).map(displayName).join(", ")} reacted with :${name}:` },
    emoji(name) || `:${name}:`,
    h("span", {}, count),
  );
}

function fileOf(file) {
  const href = safeLink(file.url || file.url_private || "");
  if (href && file.mimetype?.startsWith("image/"))
    return h("div", { class: "file-image" }, picture(href, file.title || file.name, { class: "image" }));
  const inside = [
    icon("file", 22),
    h("span", { class: "file-words" }, h("strong", {}, file.title || file.name), h("small", {}, sizeOf(file))),
  ];
  return href
    ? h("a", { class: "file", href, download: file.name || true }, inside)
    : h("div", { class: "file" }, inside);
}

function sizeOf({ mimetype, size = 0 }) {
  const kib = size / 1024;
  const said = kib < 1 ? `${size} B` : kib < 1024 ? `${kib.toFixed(1)} KiB` : `${(kib / 1024).toFixed(1)} MiB`;
  return [mimetype, size ? said : null].filter(Boolean).join(" · ");
}

function threadBar(message, openThread) {
  if (!message.reply_count) return null;
  const faces = (message.reply_users || []).slice(0, 4).map((id) => avatar(id, "tiny"));
  const count = message.reply_count === 1 ? "1 reply" : `${message.reply_count} replies`;
  const last = message.latest_reply ? `Last reply ${ago(moment(message.latest_reply))}` : "";
  return h(
    "button",
    {
      type: "button",
      class: "thread-bar",
      data: { testid: `thread-bar-${message.ts}` },
      on: { click: () => openThread(message.ts) },
    },
    h("span", { class: "thread-faces" }, faces),
    h("strong", {}, count),
    h("span", { class: "thread-last" }, last),
  );
}

function rowOf(message, { together, openThread, inThread }) {
  const date = moment(message.ts);
  const time = h(
    "time",
    { class: "time", datetime: date.toISOString(), title: longTime(date, zone()) },
    clockTime(date, zone()),
  );
  const edited =
    message.edited && !message.blocks?.length
      ? h(
          "span",
          { class: "edited", title: message.edited.ts ? longTime(moment(message.edited.ts), zone()) : null },
          "(edited)",
        )
      : null;
  const head = together
    ? null
    : h(
        "div",
        { class: "message-head" },
        h("span", { class: "author" }, authorName(message)),
        isApp(message.user) || message.bot_id ? h("span", { class: "badge" }, "App") : null,
        time,
      );
  const reply =
    !inThread && !message.ephemeral && !message.notice
      ? h(
          "div",
          { class: "message-tools" },
          h(
            "button",
            {
              type: "button",
              class: "icon-btn",
              title: "Reply in thread",
              "aria-label": "Reply in thread",
              on: { click: () => openThread(message.ts) },
            },
            icon("thread"),
          ),
        )
      : null;
  return h(
    "li",
    {
      class: ["message", together && "is-together", message.ephemeral && "is-ephemeral", message.notice && "is-notice"]
        .filter(Boolean)
        .join(" "),
      data: { testid: `message-${message.ts}`, ts: message.ts },
      tabindex: -1,
    },
    h(
      "div",
      { class: "message-side" },
      together ? time : message.notice ? noticeAvatar() : avatar(message.user || message.bot_id),
    ),
    h(
      "div",
      { class: "message-main" },
      message.ephemeral && h("div", { class: "only-you" }, icon("eye", 14), "Only visible to you"),
      head,
      h("div", { class: "message-body" }, bodyOf(message), edited),
      inThread ? null : threadBar(message, openThread),
    ),
    reply,
  );
}

const divider = (label) => h("li", { class: "day", role: "separator", "aria-label": label }, h("span", {}, label));

function belongs(before, message) {
  return (
    Boolean(before) &&
    !message.notice &&
    authorOf(before) === authorOf(message) &&
    authorName(before) === authorName(message) &&
    !before.ephemeral === !message.ephemeral &&
    Number(message.ts) - Number(before.ts) < TOGETHER &&
    !before.reply_count &&
    day(moment(before.ts), zone()) === day(moment(message.ts), zone())
  );
}

/**
 * Draw messages into a list, oldest first. Rows that did not change stay as they are, so that nobody loses what they
 * have open; the list says with `data-stuck` whether it follows its end.
 */
export function drawMessages(list, messages, { openThread, inThread = false, lead = [] }) {
  const kept = new Map([...list.children].map((node) => [node.dataset.key, node]));
  const wanted = [...lead];
  let before = null;
  for (const [index, message] of messages.entries()) {
    const date = moment(message.ts);
    const label = dayLabel(date, zone());
    if (!inThread && (!before || day(moment(before.ts), zone()) !== day(date, zone())))
      wanted.push(reused(kept, `day:${label}`, () => divider(label)));
    const together = !inThread && belongs(before, message);
    const sign = JSON.stringify([
      message,
      together,
      message.reply_count ? ago(moment(message.latest_reply || message.ts)) : "",
      store.me,
    ]);
    const row = reused(kept, `message:${message.ts}:${message.user || ""}:${sign}`, () =>
      rowOf(message, { together, openThread, inThread }),
    );
    wanted.push(row);
    if (inThread && index === 0 && messages.length > 1) {
      const count = messages.length - 1;
      const said = count === 1 ? "1 reply" : `${count} replies`;
      wanted.push(reused(kept, `replies:${count}`, () => divider(said)));
    }
    before = message;
  }
  replace(list, wanted);
}

function reused(kept, key, make) {
  const old = kept.get(key);
  if (old) {
    kept.delete(key);
    return old;
  }
  const node = make();
  node.dataset.key = key;
  return node;
}

/** Make the children of a list the wanted ones, moving only what is not in its place. */
function replace(list, wanted) {
  const focused = focusPath(list);
  const keep = new Set(wanted);
  for (const node of [...list.children]) if (!keep.has(node)) node.remove();
  wanted.forEach((node, at) => {
    if (list.children[at] !== node) list.insertBefore(node, list.children[at] || null);
  });
  refocus(list, focused);
}

/** Where the focus is in a list: the message and the element's test id, to find it again after a new drawing. */
function focusPath(list) {
  const at = document.activeElement;
  if (!list.contains(at)) return null;
  return { ts: at.closest("[data-ts]")?.dataset.ts, id: at.closest("[data-testid]")?.dataset.testid };
}

function refocus(list, path) {
  if (!path?.ts || list.contains(document.activeElement)) return;
  const row = list.querySelector(`[data-ts="${CSS.escape(path.ts)}"]`);
  const target = path.id && row?.querySelector(`[data-testid="${CSS.escape(path.id)}"]`);
  (target || row)?.focus({ preventScroll: true });
}

/** One line for a screen reader: who wrote what. */
export function announcement(message) {
  const said =
    message.slash ||
    message.text ||
    (message.blocks || [])
      .map((block) => block.text?.text || block.title?.text || block.title || "")
      .filter(Boolean)
      .join(". ");
  const secret = message.ephemeral ? ", only to you" : "";
  return `${authorName(message)}${secret}: ${said || "a message"}`;
}
