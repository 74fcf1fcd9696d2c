/** What the page knows: the workspace as one person sees it, and what that person left open or typed. */

export const store = {
  /** The answer of /sandbox/slack/state. */
  state: { workspace: {}, app: { commands: [] }, people: [], groups: [], channels: [], me: null },
  /** Id of the person the page acts as. */
  me: "",
  /** Id of the open channel. */
  channel: "",
  /** What is in the middle: "channel" or "home". */
  view: "channel",
  /** The root ts of the open thread, or "". */
  thread: "",
};

export const zone = () => me()?.tz || undefined;
export const person = (id) => store.state.people.find((one) => one.id === id || one.name === id);
export const me = () => person(store.me);
export const channel = (id) => store.state.channels.find((one) => one.id === id || one.name === id);
export const group = (id) => store.state.groups.find((one) => one.id === id);

/** Whether a user id is the app's own bot. */
export const isApp = (id) => Boolean(id) && [store.state.app.bot_user, store.state.app.bot_id].includes(id);

/** The name that stands beside somebody's messages. */
export function displayName(id) {
  if (isApp(id)) return store.state.app.name;
  const found = person(id);
  return found ? found.real_name || found.name : id || "Somebody";
}

const COLOURS = [
  "#2f6f9f",
  "#a4508b",
  "#3c7d4b",
  "#a85b24",
  "#6a5acd",
  "#b23a48",
  "#2a7f86",
  "#7d6b2f",
  "#51618f",
  "#8a4f2a",
];

/** The colour and initials of an avatar: by the place among the people, so that few share one, else by the id. */
export function avatarOf(id) {
  const place = store.state.people.findIndex((one) => one.id === id);
  let sum = place < 0 ? 3 : place;
  if (place < 0) for (const letter of id || "?") sum = (sum * 31 + letter.codePointAt(0)) >>> 0;
  const initials = displayName(id)
    .split(/[\s._-]+/)
    .filter(Boolean)
    .slice(0, 2)
    .map((word) => word[0].toUpperCase())
    .join("");
  return { colour: COLOURS[sum % COLOURS.length], initials: initials || "?" };
}

const kept = new Map();

/** A Map kept for a message or a view as long as the page lives, so that drawing it again keeps what is open or typed. */
export function memoryOf(key) {
  if (!kept.has(key)) kept.set(key, new Map());
  return kept.get(key);
}

/** Forget what was open or typed in a view that has gone. */
export const forget = (key) => kept.delete(key);
