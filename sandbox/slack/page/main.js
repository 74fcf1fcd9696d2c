/** The page: what is open, what came in, and who is looking. */
import { act, call, listen, read } from "./api.js";
import { blocks } from "./blocks.js";
import { composer } from "./composer.js";
import { debounce, h } from "./dom.js";
import { icon } from "./icons.js";
import { announcement, drawMessages } from "./messages.js";
import { fail, modalOpen, showView, viewClosed, viewErrors } from "./modal.js";
import { closePopup, toast } from "./popup.js";
import { connection, drawSidebar } from "./sidebar.js";
import { avatar } from "./avatar.js";
import { channel, displayName, me, memoryOf, person, store } from "./store.js";
import { moment, setWorldTime, worldNow } from "./time.js";
import { openWorld } from "./world.js";

const $ = (id) => document.getElementById(id);
const UNREADABLE = "This channel can't be read";
const sidebar = $("sidebar");
const list = $("messages");
const scroller = $("scroller");
const threadList = $("thread-messages");
const threadScroller = $("thread-scroller");

let messages = [];
let replies = [];
let notices = []; // what only this page says, by channel
const listeners = new Set(); // lists of changes that came in while messages were being read
let stop = null;
let connected = false;
let serial = 0; // of the channel or person looked at: late answers about another one are dropped
let arrivals = 0; // messages that came in: a state that was read meanwhile may not count them
let stepping = false; // whether another place is another step of the browser's history

const actions = { openChannel, openHome, becomePerson, openWorld };

/* --- drawing ------------------------------------------------------------------------------------------------------- */

function drawHead() {
  const at = channel(store.channel);
  const home = store.view === "home";
  $("title").replaceChildren(
    ...(home
      ? [avatar(store.state.app.bot_user, "small"), h("span", {}, store.state.app.name || "App")]
      : [
          at?.is_im ? avatar(store.state.app.bot_user, "small") : icon(at?.is_private ? "lock" : "hash", 19),
          h("span", {}, at?.name || "…"),
        ]),
  );
  const members = at?.members?.length;
  const topic = home
    ? "Home"
    : [members && `${members} members`, at?.is_ext_shared && "shared with another organisation", at?.topic]
        .filter(Boolean)
        .join(" · ");
  $("topic").textContent = topic || "";
  $("me").replaceChildren(avatar(store.me, "small"));
  $("me").setAttribute("aria-label", `You are ${me()?.real_name || store.me}. Change person`);
  $("offline-app").hidden = connection().on;
  document.title = `${home ? store.state.app.name : `${at?.is_im ? "" : "#"}${at?.name || ""}`} · ${me()?.real_name || ""} · Sandbox Slack`;
  $("composer-place").hidden = at?.is_member === false;
  $("join").hidden = at?.is_member !== false;
  $("home").hidden = !home;
  $("channel").hidden = home;
}

function draw() {
  drawSidebar(sidebar, actions);
  drawHead();
}

/** Everything of the open channel in its order: what the server has and the page's own notices. */
function drawList() {
  const own = notices.filter((one) => one.channel === store.channel && one.as === store.me);
  const all = [...messages, ...own].sort((a, b) => Number(a.ts) - Number(b.ts));
  const at = channel(store.channel);
  const intro = h(
    "li",
    { class: "intro" },
    h("h2", {}, at?.is_im ? null : icon(at?.is_private ? "lock" : "hash", 26), at?.name || ""),
    h(
      "p",
      {},
      `This is the beginning of ${at?.is_im ? "your conversation with " : "#"}${at?.name || ""}.`,
      h("br"),
      "Type / to see what the app can do here.",
    ),
  );
  intro.dataset.key = `intro:${store.channel}`;
  const old = list.querySelector(":scope > .intro");
  const stuck = nearEnd(scroller);
  drawMessages(list, all, { openThread, lead: [old?.dataset.key === intro.dataset.key ? old : intro] });
  if (stuck) toEnd(scroller);
}

const nearEnd = (node) => node.dataset.stuck !== "no";
const toEnd = (node) => {
  node.scrollTop = node.scrollHeight;
};

function follow(node, inside, button) {
  node.addEventListener(
    "scroll",
    () => {
      const end = node.scrollHeight - node.scrollTop - node.clientHeight < 60;
      node.dataset.stuck = end ? "yes" : "no";
      if (end && button) button.hidden = true;
    },
    { passive: true },
  );
  new ResizeObserver(() => nearEnd(node) && toEnd(node)).observe(inside);
  new ResizeObserver(() => nearEnd(node) && toEnd(node)).observe(node);
}

/* --- what is open --------------------------------------------------------------------------------------------------- */

function remember() {
  const where = new URLSearchParams({ as: person(store.me)?.name || store.me });
  if (store.view === "home") where.set("home", "1");
  else where.set("channel", channel(store.channel)?.name || store.channel);
  if (store.thread) where.set("thread", store.thread);
  const another = stepping && `?${where}` !== location.search;
  window.history[another ? "pushState" : "replaceState"](null, "", `?${where}`);
  localStorage.setItem("sandbox:as", store.me);
}

function pane(name) {
  document.body.dataset.pane = name;
}

async function openChannel(id, { focus = true } = {}) {
  const at = channel(id);
  if (!at) return;
  closePopup();
  const same = store.view === "channel" && store.channel === at.id;
  store.view = "channel";
  store.channel = at.id;
  at.unread = 0;
  pane("channel");
  if (!same) {
    closeThread();
    messages = [];
    scroller.dataset.stuck = "yes";
  }
  writer.label(`Message ${at.is_im ? "" : "#"}${at.name}`);
  draw();
  remember();
  if (!same) await loadChannel();
  if (focus && matchMedia("(min-width: 761px)").matches) writer.field.focus();
}

async function openHome() {
  closePopup();
  store.view = "home";
  closeThread();
  pane("channel");
  draw();
  remember();
  $("home-blocks").replaceChildren(h("p", { class: "home-empty" }, "Opening…"));
  try {
    drawHome((await act("home")).view);
  } catch (error) {
    drawHome(null, error.message);
  }
}

function drawHome(view, trouble = "") {
  if (store.view !== "home") return;
  const place = $("home-blocks");
  const empty = h(
    "div",
    { class: "home-empty" },
    avatar(store.state.app.bot_user),
    h("h2", {}, "Nothing here yet"),
    h("p", {}, trouble || `${store.state.app.name} has not published a Home tab for ${me()?.real_name}.`),
  );
  if (!view) {
    place.replaceChildren(empty);
    return;
  }
  const surface = {
    memory: memoryOf(`home:${store.me}:${view.id || ""}`),
    values: view.state?.values,
    click: (values) => act("click", { home: true, ...values }),
    options: (values) => act("options", { home: true, ...values }),
  };
  const focused =
    place.contains(document.activeElement) && document.activeElement.closest("[data-testid]")?.dataset.testid;
  place.replaceChildren(blocks(view.blocks, surface));
  if (focused) place.querySelector(`[data-testid="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

async function openThread(ts) {
  store.thread = ts;
  replies = [];
  threadScroller.dataset.stuck = "yes";
  threadList.replaceChildren();
  $("thread").hidden = false;
  document.body.classList.add("has-thread");
  $("thread-channel").textContent = `#${channel(store.channel)?.name || ""}`;
  pane("thread");
  remember();
  await loadThread();
  threadWriter.field.focus({ preventScroll: true });
}

function closeThread() {
  if (!store.thread) return;
  store.thread = "";
  $("thread").hidden = true;
  document.body.classList.remove("has-thread");
  pane("channel");
}

async function becomePerson(id) {
  if (id === store.me) {
    pane("channel");
    return;
  }
  store.me = id;
  messages = [];
  list.replaceChildren();
  viewClosed();
  closeThread();
  scroller.dataset.stuck = "yes";
  serial += 1;
  const mine = serial;
  await loadState();
  if (mine !== serial) return;
  subscribe();
  const open = channel(store.channel)?.is_member === false ? firstChannel() : store.channel;
  if (store.view === "home") await openHome();
  else {
    store.channel = "";
    await openChannel(open, { focus: false });
  }
  toast(`You are ${displayName(id)} now.`);
}

/** Open what an address names: the person, the channel or Home, the thread. */
async function openPlace(where) {
  stepping = false;
  const as = person(where.get("as"))?.id;
  if (as && as !== store.me) await becomePerson(as);
  const thread = where.get("thread") || "";
  if (where.get("home")) await openHome();
  else await openChannel(channel(where.get("channel"))?.id || firstChannel());
  if (!thread) closeThread();
  else if (thread !== store.thread) await openThread(thread);
  stepping = true;
}

/* --- reading -------------------------------------------------------------------------------------------------------- */

/** Read who and what there is. An answer that a message overtook doesn't count it as unread, and is read again. */
async function loadState() {
  const wanted = store.me;
  const before = arrivals;
  const state = await read("state");
  if (wanted !== store.me) return;
  const here = store.view === "channel" ? store.channel : "";
  for (const one of state.channels) if (one.id === here) one.unread = 0;
  store.state = { ...state, groups: state.groups || [], app: { commands: [], ...state.app } };
  const own = typeof state.me === "string" ? state.me : state.me?.id;
  if (own) store.me = own;
  draw();
  if (arrivals !== before) stateSoon();
}

/** Read what time it is in the world. Without an answer it is as late as the newest message says. */
async function loadClock() {
  try {
    setWorldTime(new Date((await call("GET", "/sandbox/clock")).now));
  } catch {
    // A Slack alone may have no clock to turn.
  }
}

/** Read messages, and apply what came in while the answer was under way, which the answer may not know yet. */
async function readMessages(values, keeps) {
  const late = [];
  listeners.add(late);
  try {
    const answer = await read("messages", values);
    return late.reduce((known, change) => change(known, keeps), answer.messages);
  } finally {
    listeners.delete(late);
  }
}

/** Tell readings under way of a change: a function from the known messages to the present ones. */
function changed(change) {
  for (const late of listeners) late.push(change);
}

async function loadChannel() {
  const at = store.channel;
  const as = store.me;
  try {
    const found = await readMessages({ channel: at }, (one) => one.channel === at && atTop(one));
    if (at !== store.channel || as !== store.me) return;
    messages = found;
    notices = notices.filter((one) => !(one.channel === at && one.text.startsWith(UNREADABLE)));
    const newest = moment(messages.at(-1)?.ts || 0);
    if (newest > worldNow()) setWorldTime(newest);
  } catch (error) {
    if (at !== store.channel || as !== store.me) return;
    messages = [];
    addNotice(`${UNREADABLE}: ${error.message}`, { once: true });
  }
  drawList();
}

async function loadThread() {
  const { thread, channel: at, me: as } = store;
  if (!thread) return;
  try {
    const ours = (one) => one.channel === at && [one.ts, one.thread_ts].includes(thread);
    const found = await readMessages({ channel: at, thread_ts: thread }, ours);
    if (thread !== store.thread || as !== store.me) return;
    replies = found;
    if (replies.length) drawThread();
    else {
      closeThread();
      remember();
    }
  } catch (error) {
    toast(`The thread can't be read: ${error.message}`, { error: true });
  }
}

function drawThread() {
  const stuck = nearEnd(threadScroller);
  drawMessages(threadList, replies, { openThread, inThread: true });
  if (stuck) toEnd(threadScroller);
}

const soon = debounce(loadChannel, 120);
const stateSoon = debounce(() => loadState().catch(() => {}), 80);

/* --- what comes in ---------------------------------------------------------------------------------------------------- */

const put = (array, message) => {
  const at = array.findIndex((one) => one.ts === message.ts);
  if (at >= 0) return array.map((one, index) => (index === at ? message : one));
  return [...array, message].sort((a, b) => Number(a.ts) - Number(b.ts));
};

const isReply = (message) => Boolean(message.thread_ts) && message.thread_ts !== message.ts;
const atTop = (message) => !isReply(message) || message.subtype === "thread_broadcast";

const EVENTS = {
  message: ({ message }) => {
    setWorldTime(moment(message.ts));
    arrived(message);
    if (message.channel !== store.channel || store.view !== "channel") return;
    if (message.user !== store.me) $("live").textContent = announcement(message);
  },
  message_changed: ({ message }) => placed(message),
  message_deleted: ({ channel: at, ts }) => {
    changed((known) => known.filter((one) => one.ts !== ts));
    if (at !== store.channel) return;
    messages = messages.filter((one) => one.ts !== ts);
    replies = replies.filter((one) => one.ts !== ts);
    drawList();
    if (store.thread === ts) closeThread();
    else if (store.thread) drawThread();
    soon();
  },
  view: ({ view, stack }) => {
    heardOfViews += 1;
    showView(view, stack);
  },
  view_closed: () => {
    heardOfViews += 1;
    viewClosed();
  },
  view_errors: ({ errors }) => viewErrors(errors),
  home: ({ view }) => drawHome(view),
  state: () => stateSoon(),
  notice: ({ text, error }) => {
    if (!error) toast(text);
    else if (modalOpen()) fail(text);
    else addNotice(text, { once: true });
  },
};

function arrived(message) {
  arrivals += 1;
  if (message.channel !== store.channel || store.view !== "channel") {
    const at = channel(message.channel);
    if (at && message.user !== store.me && !isReply(message)) {
      at.unread = (Number(at.unread) || 0) + 1;
      drawSidebar(sidebar, actions);
    }
  }
  placed(message);
  if (message.channel !== store.channel || isReply(message)) return;
  if (message.user === store.me && !message.ephemeral) scroller.dataset.stuck = "yes";
  if (nearEnd(scroller)) toEnd(scroller);
  else $("newer").hidden = false;
}

/** Put a new or changed message where it is shown: in the channel, in the open thread, or both. */
function placed(message) {
  changed((known, keeps) => (keeps(message) ? put(known, message) : known));
  if (message.channel !== store.channel) return;
  const thread = store.thread;
  if (thread && (message.ts === thread || message.thread_ts === thread)) {
    replies = put(replies, message);
    drawThread();
  }
  if (isReply(message)) soon();
  if (!atTop(message)) return;
  messages = put(messages, message);
  drawList();
}

function addNotice(words, { once = false } = {}) {
  const at = Date.now();
  if (once && notices.some((one) => one.text === words && at - one.at < 4000)) return;
  const last = Number(messages.at(-1)?.ts || 0);
  const ts = Math.max(last + 0.000001, Number(notices.at(-1)?.ts || 0) + 0.000001, worldNow().getTime() / 1000);
  notices = [
    ...notices,
    {
      notice: true,
      channel: store.channel,
      as: store.me,
      ts: String(ts),
      text: words,
      mrkdwn: false,
      ephemeral: true,
      at,
    },
  ];
  if (store.view === "channel") {
    drawList();
    $("live").textContent = words;
  } else toast(words, { error: true });
}

function subscribe() {
  stop?.();
  connected = false;
  const as = store.me;
  stop = listen(as, {
    event: (event) => as === store.me && EVENTS[event.type]?.(event),
    back: () => as === store.me && resync(),
    lost: () => {
      connected = false;
      $("lost").hidden = false;
    },
  });
}

/** The stream is open: read again whatever may have changed while it was not. */
async function resync() {
  connected = true;
  $("lost").hidden = true;
  try {
    await Promise.all([loadState(), loadClock()]);
    if (store.view === "channel") await loadChannel();
    if (store.thread) await loadThread();
    await resyncView();
  } catch (error) {
    toast(`The sandbox can't be read: ${error.message}`, { error: true });
  }
}

/* --- what goes out ------------------------------------------------------------------------------------------------------ */

/** How many events about modals have come: an answer that was asked for before the last of them is an old one. */
let heardOfViews = 0;

/** The modal of this person, which may have been opened or closed meanwhile. */
async function resyncView() {
  const heard = heardOfViews;
  try {
    const { view, stack } = await read("view");
    if (heard !== heardOfViews) return;
    if (view) showView(view, stack);
    else viewClosed();
  } catch (error) {
    if (error.status !== 404) throw error;
    if (heard === heardOfViews) viewClosed();
  }
}

async function say(words, thread) {
  const slash = words.startsWith("/");
  if (slash)
    $("running").replaceChildren(
      h("span", { class: "spinner", "aria-hidden": "true" }),
      `Running ${words.split(/\s/)[0]}…`,
    );
  $("running").hidden = !slash;
  scroller.dataset.stuck = "yes";
  try {
    const answer = await act("say", { channel: store.channel, text: words, ...(thread ? { thread_ts: thread } : {}) });
    if (answer.ok) return true;
    addNotice(answer.message || `${words.split(/\s/)[0]} failed with the error "${answer.error}"`, { once: true });
  } catch (error) {
    addNotice(`That was not sent: ${error.message}`);
  } finally {
    $("running").hidden = true;
  }
  return false;
}

const writer = composer({ label: "Message", testid: "composer", send: (words) => say(words) });
const threadWriter = composer({
  label: "Reply…",
  testid: "thread-composer",
  send: (words) => say(words, store.thread),
  commands: false,
});

async function join() {
  try {
    await act("join", { channel: store.channel, user: store.me });
    await loadState();
    await loadChannel();
  } catch (error) {
    toast(error.message, { error: true });
  }
}

/* --- the first time ------------------------------------------------------------------------------------------------------- */

const firstChannel = () => (store.state.channels.find((one) => one.is_member !== false) || store.state.channels[0])?.id;

function wire() {
  $("composer-place").append(writer.root);
  $("thread-composer-place").append(threadWriter.root);
  follow(scroller, list, $("newer"));
  follow(threadScroller, threadList, null);
  $("newer").addEventListener("click", () => {
    scroller.dataset.stuck = "yes";
    toEnd(scroller);
    $("newer").hidden = true;
  });
  $("join-button").addEventListener("click", join);
  $("to-sidebar").addEventListener("click", () => pane("sidebar"));
  $("me").addEventListener("click", () => {
    pane("sidebar");
    sidebar.querySelector(".person.is-me")?.scrollIntoView({ block: "center" });
    sidebar.querySelector(".person.is-me")?.focus();
  });
  $("thread-close").addEventListener("click", () => (closeThread(), remember()));
  $("thread-back").addEventListener("click", () => (closeThread(), remember()));
  $("world-open").addEventListener("click", openWorld);
  document.addEventListener("click", ({ target }) => {
    const to = target.closest?.("[data-open-channel]");
    if (to) openChannel(to.dataset.openChannel);
  });
  document.addEventListener("keydown", (event) => {
    if (
      event.key === "Escape" &&
      store.thread &&
      !modalOpen() &&
      !event.defaultPrevented &&
      !document.querySelector("dialog[open]")
    ) {
      closeThread();
      remember();
      writer.field.focus();
    }
  });
  setInterval(
    () => document.visibilityState === "visible" && connected && store.view === "channel" && drawList(),
    30000,
  );
}

async function start() {
  wire();
  const where = new URLSearchParams(location.search);
  store.me = where.get("as") || localStorage.getItem("sandbox:as") || "";
  try {
    await loadState();
  } catch {
    store.me = "";
    await loadState();
  }
  store.me ||= store.state.people[0]?.id || "";
  await loadClock();
  await openPlace(where);
  addEventListener("popstate", () => openPlace(new URLSearchParams(location.search)));
  subscribe();
}

start().catch((error) => toast(`The sandbox can't be reached: ${error.message}`, { error: true }));
