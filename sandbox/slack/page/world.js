/** The drawer with the world behind Slack: its clock, its edge, its sockets, faults on demand, and what exists. */
import { act, call } from "./api.js";
import { freshId, h } from "./dom.js";
import { icon } from "./icons.js";
import { keepFocusIn, toast } from "./popup.js";
import { zone } from "./store.js";
import { clockTime, dayLabel, setWorldTime } from "./time.js";

const REFRESH = 3000;

const SCENARIOS = {
  "service-ip-taken": "Service IP already taken",
  "storage-class-missing": "Storage class missing",
  "bad-password": "Wrong sync token password",
  "already-activated": "Already activated elsewhere",
  firewall: "Firewall blocks the gateway",
  proxy: "A proxy refuses the way",
  "cert-manager-present": "cert-manager already there",
  "name-in-use": "Release name in use",
  "namespace-terminating": "Namespace terminating",
  "chart-not-found": "Chart not found",
  "crd-status-not-populated": "CRD status not populated",
  "crd-write-race": "CRD write race",
  "silent-failure": "Fails without a word",
  "disk-full": "Disk full",
  "partial-index": "Index copied in part",
  "token-disabled": "Sync token disabled",
  "trust-missing": "Certificate not trusted",
  "webhook-untrusted": "cert-manager's webhook not trusted",
  "release-busy": "Helm release busy",
  "quota-exceeded": "Quota exceeded",
  "out-of-memory": "Out of memory",
  "crash-without-log": "Crashes without a word",
  "pull-throttled": "Image pulls limited",
  "node-pressure": "Nodes short of disk",
};

/** Calls that one usually wants to break: [label, part, match]. */
const CALLS = [
  ["Slack: post a message", "slack", "^chat.postMessage$"],
  ["Slack: edit a message", "slack", "^chat.update$"],
  ["Slack: open a modal", "slack", "^views.open$"],
  ["Slack: any method", "slack", "."],
  ["Azure: sign in", "azure", "/oauth2/"],
  ["Azure: any read", "azure", "^GET "],
  ["Azure: any change", "azure", "^(PUT|PATCH|POST|DELETE) /subscriptions"],
  ["Azure: the registry", "azure", "/registries/[^/]+$"],
  ["Azure: import an image", "azure", "/importImage$"],
  ["Azure: scope maps and tokens", "azure", "/(scopeMaps|tokens)/"],
  ["Azure: mint a password", "azure", "/generateCredentials$"],
  ["Azure: the connected registry", "azure", "/connectedRegistries"],
  ["Azure: the extension", "azure", "/extensions/"],
  ["Kubernetes: any call", "kube", "."],
  ["Kubernetes: create a Service", "kube", "^POST .*/services$"],
  ["Kubernetes: read Deployments", "kube", "^GET .*/deployments"],
];

/** What can happen to a call: [label, fields of the fault, and which of them a person sets]. */
const HAPPENS = {
  fail: ["fails", { action: "fail" }],
  busy: [
    "is refused as too many (429)",
    { action: "fail", status: 429, code: "ratelimited", message: "Too many requests." },
  ],
  slow: ["is slow", { action: "delay" }],
  drop: ["is cut before anything is done", { action: "drop" }],
  lose: ["is done, but its reply is lost", { action: "lose_reply" }],
};

let drawer = null;
let timer = 0;

/** Open the drawer, or close it when it is open. */
export function openWorld() {
  if (drawer) {
    drawer.close();
    return;
  }
  const title = freshId("world");
  const places = Object.fromEntries(
    ["clock", "edge", "sockets", "faults", "overview"].map((name) => [
      name,
      h("section", { class: `world-part is-${name}`, hidden: true }),
    ]),
  );
  drawer = h(
    "dialog",
    { class: "drawer", "aria-labelledby": title, data: { testid: "world-drawer" } },
    h(
      "header",
      { class: "modal-head" },
      h("h2", { id: title }, "World and faults"),
      h(
        "button",
        { type: "button", class: "icon-btn", "aria-label": "Close", on: { click: () => drawer.close() } },
        icon("close"),
      ),
    ),
    h("div", { class: "drawer-body" }, Object.values(places), h("div", { class: "toasts" })),
  );
  drawer.addEventListener("click", (event) => event.target === drawer && drawer.close());
  drawer.addEventListener("close", () => {
    clearInterval(timer);
    drawer.remove();
    drawer = null;
  });
  keepFocusIn(drawer);
  document.body.append(drawer);
  drawer.showModal();
  const parts = [clockPart, edgePart, socketPart, faultPart, overviewPart].map((make) => make(places));
  const all = () => parts.forEach((refresh) => refresh());
  all();
  timer = setInterval(() => document.visibilityState === "visible" && all(), REFRESH);
}

/** Read a control address; null when this sandbox has none of it. */
async function maybe(path) {
  try {
    return await call("GET", path);
  } catch {
    return null;
  }
}

async function change(method, path, body, done) {
  try {
    await call(method, path, body);
    if (done) toast(done);
    return true;
  } catch (error) {
    toast(error.message, { error: true });
    return false;
  }
}

/** Draw again only when what was read is new, so that nobody's open menu closes under the hand. */
function whenNew(draw) {
  let before = null;
  return (answer) => {
    const now = JSON.stringify(answer);
    if (now === before) return;
    before = now;
    draw(answer);
  };
}

const small = (label, click, kind = "") =>
  h("button", { type: "button", class: `btn small ${kind}`, on: { click } }, label);
const heading = (words, hint) => [h("h3", {}, words), hint ? h("p", { class: "hint" }, hint) : ""];

/* --- clock ------------------------------------------------------------------------------------------------------------ */

function clockPart({ clock: place }) {
  const face = h("strong", { class: "clock-face" });
  const note = h("span", { class: "hint" });
  const hold = small("Stop", () => turn(hold.textContent === "Stop" ? { stop: true } : { go_on: true }));
  const turns = [
    ["+1 min", 60],
    ["+10 min", 600],
    ["+1 hour", 3600],
    ["+1 day", 86400],
  ].map(([label, seconds]) =>
    small(label, () => turn({ turn: seconds }, `The clock was turned by ${label.slice(1)}.`)),
  );
  place.append(
    ...heading("Clock", "Turn the world's time: Slack, Azure and the edge follow."),
    h("div", { class: "clock-line" }, icon("clock", 20), face, note),
    h("div", { class: "row" }, turns, hold),
  );

  async function turn(body, done) {
    if (await change("POST", "/sandbox/clock", body, done)) refresh();
  }

  async function refresh() {
    const answer = await maybe("/sandbox/clock");
    place.hidden = !answer;
    if (!answer) return;
    const now = new Date(answer.now);
    if (Number.isNaN(now.getTime())) return;
    setWorldTime(now);
    face.textContent = `${dayLabel(now, zone())}, ${clockTime(now, zone())}`;
    const ahead = Math.round((answer.ahead || 0) / 60);
    const turned =
      Math.abs(ahead) >= 1
        ? `${Math.abs(ahead) >= 120 ? `${Math.round(Math.abs(ahead) / 60)} h` : `${Math.abs(ahead)} min`} ${ahead > 0 ? "ahead" : "behind"}`
        : "";
    note.textContent = [answer.stopped && "stopped", turned].filter(Boolean).join(", ");
    hold.textContent = answer.stopped ? "Go on" : "Stop";
  }
  return refresh;
}

/* --- edge ------------------------------------------------------------------------------------------------------------- */

/** A list of named things, whether it came as a list, or as an object by name. */
const named = (value) =>
  Array.isArray(value)
    ? value
    : Object.entries(value || {}).map(([name, rest]) => ({
        name,
        ...(typeof rest === "object" ? rest : { state: rest }),
      }));

const stateWords = (one) =>
  typeof one === "string"
    ? one
    : one?.state || one?.connectionState || one?.provisioningState || one?.status || one?.health || one?.reported || "";

function tone(words) {
  if (/fail|unhealthy|offline|disconnected|error|dead|down/i.test(words)) return "bad";
  if (/online|succeed|connected|ready|running|healthy|active|synced/i.test(words) && !/not|inactive$/i.test(words))
    return "good";
  return words ? "busy" : "";
}

const pill = (words) => words && h("span", { class: `pill is-${tone(words)}` }, words);

function edgePart({ edge: place }) {
  const list = h("div", { class: "clusters" });
  place.append(
    ...heading("Edge clusters", "Take a cluster off, cut its link to Azure, or let its next install fail."),
    list,
  );
  const draw = whenNew((clusters) => list.replaceChildren(...clusters.map(clusterCard)));

  function toggle(label, on, wanted) {
    const box = h("input", { type: "checkbox", role: "switch", checked: on });
    box.addEventListener("change", () => wanted(box.checked));
    return h("label", { class: "switch" }, box, h("i", {}), label);
  }

  function clusterCard(one) {
    const { name } = one;
    const tell = async (body, done) => {
      await change("POST", `/sandbox/edge/${encodeURIComponent(name)}`, body, done);
      refresh();
    };
    const current = [one.scenario ?? one.scenarios ?? []].flat()[0] || "";
    const scenario = h(
      "select",
      { class: "field", "aria-label": `Next install on ${name}` },
      h("option", { value: "" }, "goes as it should"),
      Object.entries(SCENARIOS).map(([value, label]) => h("option", { value, selected: value === current }, label)),
    );
    scenario.addEventListener("change", () =>
      tell(
        scenario.value ? { scenario: scenario.value, times: 1 } : { scenario: null },
        scenario.value ? `${name}: ${SCENARIOS[scenario.value]}.` : `${name} goes as it should.`,
      ),
    );
    const things = [
      ...named(one.extensions).map((e) => [`Extension ${e.name}`, stateWords(e)]),
      ...named(one.runtimes).map((r) => [r.name || r.address || "Connected registry", stateWords(r)]),
    ];
    return h(
      "article",
      { class: "cluster", data: { testid: `cluster-${name}` } },
      h(
        "header",
        {},
        h("strong", {}, name),
        pill(one.offline ? "offline" : one.link === "down" ? "link down" : "running"),
      ),
      one.trouble ? h("p", { class: "hint" }, String(one.trouble)) : null,
      things.length
        ? h(
            "ul",
            { class: "cluster-things" },
            things.map(([label, state]) => h("li", {}, label, pill(state))),
          )
        : h("p", { class: "hint" }, "No extension installed"),
      h(
        "div",
        { class: "row" },
        toggle(`Take ${name} offline`, Boolean(one.offline), (on) =>
          tell({ offline: on }, on ? `${name} is offline.` : `${name} is back.`),
        ),
        toggle("Cut its link", one.link === "down", (on) => tell({ link: on ? "down" : "up" })),
      ),
      h("label", { class: "labelled" }, h("span", {}, "Next install"), scenario),
    );
  }

  async function refresh() {
    const answer = await maybe("/sandbox/edge");
    place.hidden = !answer;
    if (answer) draw(named(answer.clusters ?? answer));
  }
  return refresh;
}

/* --- sockets ------------------------------------------------------------------------------------------------------------ */

function socketPart({ sockets: place }) {
  const doing = (what, done) => async () => {
    try {
      await act("sockets", { do: what });
      toast(done);
    } catch (error) {
      toast(error.message, { error: true });
    }
  };
  place.hidden = false;
  place.append(
    ...heading("Slack's sockets", "What Slack does to a Socket Mode app every few hours, now."),
    h(
      "div",
      { class: "row" },
      small("Ask to reconnect", doing("refresh", "The app was asked to reconnect.")),
      small("Cut without a word", doing("cut", "The sockets were cut.")),
      small("Disable the link", doing("link_disabled", "The link was disabled."), "danger"),
    ),
  );
  return () => {};
}

/* --- faults -------------------------------------------------------------------------------------------------------------- */

function faultPart({ faults: place }) {
  const option = ([value, label]) => h("option", { value }, label);
  const what = h(
    "select",
    { class: "field", "aria-label": "Which call" },
    [...CALLS.map(([label], at) => [at, label]), ["own", "Another call…"]].map(option),
  );
  const part = h(
    "select",
    { class: "field", "aria-label": "Part" },
    [
      ["slack", "Slack"],
      ["azure", "Azure"],
      ["kube", "Kubernetes"],
    ].map(option),
  );
  const match = h("input", {
    class: "field",
    placeholder: "PUT .*/connectedRegistries/",
    "aria-label": "Pattern of the call",
    spellcheck: "false",
  });
  const own = h("div", { class: "row", hidden: true }, part, match);
  const happens = h(
    "select",
    { class: "field", "aria-label": "What happens to it" },
    Object.entries(HAPPENS).map(([key, [label]]) => option([key, label])),
  );
  const times = h(
    "select",
    { class: "field", "aria-label": "How often" },
    [
      ["1", "the next one"],
      ["2", "the next 2"],
      ["3", "the next 3"],
      ["10", "the next 10"],
      ["", "every one"],
    ].map(option),
  );
  const seconds = field("Seconds", { type: "number", min: 0, step: "any", value: 10 });
  const status = field("Status", { type: "number", min: 400, max: 599, value: 500 });
  const code = field("Code", { value: "InternalServerError" });
  const message = field("Message", { value: "The server encountered an internal error." });
  const list = h("ul", { class: "faults", "aria-label": "Faults in force" });
  const form = h(
    "form",
    { class: "fault-form", on: { submit: add } },
    h(
      "div",
      { class: "sentence" },
      h("label", { class: "labelled" }, h("span", {}, "Of these calls"), what),
      h("label", { class: "labelled" }, h("span", {}, "strike"), times),
      h("label", { class: "labelled" }, h("span", {}, "so that it"), happens),
    ),
    own,
    h("div", { class: "row fault-more" }, seconds.root, status.root, code.root, message.root),
    h(
      "div",
      { class: "row" },
      h("button", { type: "submit", class: "btn primary small", data: { testid: "fault-add" } }, "Put in force"),
    ),
  );
  place.append(...heading("Faults", "Let the next call to a part fail, wait, or lose its reply."), form, list);
  what.addEventListener("change", show);
  happens.addEventListener("change", show);
  show();
  const draw = whenNew((faults) =>
    list.replaceChildren(
      ...faults.map(row),
      faults.length > 1
        ? h(
            "li",
            {},
            small("Remove all", () => remove("")),
          )
        : "",
    ),
  );
  return refresh;

  function field(label, attributes) {
    const input = h("input", { class: "field", ...attributes });
    return { input, root: h("label", { class: "labelled" }, h("span", {}, label), input) };
  }

  function show() {
    own.hidden = what.value !== "own";
    match.required = !own.hidden;
    const plain = happens.value === "fail";
    seconds.root.hidden = happens.value !== "slow";
    status.root.hidden = !plain;
    code.root.hidden = !plain;
    message.root.hidden = !plain;
    const slack = what.value === "own" ? part.value === "slack" : CALLS[what.value][1] === "slack";
    if (slack && code.input.value === "InternalServerError") code.input.value = "internal_error";
    if (!slack && code.input.value === "internal_error") code.input.value = "InternalServerError";
  }

  async function add(event) {
    event.preventDefault();
    const [, named_, pattern] = what.value === "own" ? [null, part.value, match.value] : CALLS[what.value];
    const fault = {
      part: named_,
      match: pattern,
      times: times.value ? Number(times.value) : null,
      ...HAPPENS[happens.value][1],
    };
    if (happens.value === "slow") fault.seconds = Number(seconds.input.value);
    if (happens.value === "fail")
      Object.assign(fault, {
        status: Number(status.input.value),
        code: code.input.value,
        message: message.input.value,
      });
    if (await change("POST", "/sandbox/faults", fault, "The fault is in force.")) refresh();
  }

  async function remove(id) {
    if (await change("DELETE", `/sandbox/faults${id ? `/${id}` : ""}`)) refresh();
  }

  function row(fault) {
    const often =
      fault.times === null || fault.times === undefined
        ? "every time"
        : fault.times === 1
          ? "once"
          : `${fault.times} times`;
    const how = {
      fail: `answers ${fault.status} ${fault.code}`,
      delay: `waits ${fault.seconds} s`,
      drop: "is cut",
      lose_reply: "loses its reply",
    }[fault.action];
    const known = CALLS.find(([, part_, pattern]) => part_ === fault.part && pattern === fault.match)?.[0];
    return h(
      "li",
      {},
      h("span", {}, h("strong", {}, known || `${fault.part}: ${fault.match}`), ` ${how}, ${often}`),
      h(
        "button",
        {
          type: "button",
          class: "icon-btn small",
          "aria-label": "Remove this fault",
          on: { click: () => remove(fault.id) },
        },
        icon("close", 15),
      ),
    );
  }

  async function refresh() {
    const answer = await maybe("/sandbox/faults");
    place.hidden = !answer;
    if (answer) draw(Array.isArray(answer) ? answer : answer.faults || []);
  }
}

/* --- overview ------------------------------------------------------------------------------------------------------------- */

function overviewPart({ overview: place }) {
  const body = h("div", { class: "overview" });
  place.append(...heading("What exists"), body);
  const draw = whenNew((world) => {
    const { faults, clock, url, ...rest } = world;
    if (rest.edge?.scenarios) rest.edge = { clusters: rest.edge.clusters };
    body.replaceChildren(...Object.entries(rest).map(([name, value]) => thing(name, value, 0)));
  });
  return async () => {
    const answer = await maybe("/sandbox/world");
    place.hidden = !answer;
    if (answer) draw(answer);
  };
}

const spoken = (key) =>
  key
    .replaceAll("_", " ")
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase();

/** Anything the overview may hold, as folding lists with states in colour. */
function thing(name, value, depth) {
  if (value === null || value === undefined || value === "")
    return h("div", { class: "fact" }, h("span", {}, spoken(name)), h("em", {}, "none"));
  if (typeof value !== "object")
    return h(
      "div",
      { class: "fact" },
      h("span", {}, spoken(name)),
      /state|status/i.test(name) ? pill(String(value)) : h("b", {}, String(value)),
    );
  const list = Array.isArray(value);
  if (list && value.every((one) => typeof one !== "object"))
    return h(
      "div",
      { class: "fact" },
      h("span", {}, spoken(name)),
      value.length ? h("b", {}, value.join(", ")) : h("em", {}, "none"),
    );
  const entries = list ? value.map((one, at) => [one.name || one.id || String(at + 1), one]) : Object.entries(value);
  const own = list ? null : stateWords(value);
  const inside = entries.filter(([key]) => list || key !== "name").map(([key, one]) => thing(key, one, depth + 1));
  return h(
    "details",
    { class: "branch", open: depth < 1 && name !== "environment" },
    h(
      "summary",
      {},
      h("span", { class: "fold-arrow" }, icon("chevron", 13)),
      list ? `${spoken(name)} (${entries.length})` : depth ? name : spoken(name),
      typeof own === "string" && pill(own),
    ),
    h("div", { class: "branch-body" }, inside.length ? inside : h("em", {}, "none")),
  );
}
