/** Block elements: what a person clicks, picks and fills in, and the state that comes of it. */
import { chooser, narrowed } from "./choose.js";
import { debounce, freshId, h, picture, safeLink } from "./dom.js";
import { icon, spinner } from "./icons.js";
import { ask, closePopup, isOpen, showPopup, toast } from "./popup.js";
import { store, zone } from "./store.js";
import { text, words } from "./text.js";
import { localOfSeconds, secondsOfLocal } from "./time.js";

/*
 * A `surface` is where elements are: {memory, click(values), options(values), values, stateful}. `click` and `options`
 * ask the server; `memory` keeps states between drawings; `values` are the states that the server knows.
 */

const slot = (block, element) => `${block.block_id}/${element.action_id}`;

/** The state of an element, in the form of view.state.values. */
export function stateOf(surface, block, element) {
  const kept = surface.memory.get(slot(block, element));
  const known = surface.values?.[block.block_id]?.[element.action_id];
  return kept || (element.default_to_current_conversation && isEmpty(known) ? null : known) || initialState(element);
}

const INITIAL = {
  plain_text_input: (e) => ({ value: e.initial_value ?? null }),
  email_text_input: (e) => ({ value: e.initial_value ?? null }),
  url_text_input: (e) => ({ value: e.initial_value ?? null }),
  number_input: (e) => ({ value: e.initial_value ?? null }),
  rich_text_input: (e) => ({ rich_text_value: e.initial_value ?? null }),
  static_select: (e) => ({ selected_option: e.initial_option ?? null }),
  external_select: (e) => ({ selected_option: e.initial_option ?? null }),
  radio_buttons: (e) => ({ selected_option: e.initial_option ?? null }),
  multi_static_select: (e) => ({ selected_options: e.initial_options ?? [] }),
  multi_external_select: (e) => ({ selected_options: e.initial_options ?? [] }),
  checkboxes: (e) => ({ selected_options: e.initial_options ?? [] }),
  users_select: (e) => ({ selected_user: e.initial_user ?? null }),
  multi_users_select: (e) => ({ selected_users: e.initial_users ?? [] }),
  channels_select: (e) => ({ selected_channel: e.initial_channel ?? null }),
  multi_channels_select: (e) => ({ selected_channels: e.initial_channels ?? [] }),
  conversations_select: (e) => ({ selected_conversation: e.initial_conversation ?? here(e) }),
  multi_conversations_select: (e) => ({ selected_conversations: e.initial_conversations ?? [here(e)].filter(Boolean) }),
  datepicker: (e) => ({ selected_date: e.initial_date ?? null }),
  timepicker: (e) => ({ selected_time: e.initial_time ?? null }),
  datetimepicker: (e) => ({ selected_date_time: e.initial_date_time ?? null }),
  file_input: () => ({ files: [] }),
};

const here = (element) => (element.default_to_current_conversation ? store.channel || null : null);
const initialState = (element) =>
  INITIAL[element.type] ? { type: element.type, ...INITIAL[element.type](element) } : null;

/** Whether an element has a state of its own (a button has none). */
export const hasState = (element) => Boolean(INITIAL[element?.type]);

/** The bare value of a state: text, an option's value, an id, or a list of them. */
export function valueOf(state) {
  const { type, ...rest } = state;
  const value = Object.values(rest)[0];
  if (Array.isArray(value)) return value.map((one) => one?.value ?? one);
  return value?.value ?? value;
}

/** What a state holds as it is: an option whole, so that the app need not be asked for it again. */
const heldIn = ({ type, ...rest }) => Object.values(rest)[0];

/** Whether nothing was filled in. */
export function isEmpty(state) {
  const value = state ? valueOf(state) : null;
  return value === null || value === undefined || value === "" || (Array.isArray(value) && !value.length);
}

/** One element of a block, ready to use. `input` marks the element of an input block. */
export function element(surface, block, one, input = null) {
  const make = MAKERS[one.type];
  if (!make) return h("span", { class: "unknown" }, `(${one.type})`);
  const node = make({ surface, block, one, input, dispatches: !input || Boolean(block.dispatch_action) });
  if (one.focus_on_load)
    queueMicrotask(() =>
      (node.matches("input,textarea,button") ? node : node.querySelector("input,textarea,button"))?.focus(),
    );
  return node;
}

function remember({ surface, block, one }, fields) {
  const state = { type: one.type, ...fields };
  surface.memory.set(slot(block, one), state);
  surface.changed?.(block, one);
  return state;
}

/** Keep a state and, where the element reports at once, tell the app. */
async function change(use, fields) {
  const before = stateOf(use.surface, use.block, use.one);
  if (use.one.confirm && !(await ask(use.one.confirm))) {
    use.surface.memory.set(slot(use.block, use.one), before);
    use.surface.redraw?.();
    return;
  }
  const state = remember(use, fields);
  if (use.dispatches) await report(use, { value: heldIn(state) }, true);
}

/** Failures of which the server sends a notice itself. */
const TOLD = ["dispatch_failed", "operation_timeout"];

/** Send a click; what the server says against it becomes a notice. */
async function report({ surface, block, one }, values, confirmed) {
  const wanted = { action_id: one.action_id, block_id: block.block_id, ...values };
  try {
    let answer = await surface.click({ ...wanted, ...(one.confirm && confirmed ? { confirm: true } : {}) });
    if (answer.error === "confirm" && (await ask(answer.confirm)))
      answer = await surface.click({ ...wanted, confirm: true });
    else if (answer.error === "confirm") return;
    if (!answer.ok && !TOLD.includes(answer.error))
      toast(answer.message || `The app did not answer (${answer.error}).`, { error: true });
  } catch (error) {
    toast(`That did not reach the app: ${error.message}`, { error: true });
  }
}

const nameOf = (one, words_) => one.accessibility_label || words_ || null;

function button(use) {
  const { one } = use;
  if (one.visible_to_user_ids?.length && !one.visible_to_user_ids.includes(store.me))
    return h("span", { hidden: true });
  const href = one.url && safeLink(one.url);
  const style = ["primary", "danger"].includes(one.style) ? ` ${one.style}` : "";
  const attributes = {
    class: `btn${style}`,
    "aria-label": one.accessibility_label || null,
    data: { testid: `action-${one.action_id}` },
  };
  const inside = h("span", { class: "btn-words" }, text(one.text));
  const node = href
    ? h("a", { href, target: "_blank", rel: "noopener noreferrer", ...attributes }, inside)
    : h("button", { type: "button", ...attributes }, inside);
  node.addEventListener("click", () => pressed(use, node));
  return node;
}

/** A pressed button waits, disabled, until the app has acknowledged. */
async function pressed(use, node) {
  if (node.classList.contains("is-waiting")) return;
  if (use.one.confirm && !(await ask(use.one.confirm))) return;
  const focused = document.activeElement === node;
  node.classList.add("is-waiting");
  node.setAttribute("aria-busy", "true");
  if (node.tagName === "BUTTON") node.disabled = true;
  const ring = spinner();
  node.append(ring);
  await report(use, use.one.value === undefined ? {} : { value: use.one.value }, true);
  ring.remove();
  node.disabled = false;
  node.classList.remove("is-waiting");
  node.removeAttribute("aria-busy");
  if (focused && node.isConnected && document.activeElement === document.body) node.focus();
}

const groupsOf = (one) => one.option_groups || [{ options: one.options || [] }];
const asOptions = (list) => list.map(({ id, name }) => ({ value: id, text: name }));
const people = () => asOptions(store.state.people.map((p) => ({ id: p.id, name: p.real_name || p.name })));
const channels = () => asOptions(store.state.channels.map((c) => ({ id: c.id, name: `# ${c.name}` })));

/** Where a kind of select has its options from, and how its state holds them. */
const SELECTS = {
  static: { groups: groupsOf, hold: (options) => options },
  external: { hold: (options) => options },
  users: { groups: () => [{ options: people() }], hold: (options) => options.map((o) => o.value) },
  channels: { groups: () => [{ options: channels() }], hold: (options) => options.map((o) => o.value) },
  conversations: {
    groups: () => [
      { label: "Channels", options: channels() },
      { label: "People", options: people() },
    ],
    hold: (options) => options.map((o) => o.value),
  },
};
const FIELDS = {
  static: "option",
  external: "option",
  users: "user",
  channels: "channel",
  conversations: "conversation",
};

function select(kind, many) {
  const { groups, hold } = SELECTS[kind];
  const field = `selected_${FIELDS[kind]}${many ? "s" : ""}`;
  return (use) => {
    const { surface, block, one } = use;
    const external = kind === "external";
    const held = [stateOf(surface, block, one)?.[field] ?? []].flat();
    const known = groups ? groups(one).flatMap((group) => group.options) : [];
    const chosen = held.map((item) =>
      typeof item === "string" ? known.find((o) => o.value === item) || { value: item, text: item } : item,
    );
    const ask_ = async (typed) => {
      const answer = await surface.options({ action_id: one.action_id, block_id: block.block_id, value: typed });
      if (answer.ok === false) throw new Error(answer.message || answer.error);
      return answer.option_groups || [{ options: answer.options || [] }];
    };
    return chooser({
      source: external ? ask_ : (typed) => narrowed(groups(one), typed),
      external,
      least: one.min_query_length ?? 3,
      chosen,
      many,
      most: one.max_selected_items,
      placeholder: words(one.placeholder) || "Choose an option",
      label: use.input?.label,
      testid: `action-${one.action_id}`,
      clearable: Boolean(block.optional),
      changed: (options) => change(use, { [field]: many ? hold(options) : (hold(options)[0] ?? null) }),
    });
  };
}

function overflow(use) {
  const { one } = use;
  const trigger = h(
    "button",
    {
      type: "button",
      class: "btn square",
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      "aria-label": nameOf(one, "More actions"),
      data: { testid: `action-${one.action_id}` },
    },
    icon("dots"),
  );
  trigger.addEventListener("click", () => (isOpen(trigger) ? closePopup() : show()));
  return h("div", { class: "select is-overflow" }, trigger);

  function show() {
    const rows = (one.options || []).map((option) => {
      const row = h(
        "button",
        { type: "button", role: "menuitem", class: "menu-row" },
        h(
          "span",
          { class: "menu-words" },
          h("span", {}, text(option.text)),
          option.description && h("small", {}, text(option.description)),
        ),
      );
      row.addEventListener("click", () => choose(option));
      return row;
    });
    const body = h("div", { class: "menu", role: "menu" }, rows);
    body.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step) rows[(rows.indexOf(document.activeElement) + step + rows.length) % rows.length].focus();
      else if (event.key === "Escape") closePopup({ refocus: true });
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    showPopup(trigger, body);
    rows[0]?.focus();
  }

  async function choose(option) {
    closePopup({ refocus: true });
    if (one.confirm && !(await ask(one.confirm))) return;
    if (option.url && safeLink(option.url)) open(safeLink(option.url), "_blank", "noopener");
    await report(use, { value: option.value }, true);
  }
}

function native(type, field, convert = { out: (v) => v, in: (v) => v ?? "" }) {
  return (use) => {
    const { surface, block, one, input } = use;
    const node = h("input", {
      type,
      class: "field",
      value: convert.in(stateOf(surface, block, one)?.[field]),
      data: { testid: `action-${one.action_id}` },
      "aria-label": input ? null : words(one.placeholder) || type,
      id: input?.id,
      "aria-describedby": input?.describedby,
    });
    node.addEventListener("change", () => change(use, { [field]: node.value ? convert.out(node.value) : null }));
    return node;
  };
}

const seconds = {
  out: (local) => secondsOfLocal(local, zone()),
  in: (value) => (value ? localOfSeconds(value, zone()) : ""),
};

function typed(type, more = () => ({})) {
  return (use) => {
    const { surface, block, one, input } = use;
    const long = one.multiline || one.type === "rich_text_input";
    const value = stateOf(surface, block, one)?.value ?? "";
    const node = h(long ? "textarea" : "input", {
      type: long ? null : type,
      class: "field",
      placeholder: words(one.placeholder) || null,
      id: input?.id,
      "aria-describedby": input?.describedby,
      "aria-label": input ? null : words(one.placeholder) || "Text",
      rows: long ? 4 : null,
      autocomplete: "off",
      data: { testid: `action-${one.action_id}` },
      ...more(one),
    });
    node.value = value;
    const counter = one.max_length ? h("span", { class: "counter", "aria-hidden": "true" }) : null;
    const count = () => counter && (counter.textContent = `${node.value.length} / ${one.max_length}`);
    count();
    wire(use, node, count);
    return counter ? h("div", { class: "counted" }, node, counter) : node;
  };
}

/** Keep each letter; report on Enter, or a moment after the last letter, as the element's configuration says. */
function wire(use, node, count) {
  const when = use.one.dispatch_action_config?.trigger_actions_on || ["on_enter_pressed"];
  const tell = debounce(() => report(use, { value: node.value }, true), 300);
  node.addEventListener("input", () => {
    remember(use, { value: node.value === "" ? null : node.value });
    count();
    if (use.dispatches && when.includes("on_character_entered")) tell();
  });
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || (node.tagName === "TEXTAREA" && !event.metaKey && !event.ctrlKey))
      return;
    if (!use.dispatches || !when.includes("on_enter_pressed")) return;
    event.preventDefault();
    report(use, { value: node.value }, true);
  });
}

function richInput(use) {
  const { surface, block, one, input } = use;
  const node = h("textarea", {
    class: "field",
    rows: 4,
    placeholder: words(one.placeholder) || null,
    id: input?.id,
    "aria-describedby": input?.describedby,
    data: { testid: `action-${one.action_id}` },
  });
  node.value = wordsOfRich(stateOf(surface, block, one)?.rich_text_value);
  const rich = (string) => ({
    type: "rich_text",
    elements: [{ type: "rich_text_section", elements: [{ type: "text", text: string }] }],
  });
  node.addEventListener("input", () => remember(use, { rich_text_value: node.value ? rich(node.value) : null }));
  if (use.dispatches)
    node.addEventListener("change", () => change(use, { rich_text_value: node.value ? rich(node.value) : null }));
  return node;
}

const wordsOfRich = (value) =>
  (value?.elements || []).map((part) => (part.elements || []).map((e) => e.text || "").join("")).join("\n");

/** Checkboxes and radio buttons. */
function ticks(type) {
  return (use) => {
    const { surface, block, one, input } = use;
    const state = stateOf(surface, block, one);
    const on = new Set([state?.selected_options ?? state?.selected_option ?? []].flat().map((option) => option.value));
    const name = freshId("tick");
    const boxes = [];
    const tell = () => {
      const picked = boxes.filter(({ box }) => box.checked).map(({ option }) => option);
      change(use, type === "checkbox" ? { selected_options: picked } : { selected_option: picked[0] ?? null });
    };
    const rows = (one.options || []).map((option) => {
      const box = h("input", { type, name, value: option.value, checked: on.has(option.value), on: { change: tell } });
      boxes.push({ box, option });
      return h(
        "label",
        { class: "tick" },
        box,
        h("span", {}, text(option.text), option.description && h("small", {}, text(option.description))),
      );
    });
    const role = type === "checkbox" ? "group" : "radiogroup";
    return h(
      "div",
      {
        class: "ticks",
        role,
        "aria-label": input?.label,
        "aria-describedby": input?.describedby,
        data: { testid: `action-${one.action_id}` },
      },
      rows,
    );
  };
}

function files(use) {
  const { one, input } = use;
  const list = h("ul", { class: "file-list" });
  const node = h("input", {
    type: "file",
    class: "field",
    multiple: (one.max_files ?? 10) > 1,
    accept: one.filetypes?.map((type) => `.${type}`).join(",") || null,
    id: input?.id,
    data: { testid: `action-${one.action_id}` },
  });
  node.addEventListener("change", async () => {
    const picked = await Promise.all([...node.files].slice(0, one.max_files ?? 10).map(uploaded));
    list.replaceChildren(...picked.map((file) => h("li", {}, icon("file", 16), file.name)));
    change(use, { files: picked });
  });
  return h("div", {}, node, list);
}

/** A file with its content, which the form uploads when it is submitted. */
const uploaded = (file) =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve({ name: file.name, base64: reader.result.split(",")[1] ?? "" }));
    reader.addEventListener("error", () => reject(reader.error));
    reader.readAsDataURL(file);
  });

function feedback(use) {
  const { one } = use;
  const thumb = (side, drawn) => {
    const own = one[`${side}_button`] || {};
    const label = own.accessibility_label || words(own.text) || side;
    return iconic({ ...use, one: { ...one, value: own.value } }, drawn, label, {
      pressed: `${slot(use.block, one)}:${side}`,
    });
  };
  return h("span", { class: "feedback", role: "group" }, thumb("positive", "up"), thumb("negative", "thumbdown"));
}

/** A small button with a drawing; one of several that stay pressed where `pressed` is its place in the memory. */
function iconic(use, drawn, label, { pressed: place } = {}) {
  const { memory } = use.surface;
  const node = h(
    "button",
    {
      type: "button",
      class: "icon-btn",
      title: label,
      "aria-label": label,
      "aria-pressed": place ? String(Boolean(memory.get(place))) : null,
      data: { testid: `action-${use.one.action_id}` },
    },
    icon(drawn),
  );
  node.addEventListener("click", () => {
    if (place) {
      for (const other of node.parentElement.children) other.setAttribute("aria-pressed", String(other === node));
      memory.set(place, true);
    }
    pressed(use, node);
  });
  return node;
}

function iconButton(use) {
  const { one } = use;
  if (one.visible_to_user_ids?.length && !one.visible_to_user_ids.includes(store.me))
    return h("span", { hidden: true });
  return iconic(use, { trash: "trash" }[one.icon] || "pen", one.accessibility_label || words(one.text));
}

const number = (one) => ({ inputmode: one.is_decimal_allowed ? "decimal" : "numeric" });

const MAKERS = {
  button,
  workflow_button: button,
  overflow,
  static_select: select("static", false),
  multi_static_select: select("static", true),
  external_select: select("external", false),
  multi_external_select: select("external", true),
  users_select: select("users", false),
  multi_users_select: select("users", true),
  channels_select: select("channels", false),
  multi_channels_select: select("channels", true),
  conversations_select: select("conversations", false),
  multi_conversations_select: select("conversations", true),
  datepicker: native("date", "selected_date"),
  timepicker: native("time", "selected_time"),
  datetimepicker: native("datetime-local", "selected_date_time", seconds),
  checkboxes: ticks("checkbox"),
  radio_buttons: ticks("radio"),
  plain_text_input: typed("text"),
  email_text_input: typed("email"),
  url_text_input: typed("url"),
  number_input: typed("text", number),
  rich_text_input: richInput,
  file_input: files,
  feedback_buttons: feedback,
  icon_button: iconButton,
  image: ({ one }) => picture(one.image_url || one.slack_file?.url, one.alt_text, { class: "accessory-image" }),
};

const WRONG = {
  required: "Please complete this required field.",
  email: "Please enter a valid email address.",
  url: "Please enter a valid URL, with https://.",
  whole: "Please enter a whole number.",
  number: "Please enter a number.",
};

/** What Slack itself would refuse about an input before the app is asked, or null. */
export function refusal(surface, block) {
  const one = block.element;
  const state = stateOf(surface, block, one);
  if (isEmpty(state)) return block.optional ? null : WRONG.required;
  const value = valueOf(state);
  if (one.min_length && value.length < one.min_length) return `Please enter at least ${one.min_length} characters.`;
  if (one.max_length && value.length > one.max_length) return `Please enter no more than ${one.max_length} characters.`;
  if (one.type === "email_text_input" && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value)) return WRONG.email;
  if (one.type === "url_text_input" && !/^https?:\/\/\S+$/.test(value)) return WRONG.url;
  return one.type === "number_input" ? badNumber(one, value) : null;
}

function badNumber(one, value) {
  if (!/^[+-]?\d+(\.\d+)?$/.test(value)) return one.is_decimal_allowed ? WRONG.number : WRONG.whole;
  if (!one.is_decimal_allowed && value.includes(".")) return WRONG.whole;
  if (one.min_value !== undefined && Number(value) < Number(one.min_value))
    return `Please enter ${one.min_value} or more.`;
  if (one.max_value !== undefined && Number(value) > Number(one.max_value))
    return `Please enter ${one.max_value} or less.`;
  return null;
}
