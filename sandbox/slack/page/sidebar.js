/** The left side: the workspace, its channels, the app, and the people to act as. */
import { avatar } from "./avatar.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { store } from "./store.js";

const NONE = "No app connected";

/** Words for the app's connection state. */
export function connection() {
  const { connections } = store.state;
  if (connections === "http") return { on: true, words: "App connected over HTTP" };
  if (!connections) return { on: false, words: NONE };
  return { on: true, words: connections === 1 ? "App connected" : `App connected (${connections} sockets)` };
}

function channelRow(one, { openChannel }) {
  const open = store.view === "channel" && store.channel === one.id;
  const unread = Boolean(one.unread) && !open;
  const count =
    typeof one.unread === "number" && one.unread > 0 && !open
      ? h("span", { class: "unread-count" }, one.unread > 99 ? "99+" : one.unread)
      : null;
  return h(
    "li",
    {},
    h(
      "button",
      {
        type: "button",
        class: ["side-row", open && "is-open", unread && "is-unread", one.is_member === false && "is-outside"]
          .filter(Boolean)
          .join(" "),
        "aria-current": open ? "page" : null,
        data: { testid: `channel-${one.id}` },
        "aria-label": `Channel ${one.name}${unread ? ", unread" : ""}`,
        on: { click: () => openChannel(one.id) },
      },
      one.is_im ? avatar(store.state.app.bot_user, "small") : icon(one.is_private ? "lock" : "hash", 16),
      h("span", { class: "side-words" }, one.name),
      one.is_im && h("span", { class: "tag" }, "messages"),
      one.is_ext_shared &&
        h("span", { class: "side-sign", title: "Shared with another organisation" }, icon("shared", 14)),
      count,
    ),
  );
}

function personRow(one, { becomePerson }) {
  const own = one.id === store.me;
  const guest = one.is_restricted || one.is_ultra_restricted;
  const outside = one.team_id && one.team_id !== store.state.workspace.id;
  const tag = outside ? "external" : guest ? "guest" : "";
  return h(
    "li",
    {},
    h(
      "button",
      {
        type: "button",
        class: `side-row person${own ? " is-me" : ""}`,
        "aria-pressed": String(own),
        data: { testid: `person-${one.id}` },
        title: own ? `You are ${one.real_name}` : `Act as ${one.real_name}`,
        on: { click: () => becomePerson(one.id) },
      },
      avatar(one.id, "small"),
      h("span", { class: "side-words" }, one.real_name || one.name),
      tag && h("span", { class: "tag" }, tag),
      own && h("span", { class: "tag is-you" }, "you"),
    ),
  );
}

/** Draw the whole sidebar into its place. */
export function drawSidebar(place, actions) {
  const { workspace, app, people, channels } = store.state;
  const { on, words } = connection();
  const mine = channels.filter((one) => one.is_member !== false && !one.is_im);
  const direct = channels.filter((one) => one.is_im);
  const others = channels.filter((one) => one.is_member === false);
  const home = store.view === "home";
  const focused = place.contains(document.activeElement) ? document.activeElement.dataset.testid : null;
  const scroll = place.querySelector(".side-scroll")?.scrollTop || 0;
  const group = (label, rows) => rows.length && h("section", {}, h("h2", {}, label), h("ul", {}, rows));
  place.replaceChildren(
    h(
      "header",
      { class: "side-head" },
      h("div", { class: "workspace-mark", "aria-hidden": "true" }, (workspace.name || "S")[0]),
      h("div", { class: "side-title" }, h("h1", {}, workspace.name || "Sandbox"), h("p", {}, "Sandbox Slack")),
    ),
    h("p", { class: `connection${on ? " is-on" : ""}`, role: "status", data: { testid: "connection" } }, h("i"), words),
    h(
      "nav",
      { class: "side-scroll", "aria-label": "Channels and people" },
      group(
        "Channels",
        mine.map((one) => channelRow(one, actions)),
      ),
      others.length > 0 &&
        group(
          "Not a member",
          others.map((one) => channelRow(one, actions)),
        ),
      group("Apps", [
        h(
          "li",
          {},
          h(
            "button",
            {
              type: "button",
              class: `side-row${home ? " is-open" : ""}`,
              "aria-current": home ? "page" : null,
              data: { testid: "app-home" },
              on: { click: actions.openHome },
            },
            avatar(app.bot_user, "small"),
            h("span", { class: "side-words" }, app.name || "App"),
            h("span", { class: "tag" }, "home"),
          ),
        ),
        ...direct.map((one) => channelRow(one, actions)),
      ]),
      group(
        "Act as",
        people.filter((one) => !one.is_bot && one.id !== app.bot_user).map((one) => personRow(one, actions)),
      ),
    ),
    h(
      "footer",
      { class: "side-foot" },
      h(
        "button",
        { type: "button", class: "side-row", data: { testid: "world-open-side" }, on: { click: actions.openWorld } },
        icon("globe", 17),
        h("span", { class: "side-words" }, "World and faults"),
      ),
    ),
  );
  place.querySelector(".side-scroll").scrollTop = scroll;
  if (focused) place.querySelector(`[data-testid="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}
