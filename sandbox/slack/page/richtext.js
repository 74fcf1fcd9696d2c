/** rich_text blocks: sections, nested lists, quotes, preformatted text. */
import { fragment, h, link } from "./dom.js";
import { emoji, emojiOfCode } from "./emoji.js";
import { broadcast, channelMention, date, groupMention, mention } from "./text.js";

/** A rich_text block, or what stands in its place as a string. */
export function richText(block) {
  if (typeof block === "string") return fragment(block);
  return h("div", { class: "rich-text" }, nest(block?.elements || []));
}

/** Containers in order; lists that follow each other with a deeper indent go inside the one before. */
function nest(elements) {
  const nodes = [];
  const open = [];
  for (const element of elements) {
    if (element.type !== "rich_text_list") {
      open.length = 0;
      nodes.push(container(element));
      continue;
    }
    const depth = element.indent || 0;
    while (open.length && open.at(-1).depth >= depth) open.pop();
    const list = listOf(element);
    const parent = open.at(-1)?.node.lastElementChild;
    if (parent) parent.append(list);
    else nodes.push(list);
    open.push({ depth, node: list });
  }
  return nodes;
}

function listOf(element) {
  const tag = element.style === "ordered" ? "ol" : "ul";
  const depth = (element.indent || 0) % 3;
  const items = (element.elements || []).map((item) => h("li", {}, h("span", {}, inlines(item.elements))));
  const start = element.style === "ordered" && element.offset ? element.offset + 1 : null;
  return h(tag, { class: `depth-${depth}${element.border ? " has-border" : ""}`, start }, items);
}

function container(element) {
  const border = element.border ? " has-border" : "";
  switch (element.type) {
    case "rich_text_section":
      return h("div", { class: "rich-section" }, inlines(element.elements));
    case "rich_text_quote":
      return h("blockquote", { class: border }, inlines(element.elements));
    case "rich_text_preformatted":
      return h("pre", { class: "code-block" }, inlines(element.elements));
    default:
      return h("div", {}, element.text || "");
  }
}

const inlines = (elements) => (elements || []).map((element) => styled(inlineNode(element), element.style));

function styled(node, style) {
  if (!style) return node;
  const wrap = (wanted, tag, attributes) => (wanted ? h(tag, attributes, node) : node);
  if (style.code) node = h("code", {}, node);
  node = wrap(style.bold, "strong");
  node = wrap(style.italic, "em");
  node = wrap(style.strike, "s");
  node = wrap(style.underline, "u");
  node = wrap(style.highlight || style.client_highlight, "mark");
  return node;
}

function inlineNode(element) {
  switch (element.type) {
    case "text":
      return lines(element.text || "");
    case "link":
      return link(element.url, element.text || element.url);
    case "user":
      return mention(element.user_id);
    case "channel":
      return channelMention(element.channel_id);
    case "usergroup":
      return groupMention(element.usergroup_id);
    case "team":
      return h("span", { class: "mention" }, element.team_id);
    case "broadcast":
      return broadcast(element.range);
    case "emoji":
      return emoji(element.name) || (element.unicode && emojiOfCode(element.unicode)) || `:${element.name}:`;
    case "date":
      return date(element.timestamp, element.format || "{date_pretty} {time}", element.url);
    case "color":
      return h("span", { class: "colour" }, h("i", { style: { background: colour(element.value) } }), element.value);
    default:
      return element.text || "";
  }
}

const colour = (value) => (/^#[0-9a-f]{3,8}$/i.test(value || "") ? value : "transparent");

function lines(string) {
  return fragment(string.split("\n").map((row, index) => [index ? h("br") : null, row]));
}
