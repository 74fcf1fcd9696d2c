/** The markdown block: headings, lists, tables, code, quotes and the usual marks. */
import { fragment, h, link, picture } from "./dom.js";
import { withEmoji } from "./emoji.js";

/** A whole markdown text. */
export function markdown(source) {
  return h("div", { class: "markdown" }, blocks(source.replaceAll("\r\n", "\n").split("\n")));
}

const RULE = /^ {0,3}([-*_])( *\1){2,} *$/;
const ITEM = /^( *)([-*+]|\d+[.)]) +(.*)$/;
const HEADING = /^(#{1,6}) +(.+?) *#*$/;
const FENCE = /^ *(```|~~~)/;

function blocks(rows) {
  const nodes = [];
  let i = 0;
  while (i < rows.length) {
    const read = [blank, fenced, heading, rule, quote, table, list, paragraph].map((reader) => () => reader(rows, i));
    for (const attempt of read) {
      const found = attempt();
      if (!found) continue;
      if (found.node) nodes.push(found.node);
      i = found.end;
      break;
    }
  }
  return nodes;
}

const blank = (rows, i) => (rows[i].trim() ? null : { end: i + 1 });

function fenced(rows, i) {
  const fence = FENCE.exec(rows[i]);
  if (!fence) return null;
  let end = i + 1;
  while (end < rows.length && !rows[end].trim().startsWith(fence[1])) end += 1;
  return { node: h("pre", { class: "code-block" }, rows.slice(i + 1, end).join("\n")), end: end + 1 };
}

function heading(rows, i) {
  const match = HEADING.exec(rows[i]);
  return (
    match && {
      node: h(`h${Math.min(match[1].length + 2, 6)}`, { class: `md-h${match[1].length}` }, spans(match[2])),
      end: i + 1,
    }
  );
}

const rule = (rows, i) => (RULE.test(rows[i]) ? { node: h("hr"), end: i + 1 } : null);

function quote(rows, i) {
  if (!/^ {0,3}>/.test(rows[i])) return null;
  let end = i;
  while (end < rows.length && /^ {0,3}>/.test(rows[end])) end += 1;
  return { node: h("blockquote", {}, blocks(rows.slice(i, end).map((row) => row.replace(/^ {0,3}> ?/, "")))), end };
}

const cellsOf = (row) =>
  row
    .trim()
    .replace(/^\||\|$/g, "")
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll("\\|", "|"));

function table(rows, i) {
  if (!rows[i].includes("|") || !/^ *\|?[ :|-]*-[ :|-]*$/.test(rows[i + 1] || "") || !rows[i + 1].includes("|"))
    return null;
  const sides = cellsOf(rows[i + 1]).map((cell) =>
    cell.endsWith(":") ? (cell.startsWith(":") ? "center" : "right") : "left",
  );
  let end = i + 2;
  while (end < rows.length && rows[end].includes("|")) end += 1;
  const line = (tag, row) =>
    h(
      "tr",
      {},
      cellsOf(row).map((cell, at) => h(tag, { class: `align-${sides[at] || "left"}` }, spans(cell))),
    );
  const body = rows.slice(i + 2, end).map((row) => line("td", row));
  const whole = h("table", {}, h("thead", {}, line("th", rows[i])), h("tbody", {}, body));
  return { node: h("div", { class: "table-frame", tabindex: 0, role: "region", "aria-label": "Table" }, whole), end };
}

function list(rows, i) {
  const first = ITEM.exec(rows[i]);
  if (!first) return null;
  const indent = first[1].length;
  const ordered = /\d/.test(first[2]);
  const items = [];
  let end = i;
  while (end < rows.length) {
    const item = ITEM.exec(rows[end]);
    if (!item || item[1].length !== indent || /\d/.test(item[2]) !== ordered) break;
    const inner = [];
    end += 1;
    while (end < rows.length && /^ +\S/.test(rows[end]) && rows[end].search(/\S/) > indent)
      inner.push(rows[end++].slice(indent + 2));
    items.push(itemOf(item[3], inner));
  }
  return { node: h(ordered ? "ol" : "ul", { start: ordered ? parseInt(first[2], 10) : null }, items), end };
}

function itemOf(words, inner) {
  const task = /^\[([ xX])\] (.*)$/.exec(words);
  const box = task && h("input", { type: "checkbox", disabled: true, checked: task[1] !== " " });
  return h("li", { class: task ? "task-item" : null }, box, spans(task ? task[2] : words), blocks(inner));
}

function paragraph(rows, i) {
  let end = i + 1;
  const starts = (row) =>
    !row.trim() || FENCE.test(row) || HEADING.test(row) || RULE.test(row) || ITEM.test(row) || /^ {0,3}>/.test(row);
  while (end < rows.length && !starts(rows[end])) end += 1;
  return {
    node: h(
      "p",
      {},
      rows.slice(i, end).map((row, at) => [at ? h("br") : null, spans(row.trim())]),
    ),
    end,
  };
}

const SPAN = new RegExp(
  [
    /(?<code>`+)(?<coded>.+?)\k<code>/,
    /!\[(?<alt>[^\]]*)\]\((?<src>[^)\s]+)[^)]*\)/,
    /\[(?<label>[^\]]+)\]\((?<to>[^)\s]+)[^)]*\)/,
    /\*\*(?<strong>.+?)\*\*/,
    /(?<!\w)__(?<strong2>.+?)__(?!\w)/,
    /~~(?<gone>.+?)~~/,
    /\*(?<em>[^*\s][^*]*)\*/,
    /(?<!\w)_(?<em2>[^_\s][^_]*)_(?!\w)/,
    /<(?<auto>https?:[^>\s]+)>/,
    /(?<url>https?:\/\/[^\s<>()]+[^\s<>().,;:!?])/,
    /\\(?<literal>[\\`*_{}[\]()#+\-.!|~>])/,
  ]
    .map((part) => part.source)
    .join("|"),
  "g",
);

/** Marks within a line. */
function spans(source) {
  const nodes = [];
  let rest = 0;
  for (const match of source.matchAll(SPAN)) {
    nodes.push(...withEmoji(source.slice(rest, match.index)), spanOf(match.groups));
    rest = match.index + match[0].length;
  }
  nodes.push(...withEmoji(source.slice(rest)));
  return fragment(nodes);
}

function spanOf(found) {
  if (found.coded) return h("code", {}, found.coded);
  if (found.src) return picture(found.src, found.alt, { class: "md-image" });
  if (found.to) return link(found.to, spans(found.label));
  if (found.strong || found.strong2) return h("strong", {}, spans(found.strong || found.strong2));
  if (found.gone) return h("s", {}, spans(found.gone));
  if (found.em || found.em2) return h("em", {}, spans(found.em || found.em2));
  if (found.auto || found.url) return link(found.auto || found.url, found.auto || found.url);
  return found.literal || "";
}
