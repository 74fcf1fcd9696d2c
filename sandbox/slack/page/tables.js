/** table and data_table blocks. */
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { richText } from "./richtext.js";
import { plain } from "./text.js";

/** The inside of a cell. */
export function cell(one) {
  if (!one) return "";
  if (one.type === "rich_text") return richText(one);
  return plain(wordsOf(one));
}

function wordsOf(one) {
  if (!one) return "";
  if (one.type === "raw_number") return one.text ?? String(one.value ?? one.number ?? "");
  if (one.type === "rich_text")
    return (one.elements || [])
      .flatMap((part) => part.elements || [])
      .map((e) => e.text || e.name || "")
      .join(" ");
  return one.text ?? String(one.value ?? "");
}

const numeric = (one) => one?.type === "raw_number";

function frame(label, inside) {
  return h("div", { class: "table-frame", tabindex: 0, role: "region", "aria-label": label }, inside);
}

function row(cells, settings, tag) {
  return h(
    "tr",
    {},
    cells.map((one, at) => {
      const { align = numeric(one) ? "right" : "left", is_wrapped: wraps = false } = settings?.[at] || {};
      return h(
        tag,
        {
          class: `align-${["left", "center", "right"].includes(align) ? align : "left"}${wraps ? " wraps" : ""}`,
          scope: tag === "th" ? "col" : null,
        },
        cell(one),
      );
    }),
  );
}

/** A table block: the first row is its head. */
export function table(block) {
  const [head, ...body] = block.rows || [];
  const settings = block.column_settings;
  const whole = h(
    "table",
    {},
    head && h("thead", {}, row(head, settings, "th")),
    h(
      "tbody",
      {},
      body.map((cells) => row(cells, settings, "td")),
    ),
  );
  return h("div", {}, frame("Table", whole));
}

const compare = (a, b) => {
  const [x, y] = [a, b].map((one) => (numeric(one) ? Number(one.value ?? one.number ?? one.text) : wordsOf(one)));
  if (typeof x === "number" && typeof y === "number") return x - y;
  return String(x).localeCompare(String(y), "en", { numeric: true });
};

/** A data_table block: sorted by its heads, filtered, and turned page by page. */
export function dataTable(block, surface) {
  const [head = [], ...all] = block.rows || [];
  const size = block.page_size || 5;
  const key = `data:${block.at}`;
  const at = surface.memory.get(key) || { page: 0, sort: -1, down: false, filter: "" };
  surface.memory.set(key, at);
  const body = h("tbody");
  const heads = head.map((one, column) => {
    const button = h(
      "button",
      { type: "button", class: "sort", on: { click: () => sortBy(column) } },
      cell(one),
      h("span", { class: "sort-mark" }, icon("down", 13)),
    );
    return h("th", { scope: "col", class: numeric(all[0]?.[column]) ? "align-right" : null }, button);
  });
  const filter = h("input", {
    type: "search",
    class: "field",
    placeholder: "Filter rows",
    "aria-label": "Filter rows",
    value: at.filter,
  });
  const said = h("span", { class: "pager-words", "aria-live": "polite" });
  const back = h(
    "button",
    { type: "button", class: "icon-btn is-back", "aria-label": "Previous page", on: { click: () => turn(-1) } },
    icon("chevron", 16),
  );
  const next = h(
    "button",
    { type: "button", class: "icon-btn", "aria-label": "Next page", on: { click: () => turn(1) } },
    icon("chevron", 16),
  );
  filter.addEventListener("input", () => {
    Object.assign(at, { filter: filter.value, page: 0 });
    fill();
  });
  fill();
  const caption = h(
    "figcaption",
    {},
    h("span", {}, typeof block.caption === "string" ? block.caption : block.caption?.text),
    all.length > size && filter,
  );
  const whole = h("table", {}, h("thead", {}, h("tr", {}, heads)), body);
  return h(
    "figure",
    {},
    caption,
    frame(typeof block.caption === "string" ? block.caption : "Table", whole),
    h("div", { class: "pager" }, said, back, next),
  );

  function sortBy(column) {
    Object.assign(at, { down: at.sort === column ? !at.down : false, sort: column, page: 0 });
    fill();
  }

  function turn(step) {
    at.page += step;
    fill();
  }

  function fill() {
    const wanted = at.filter.toLowerCase();
    const rows = all.filter((cells) => cells.some((one) => wordsOf(one).toLowerCase().includes(wanted)));
    if (at.sort >= 0) rows.sort((a, b) => compare(a[at.sort], b[at.sort]) * (at.down ? -1 : 1));
    const pages = Math.max(1, Math.ceil(rows.length / size));
    at.page = Math.min(at.page, pages - 1);
    body.replaceChildren(
      ...rows.slice(at.page * size, (at.page + 1) * size).map((cells) => row(cells, block.column_settings, "td")),
    );
    heads.forEach((th, column) =>
      th.setAttribute("aria-sort", at.sort !== column ? "none" : at.down ? "descending" : "ascending"),
    );
    const first = rows.length ? at.page * size + 1 : 0;
    said.textContent = `${first}–${Math.min(rows.length, (at.page + 1) * size)} of ${rows.length}`;
    back.disabled = at.page === 0;
    next.disabled = at.page >= pages - 1;
  }
}
