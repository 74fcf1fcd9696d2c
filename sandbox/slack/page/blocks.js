/** Every block of messages, modals and the Home tab. */
import { fragment, freshId, h, link, picture } from "./dom.js";
import { element } from "./elements.js";
import { icon, taskState } from "./icons.js";
import { markdown } from "./markdown.js";
import { richText } from "./richtext.js";
import { dataTable, table } from "./tables.js";
import { text, words } from "./text.js";

/** Blocks in their order; a block that can't be drawn says so and leaves the others alone. */
export function blocks(list, surface, path = "") {
  return fragment((list || []).map((one, index) => drawn(one, surface, `${path}${index}`)));
}

/** `at` says where a block is: what is open stays so by it, as an edit may give every block another block_id. */
function drawn(block, surface, at) {
  if (!block) return null;
  const named = { ...block, block_id: block.block_id || `block-${at}`, at: `${block.type}:${at}` };
  const draw = BLOCKS[block.type];
  try {
    const node = draw ? draw(named, surface) : unknown(block);
    node.classList?.add("block", `block-${block.type}`);
    if (node.dataset) node.dataset.blockId = named.block_id;
    return node;
  } catch (error) {
    console.error(error);
    return h("div", { class: "block unknown" }, `This ${block.type} block can't be shown: ${error.message}`);
  }
}

const unknown = (block) => h("div", { class: "unknown" }, `A block of the type "${block.type}"`);

function section(block, surface) {
  const fields =
    block.fields &&
    h(
      "div",
      { class: "fields" },
      block.fields.map((field) => h("div", { class: "field-cell" }, text(field))),
    );
  const body = h(
    "div",
    { class: "section-words" },
    block.text && h("div", { class: "section-text" }, text(block.text)),
    fields,
  );
  const accessory = block.accessory && h("div", { class: "accessory" }, element(surface, block, block.accessory));
  return h("div", {}, body, accessory);
}

const header = (block) => h("h3", {}, text(block.text));
const divider = () => h("hr");

function context(block) {
  const one = (item) =>
    item.type === "image"
      ? picture(item.image_url || item.slack_file?.url, item.alt_text, { class: "context-image" })
      : h("span", { class: "context-text" }, text(item));
  return h("div", {}, (block.elements || []).map(one));
}

function actions(block, surface) {
  return h(
    "div",
    { role: "group", "aria-label": "Actions" },
    (block.elements || []).map((one) => element(surface, block, one)),
  );
}

function image(block, surface) {
  const title = words(block.title) || block.alt_text || "Image";
  const shown = picture(block.image_url || block.slack_file?.url, block.alt_text, { class: "image" });
  return folding(
    surface,
    `fold:${block.at}`,
    { class: "image-block" },
    h("span", { class: "image-title" }, block.title ? text(block.title) : title),
    shown,
  );
}

/** Something that opens and closes, and stays as it was when drawn again. */
function folding(surface, key, attributes, summary, ...body) {
  const open = surface.memory.get(key) ?? attributes.open ?? true;
  const node = h(
    "details",
    { class: attributes.class, open },
    h("summary", {}, h("span", { class: "fold-arrow" }, icon("chevron", 14)), summary),
    ...body,
  );
  node.addEventListener("toggle", () => surface.memory.set(key, node.open));
  return node;
}

function input(block, surface) {
  const one = block.element;
  const id = freshId("input");
  const hint = block.hint && freshId("hint");
  const error = freshId("error");
  const label = words(block.label);
  const optional = block.optional ? h("span", { class: "optional" }, " (optional)") : null;
  const use = { id, label, describedby: [hint, error].filter(Boolean).join(" ") };
  const plain = ["select", "checkboxes", "radio"].some((kind) => one.type.includes(kind));
  return h(
    "div",
    { data: { testid: `input-${block.block_id}` } },
    h(plain ? "div" : "label", { class: "input-label", for: plain ? null : id }, text(block.label), optional),
    element(surface, block, one, use),
    block.hint && h("div", { class: "hint", id: hint }, text(block.hint)),
    h("div", { class: "field-error", id: error, role: "alert", hidden: true }),
  );
}

function video(block) {
  const thumb = h(
    "span",
    { class: "video-thumb" },
    picture(block.thumbnail_url, block.alt_text),
    h("span", { class: "video-play" }, icon("play", 22)),
  );
  const by = [block.provider_name, block.author_name].filter(Boolean).join(" · ");
  return h(
    "div",
    {},
    by && h("div", { class: "video-by" }, by),
    h("div", { class: "video-title" }, link(block.title_url || block.video_url, text(block.title))),
    block.description && h("div", { class: "video-words" }, text(block.description)),
    link(block.video_url || block.title_url, thumb),
  );
}

const ALERTS = { info: "info", warning: "warning", error: "warning", success: "check", default: "info" };

function alert(block) {
  const level = ALERTS[block.level] ? block.level : "default";
  return h(
    "div",
    { class: `is-${level}`, role: level === "error" ? "alert" : "note" },
    icon(ALERTS[level], 18),
    h("div", {}, text(block.text)),
  );
}

/* --- plans ------------------------------------------------------------------------------------------------------- */

function plan(block, surface) {
  const tasks = block.tasks || [];
  const done = tasks.filter((task) => task.status === "complete").length;
  const failed = tasks.some((task) => task.status === "error");
  const running = tasks.some((task) => task.status === "in_progress");
  const state = failed
    ? "error"
    : running
      ? "in_progress"
      : tasks.length && done === tasks.length
        ? "complete"
        : "pending";
  const count = `${done} of ${tasks.length}`;
  const summary = h(
    "span",
    { class: "plan-head" },
    h("span", { class: "plan-title" }, text(block.title)),
    !words(block.title).includes(count) && h("span", { class: "plan-count", data: { testid: "plan-count" } }, count),
  );
  const share = tasks.length ? (done / tasks.length) * 100 : 0;
  const bar = h("div", {
    class: `plan-bar is-${state}`,
    role: "progressbar",
    "aria-label": words(block.title),
    "aria-valuemin": 0,
    "aria-valuemax": tasks.length,
    "aria-valuenow": done,
    style: { "--share": `${share}%` },
  });
  const list = h(
    "ol",
    { class: "tasks" },
    tasks.map((task, at) => h("li", {}, taskCard(task, surface, `${block.at}/${task.task_id ?? at}`))),
  );
  return folding(surface, `fold:${block.at}`, { class: "plan" }, summary, bar, list);
}

function task(block, surface) {
  return h("div", {}, taskCard(block, surface, `${block.at}/${block.task_id}`));
}

/** A task's row; with details, output or sources it opens and closes. */
function taskCard(task_, surface, key) {
  const status = task_.status || "pending";
  const sources = (task_.sources || []).map((source) => h("li", {}, link(source.url, source.text || source.url)));
  const body = [
    task_.details && h("div", { class: "task-details" }, richText(task_.details)),
    task_.output && h("div", { class: "task-output" }, richText(task_.output)),
    sources.length ? h("ul", { class: "task-sources", "aria-label": "Sources" }, sources) : null,
  ].filter(Boolean);
  const title = h("span", { class: "task-title" }, text(task_.title));
  const attributes = { class: `task is-${status}`, data: { testid: `task-${task_.task_id}`, status } };
  if (!body.length) return h("div", attributes, h("div", { class: "task-row" }, taskState(status), title));
  const open = surface.memory.get(`task:${key}`) ?? true;
  const node = h(
    "details",
    { ...attributes, open },
    h(
      "summary",
      { class: "task-row" },
      taskState(status),
      title,
      h("span", { class: "fold-arrow" }, icon("chevron", 14)),
    ),
    h("div", { class: "task-body" }, body),
  );
  node.addEventListener("toggle", () => surface.memory.set(`task:${key}`, node.open));
  return node;
}

/* --- cards and containers ------------------------------------------------------------------------------------------ */

function card(block, surface) {
  const image_ = (one, kind) => one && picture(one.image_url || one.slack_file?.url, one.alt_text, { class: kind });
  const drawnIcon = block.icon
    ? image_(block.icon, "card-icon")
    : block.slack_icon && h("span", { class: "card-icon is-drawn" }, icon(block.slack_icon.name || "info", 18));
  const line = (object, kind) => object && h("div", { class: kind }, text(object));
  return h(
    "article",
    {},
    block.hero_image && h("div", { class: "card-hero-frame" }, image_(block.hero_image, "card-hero")),
    h(
      "div",
      { class: "card-words" },
      (drawnIcon || block.title || block.subtitle) &&
        h(
          "div",
          { class: "card-head" },
          drawnIcon,
          h("div", {}, line(block.title, "card-title"), line(block.subtitle, "card-subtitle")),
        ),
      line(block.body, "card-body"),
      line(block.subtext, "card-subtext"),
      block.actions?.length
        ? h(
            "div",
            { class: "block-actions" },
            block.actions.map((one) => element(surface, block, one)),
          )
        : null,
    ),
  );
}

function carousel(block, surface) {
  const track = h(
    "div",
    { class: "carousel-track", tabindex: 0, role: "group", "aria-label": "Cards" },
    blocks(block.elements, surface, `${block.at}.`),
  );
  const step = (way) => track.scrollBy({ left: way * Math.max(220, track.clientWidth * 0.8), behavior: "smooth" });
  const arrow = (way, label) =>
    h(
      "button",
      {
        type: "button",
        class: `carousel-arrow ${way < 0 ? "is-back" : ""}`,
        "aria-label": label,
        on: { click: () => step(way) },
      },
      icon("chevron", 16),
    );
  return h(
    "div",
    {},
    track,
    h("div", { class: "carousel-arrows" }, arrow(-1, "Previous cards"), arrow(1, "Next cards")),
  );
}

function container(block, surface) {
  const title = block.rich_text_title ? richText(block.rich_text_title) : text(block.title);
  const sign = block.icon && picture(block.icon.image_url, block.icon.alt_text, { class: "container-icon" });
  const head = h(
    "span",
    { class: "container-head" },
    sign,
    h(
      "span",
      {},
      h("span", { class: "container-title" }, title),
      block.subtitle && h("span", { class: "container-subtitle" }, text(block.subtitle)),
    ),
  );
  const inside = h("div", { class: "container-body" }, blocks(block.child_blocks, surface, `${block.at}.`));
  const kind = `container width-${["narrow", "standard", "wide", "full"].includes(block.width) ? block.width : "standard"}`;
  if (block.is_collapsible)
    return folding(surface, `fold:${block.at}`, { class: kind, open: !block.default_collapsed }, head, inside);
  return h(
    "section",
    { class: `${kind}${block.has_header_divider ? " has-divider" : ""}` },
    h("div", { class: "container-top" }, head),
    inside,
  );
}

function file(block) {
  return h(
    "div",
    { class: "file" },
    icon("file", 20),
    h("span", {}, words(block.title) || block.external_id || "File"),
  );
}

/** Numbers of a chart as a table: what the figures say without the picture. */
function chart(block, surface) {
  const series = block.series || block.data?.series || [];
  const labels =
    block.categories || block.data?.categories || series[0]?.data?.map((point) => point.label ?? point.x) || [];
  const rows = [
    ["", ...series.map((one) => one.name || "")],
    ...labels.map((label, at) => [
      label,
      ...series.map((one) => one.data?.[at]?.value ?? one.data?.[at]?.y ?? one.data?.[at] ?? ""),
    ]),
  ];
  const raw = rows.map((row) => row.map((value) => ({ type: "raw_text", text: String(value) })));
  return h(
    "figure",
    {},
    h("figcaption", {}, words(block.title) || "Chart"),
    table({ rows: raw, column_settings: [] }, surface),
  );
}

const BLOCKS = {
  section,
  header,
  divider,
  context,
  actions,
  image,
  input,
  video,
  alert,
  plan,
  task_card: task,
  card,
  carousel,
  container,
  file,
  context_actions: actions,
  rich_text: (block) => h("div", {}, richText(block)),
  markdown: (block) => h("div", {}, markdown(block.text || "")),
  table,
  data_table: dataTable,
  data_visualization: chart,
};

/* --- attachments ----------------------------------------------------------------------------------------------------- */

const NAMED = { good: "#2eb67d", warning: "#ecb22e", danger: "#e01e5a" };

function barColour(value) {
  if (NAMED[value]) return NAMED[value];
  const hex = (value || "").replace(/^#?/, "#");
  return /^#[0-9a-f]{3}([0-9a-f]{3})?$/i.test(hex) ? hex : null;
}

/** An attachment with its coloured bar: blocks, or the old fields, or its fallback. */
export function attachment(one, surface, { at, stamp }) {
  const colour = barColour(one.color);
  const body = one.blocks?.length ? blocks(one.blocks, surface, `${at}.`) : legacy(one, surface, stamp);
  return h(
    "div",
    { class: "attachment", style: colour ? { "--bar": colour } : {} },
    one.pretext && h("div", { class: "attachment-pretext" }, text({ type: "mrkdwn", text: one.pretext })),
    h(
      "div",
      { class: "attachment-inside" },
      h("div", { class: "attachment-bar" }),
      h("div", { class: "attachment-body" }, body),
    ),
  );
}

function legacy(one, surface, stamp) {
  const formatted = (string) => text({ type: "mrkdwn", text: string });
  const author =
    one.author_name &&
    h(
      "div",
      { class: "attachment-author" },
      one.author_icon && picture(one.author_icon, "", { class: "tiny" }),
      one.author_link ? link(one.author_link, one.author_name) : one.author_name,
    );
  const title =
    one.title &&
    h(
      "div",
      { class: "attachment-title" },
      one.title_link ? link(one.title_link, formatted(one.title)) : formatted(one.title),
    );
  const fields = one.fields?.length
    ? h(
        "dl",
        { class: "attachment-fields" },
        one.fields.map((field) =>
          h(
            "div",
            { class: field.short ? "short" : null },
            h("dt", {}, field.title),
            h("dd", {}, formatted(field.value || "")),
          ),
        ),
      )
    : null;
  const foot =
    (one.footer || one.ts) &&
    h(
      "div",
      { class: "attachment-foot" },
      one.footer_icon && picture(one.footer_icon, "", { class: "tiny" }),
      [one.footer, one.ts && stamp(one.ts)].filter(Boolean).join(" | "),
    );
  const parts = [
    author,
    title,
    one.text && h("div", {}, formatted(one.text)),
    fields,
    one.image_url && picture(one.image_url, one.fallback, { class: "image" }),
    legacyActions(one, surface),
    foot,
  ];
  const shown = parts.filter(Boolean);
  const body = h("div", {}, shown.length ? shown : h("div", {}, one.fallback || ""));
  return one.thumb_url ? fragment(body, picture(one.thumb_url, "", { class: "attachment-thumb" })) : body;
}

function legacyActions(one, surface) {
  const buttons = (one.actions || []).filter((action) => action.type === "button");
  if (!buttons.length) return null;
  const block = { block_id: one.callback_id || "attachment" };
  return h(
    "div",
    { class: "block-actions" },
    buttons.map((action) =>
      element(surface, block, {
        ...action,
        action_id: action.action_id || action.name,
        text: { type: "plain_text", text: action.text },
        style: action.style,
      }),
    ),
  );
}
