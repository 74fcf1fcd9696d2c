/** Slack's mrkdwn and plain text as DOM nodes. */
import { fragment, h, link } from "./dom.js";
import { emoji, withEmoji } from "./emoji.js";
import { channel, displayName, group, isApp, person, store, zone } from "./store.js";
import { longTime, moment, slackDate } from "./time.js";

const unescape = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

/** A text object or a string: mrkdwn or plain as its type says. */
export function text(object) {
  if (!object) return fragment();
  if (typeof object === "string") return plain(object);
  return object.type === "mrkdwn"
    ? mrkdwn(object.text || "", object.verbatim)
    : plain(object.text || "", object.emoji !== false);
}

/** The words of a text object, for labels and lists. */
export const words = (object) => (typeof object === "string" ? object : object?.text || "");

/** Plain text: line breaks kept, shortcodes shown as emoji. */
export function plain(string, emojis = true) {
  const lines = unescape(string).split("\n");
  return fragment(lines.map((row, index) => [index ? h("br") : null, emojis ? withEmoji(row) : row]));
}

/** mrkdwn with code blocks and quotes. */
export function mrkdwn(string, verbatim = false) {
  const result = fragment();
  let rest = 0;
  for (const match of string.matchAll(/```\n?([\s\S]*?)\n?```/g)) {
    result.append(...quoted(trimmed(string.slice(rest, match.index), rest > 0, true), verbatim));
    result.append(h("pre", { class: "code-block" }, tokensOnly(match[1])));
    rest = match.index + match[0].length;
  }
  result.append(...quoted(trimmed(string.slice(rest), rest > 0, false), verbatim));
  return result;
}

/** Line breaks that only separate a text from a code block are not shown. */
function trimmed(string, after, before) {
  const start = after ? string.replace(/^ *\n/, "") : string;
  return before ? start.replace(/\n *$/, "") : start;
}

/** Lines with runs of `>` lines gathered into quotes. */
function quoted(string, verbatim) {
  if (!string) return [];
  const nodes = [];
  let quote = null;
  let first = true;
  for (const row of string.split("\n")) {
    const inside = row.match(/^(?:&gt;|>)(?!>) ?(.*)$/) || row.match(/^(?:&gt;){3} ?(.*)$/);
    if (inside) {
      if (!quote) nodes.push((quote = h("blockquote")));
      else quote.append(h("br"));
      quote.append(...inline(inside[1], verbatim));
    } else {
      if (!quote && !first) nodes.push(h("br"));
      quote = null;
      nodes.push(...inline(row, verbatim));
    }
    first = false;
  }
  return nodes;
}

const MARKS = { "*": "strong", _: "em", "~": "s" };
const isWord = (letter) => Boolean(letter) && /[\p{L}\p{N}]/u.test(letter);

/** One line of mrkdwn as a list of nodes. */
function inline(row, verbatim) {
  const nodes = [];
  let words_ = "";
  const flush = () => {
    if (words_) nodes.push(...bare(words_, verbatim));
    words_ = "";
  };
  let i = 0;
  while (i < row.length) {
    const found = token(row, i, verbatim);
    if (found) {
      flush();
      nodes.push(...found.nodes);
      i = found.end;
    } else {
      words_ += row[i];
      i += 1;
    }
  }
  flush();
  return nodes;
}

/** What begins at a place of a line: its nodes and its end, or null for an ordinary letter. */
function token(row, i, verbatim) {
  const letter = row[i];
  if (letter === "<") {
    const end = row.indexOf(">", i);
    const node = end > i + 1 ? angle(row.slice(i + 1, end)) : null;
    return node && { nodes: [node], end: end + 1 };
  }
  if (letter === "`") {
    const end = row.indexOf("`", i + 1);
    return end > i + 1 ? { nodes: [h("code", {}, tokensOnly(row.slice(i + 1, end)))], end: end + 1 } : null;
  }
  if (letter === ":") {
    const match = /^:([a-z0-9_+'-]+(?:::skin-tone-\d)?):/.exec(row.slice(i, i + 60));
    const shown = match && emoji(match[1]);
    return shown ? { nodes: [shown], end: i + match[0].length } : null;
  }
  if (MARKS[letter] && !isWord(row[i - 1]) && row[i + 1] && !/\s/.test(row[i + 1]) && row[i + 1] !== letter) {
    const end = closing(row, i);
    return end ? { nodes: [h(MARKS[letter], {}, inline(row.slice(i + 1, end), verbatim))], end: end + 1 } : null;
  }
  return null;
}

/** Where the mark that opens at `start` closes, past code and `<...>`; 0 when it doesn't. */
function closing(row, start) {
  const mark = row[start];
  for (let i = start + 1; i < row.length; i += 1) {
    if (row[i] === "`" || row[i] === "<") {
      const end = row.indexOf(row[i] === "<" ? ">" : "`", i + 1);
      if (end > 0) i = end;
    } else if (row[i] === mark && !/\s/.test(row[i - 1]) && !isWord(row[i + 1])) {
      return i;
    }
  }
  return 0;
}

/** Code keeps its letters, but links and mentions in it still are ones. */
function tokensOnly(string) {
  const nodes = [];
  let rest = 0;
  for (const match of string.matchAll(/<([^<>\n]+)>/g)) {
    const node = angle(match[1]);
    if (!node) continue;
    nodes.push(unescape(string.slice(rest, match.index)), node);
    rest = match.index + match[0].length;
  }
  nodes.push(unescape(string.slice(rest)));
  return nodes;
}

/** Words without marks; addresses in them become links unless the text is verbatim. */
function bare(string, verbatim) {
  if (verbatim) return [unescape(string)];
  const nodes = [];
  let rest = 0;
  for (const match of string.matchAll(/\bhttps?:\/\/[^\s<>|]+[^\s<>|.,;:!?)'"]/g)) {
    const address = unescape(match[0]);
    nodes.push(unescape(string.slice(rest, match.index)), link(address, address));
    rest = match.index + match[0].length;
  }
  nodes.push(unescape(string.slice(rest)));
  return nodes;
}

/** The inside of `<...>`: a mention, a date, or a link; null when it is none of them. */
function angle(inside) {
  const [target, ...rest] = inside.split("|");
  const label = rest.join("|");
  if (target.startsWith("@")) return mention(target.slice(1), label);
  if (target.startsWith("#")) return channelMention(target.slice(1), label);
  if (target.startsWith("!subteam^")) return groupMention(target.slice(9), label);
  if (target.startsWith("!date^")) return dateMention(target, label);
  if (/^!(here|channel|everyone)$/.test(target)) return broadcast(target.slice(1));
  if (target.startsWith("!")) return h("span", {}, unescape(label || target));
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) {
    const address = unescape(target);
    return link(address, label ? unescapeInline(label) : address.replace(/^mailto:/, ""));
  }
  return null;
}

const unescapeInline = (label) => withEmoji(unescape(label));

/** A mention of a person; of the one the page acts as, it stands out. */
export function mention(id, label) {
  const known = person(id) || isApp(id);
  const name = known ? (person(id)?.name ?? displayName(id)) : label || id;
  const own = id === store.me ? " is-me" : "";
  return h("span", { class: `mention${own}`, title: known ? displayName(id) : null }, `@${name}`);
}

/** A mention of a channel, which opens it when the person may see it. */
export function channelMention(id, label) {
  const found = channel(id);
  if (!found) return h("span", { class: "mention" }, `#${label || id}`);
  return h("button", { type: "button", class: "mention link", data: { openChannel: found.id } }, `#${found.name}`);
}

/** A mention of a user group. */
export function groupMention(id, label) {
  const found = group(id);
  const own = found?.members?.includes(store.me) ? " is-me" : "";
  return h(
    "span",
    { class: `mention${own}`, title: found?.name },
    `@${found?.handle || (label || id).replace(/^@/, "")}`,
  );
}

/** @here, @channel or @everyone. */
export const broadcast = (range) => h("span", { class: "mention is-me" }, `@${range}`);

function dateMention(target, label) {
  const [, timestamp, pattern, address] = target.split("^");
  if (!/^\d+(\.\d+)?$/.test(timestamp || "") || !pattern) return h("span", {}, unescape(label));
  return date(Number(timestamp), unescape(pattern), address && unescape(address));
}

/** A moment in the reader's zone. */
export function date(timestamp, pattern, address) {
  const shown = slackDate(timestamp, pattern, zone());
  const node = h(
    "time",
    { datetime: moment(timestamp).toISOString(), title: longTime(moment(timestamp), zone()) },
    shown,
  );
  return address ? link(address, node) : node;
}
