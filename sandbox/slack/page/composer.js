/** The field to write in, with completion of slash commands, people and emoji, and a history. */
import { avatar } from "./avatar.js";
import { freshId, h } from "./dom.js";
import { emoji, emojiBeginning } from "./emoji.js";
import { icon } from "./icons.js";
import { store } from "./store.js";

const history = () => {
  try {
    return JSON.parse(sessionStorage.getItem(`said:${store.me}`) || "[]");
  } catch {
    return [];
  }
};

function keep(line) {
  const said = history().filter((one) => one !== line);
  sessionStorage.setItem(`said:${store.me}`, JSON.stringify([...said, line].slice(-50)));
}

/**
 * A composer. `send(text)` is a promise of whether the text may go; when it says no the text comes back, unless
 * something else was typed meanwhile. `typing(text)` is told of every change.
 */
export function composer({ label, testid, send, commands = true }) {
  const listId = freshId("completions");
  const field = h("textarea", {
    rows: 1,
    "aria-label": label,
    placeholder: label,
    data: { testid },
    autocomplete: "off",
    "aria-autocomplete": "list",
    "aria-controls": listId,
    enterkeyhint: "send",
  });
  const button = h(
    "button",
    { type: "button", class: "send", "aria-label": "Send", disabled: true, data: { testid: `${testid}-send` } },
    icon("send", 18),
  );
  const list = h("ul", {
    class: "completions",
    id: listId,
    role: "listbox",
    "aria-label": "Completions",
    hidden: true,
  });
  const hint = h("div", { class: "usage", hidden: true, "aria-live": "polite" });
  const slash = commands
    ? h(
        "button",
        { type: "button", class: "icon-btn", "aria-label": "Commands", title: "Commands", on: { click: startCommand } },
        icon("slash", 18),
      )
    : null;
  const root = h("div", { class: "composer" }, list, hint, h("div", { class: "composer-box" }, slash, field, button));
  let rows = [];
  let active = 0;
  let past = -1;
  let draft = "";

  field.addEventListener("input", () => {
    past = -1;
    refresh();
  });
  field.addEventListener("click", refresh);
  field.addEventListener("blur", () => setTimeout(() => !root.contains(document.activeElement) && hide(), 120));
  field.addEventListener("keydown", key);
  button.addEventListener("click", submit);
  return {
    root,
    field,
    label: (words) => {
      field.placeholder = words;
      field.setAttribute("aria-label", words);
    },
    set,
  };

  function startCommand() {
    if (!field.value.startsWith("/")) set(`/${field.value}`);
    field.focus();
    field.setSelectionRange(1, 1);
    refresh();
  }

  function set(words) {
    field.value = words;
    field.setSelectionRange(words.length, words.length);
    refresh();
  }

  function fit() {
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight, 240)}px`;
  }

  function refresh() {
    fit();
    button.disabled = !field.value.trim();
    const head = field.value.slice(0, field.selectionStart);
    const named = /(?:^|\s)@([\w.-]*)$/.exec(head);
    const shortcode = /(?:^|\s):([a-z0-9_+-]{2,})$/.exec(head);
    if (commands && /^\/\S*$/.test(head)) offer(matching(head).map((one) => commandRow(one)));
    else if (shortcode) offer(emojiBeginning(shortcode[1]).map((name) => emojiRow(name, shortcode[1])));
    else if (named) offer(peopleNamed(named[1]).map((one) => personRow(one, named[1])));
    else hide();
    const command = store.state.app.commands?.find((one) => field.value.startsWith(`${one.command} `));
    hint.hidden = !(commands && command?.usage_hint && list.hidden);
    if (!hint.hidden) hint.replaceChildren(h("strong", {}, command.command), " ", command.usage_hint);
  }

  function matching(head) {
    const all = store.state.app.commands || [];
    return all.filter((one) => one.command.startsWith(head) && field.value !== `${one.command} `);
  }

  function commandRow(one) {
    const words = [
      h("strong", {}, one.command),
      one.usage_hint && h("code", {}, one.usage_hint),
      one.description && h("small", {}, one.description),
    ];
    return {
      node: h(
        "li",
        {
          role: "option",
          id: freshId("completion"),
          class: "completion",
          data: { testid: `completion-${one.command}` },
        },
        h("span", {}, words),
      ),
      exact: field.value.trim() === one.command,
      apply: () => {
        const rest = field.value.replace(/^\S*\s*/, "");
        set(`${one.command} ${rest}`);
        field.setSelectionRange(one.command.length + 1, one.command.length + 1);
      },
    };
  }

  function peopleNamed(stem) {
    const fits = ({ name, real_name: real }) =>
      [name, real || ""].some((word) => word.toLowerCase().startsWith(stem.toLowerCase()));
    return store.state.people.filter((one) => fits(one)).slice(0, 8);
  }

  function personRow(one, stem) {
    return {
      node: h(
        "li",
        { role: "option", id: freshId("completion"), class: "completion" },
        avatar(one.id, "small"),
        h("span", {}, h("strong", {}, one.real_name || one.name), h("code", {}, `@${one.name}`)),
      ),
      apply: () => {
        const at = field.selectionStart;
        field.setRangeText(`@${one.name} `, at - stem.length - 1, at, "end");
        refresh();
      },
    };
  }

  function emojiRow(name, stem) {
    return {
      node: h(
        "li",
        { role: "option", id: freshId("completion"), class: "completion" },
        emoji(name),
        h("span", {}, `:${name}:`),
      ),
      apply: () => {
        const at = field.selectionStart;
        const start = at - stem.length - 1;
        field.setRangeText(`:${name}: `, start, at, "end");
        refresh();
      },
    };
  }

  function offer(found) {
    rows = found;
    list.hidden = !rows.length;
    list.replaceChildren(...rows.map(({ node }) => node));
    for (const one of rows) {
      one.node.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        take(one);
      });
    }
    move(0);
  }

  function hide() {
    rows = [];
    list.hidden = true;
    field.removeAttribute("aria-activedescendant");
  }

  function move(to) {
    rows[active]?.node.setAttribute("aria-selected", "false");
    active = rows.length ? (to + rows.length) % rows.length : 0;
    const node = rows[active]?.node;
    if (!node) return;
    node.setAttribute("aria-selected", "true");
    field.setAttribute("aria-activedescendant", node.id);
    node.scrollIntoView({ block: "nearest" });
  }

  function take(one) {
    one.apply();
    hide();
    field.focus();
    refresh();
  }

  function key(event) {
    if (event.isComposing) return;
    const choosing = !list.hidden && rows.length;
    if (choosing && ["ArrowDown", "ArrowUp"].includes(event.key)) move(active + (event.key === "ArrowDown" ? 1 : -1));
    else if (choosing && (event.key === "Tab" || (event.key === "Enter" && !event.shiftKey && !rows[active].exact)))
      take(rows[active]);
    else if (choosing && event.key === "Escape") hide();
    else if (event.key === "Enter" && !event.shiftKey) submit();
    else if (event.key === "ArrowUp" && firstLine()) recall(1);
    else if (event.key === "ArrowDown" && past >= 0) recall(-1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  function firstLine() {
    return (field.value === "" || past >= 0) && history().length > 0;
  }

  function recall(step) {
    const said = history();
    if (past < 0) draft = field.value;
    past = Math.min(past + step, said.length - 1);
    set(past < 0 ? draft : said[said.length - 1 - past]);
    hide();
  }

  async function submit() {
    const words = field.value.trim();
    if (!words) return;
    keep(words);
    past = -1;
    set("");
    hide();
    if (!(await send(words)) && !field.value) set(words);
  }
}
