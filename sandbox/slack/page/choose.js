/** Select menus: one or several choices, fixed or asked from the app, with search and keyboard. */
import { debounce, freshId, h } from "./dom.js";
import { icon, spinner } from "./icons.js";
import { closePopup, isOpen, placePopup, showPopup } from "./popup.js";
import { text, words } from "./text.js";

const PAUSE = 250;

/**
 * A select menu.
 *
 * `source(typed)` gives groups of options (a promise for external ones); `chosen` is the list of options in force;
 * `changed(list)` is told of every change. An external source says with `least` how many letters it needs.
 */
export function chooser({
  source,
  external,
  least,
  chosen,
  many,
  most,
  placeholder,
  label,
  testid,
  clearable,
  changed,
  disabled,
}) {
  let picked = [...chosen];
  const control = h("button", {
    type: "button",
    class: "select-control",
    "aria-haspopup": "listbox",
    "aria-expanded": "false",
    disabled,
    data: { testid },
    "aria-label": null,
  });
  const root = h("div", { class: `select${many ? " is-many" : ""}` }, control);
  const menu = menuOf();

  draw();
  control.addEventListener("click", () => (isOpen(control) ? closePopup() : show()));
  control.addEventListener("keydown", (event) => {
    if (event.key === "Backspace" && many && picked.length) set(picked.slice(0, -1));
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") show();
    else if (event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey)
      show(event.key);
    else return;
    event.preventDefault();
  });
  return root;

  function draw() {
    const names = picked.map((option) => words(option.text));
    control.setAttribute("aria-label", [label, names.join(", ") || placeholder].filter(Boolean).join(": "));
    const shown = many
      ? picked.map((option) => h("span", { class: "chip" }, text(option.text), removal(option)))
      : picked.map((option) => h("span", { class: "select-value" }, text(option.text)));
    control.replaceChildren(
      ...(shown.length ? shown : [h("span", { class: "placeholder" }, placeholder)]),
      h("span", { class: "select-arrow" }, icon("down", 16)),
    );
  }

  function removal(option) {
    const drop = (event) => {
      event.stopPropagation();
      set(picked.filter((one) => one.value !== option.value));
    };
    return h(
      "span",
      { class: "chip-x", title: `Remove ${words(option.text)}`, on: { click: drop } },
      icon("close", 12),
    );
  }

  function set(list) {
    picked = list;
    draw();
    placePopup();
    changed(picked);
  }

  function show(typed = "") {
    const { body, input, load } = menu;
    input.value = typed;
    showPopup(control, body, { closed: () => input.blur() });
    input.focus();
    load();
  }

  function pick(option) {
    if (!many) {
      set([option]);
      closePopup({ refocus: true });
      return;
    }
    const without = picked.filter((one) => one.value !== option.value);
    if (without.length < picked.length) set(without);
    else if (!most || picked.length < most) set([...picked, option]);
    menu.refresh();
  }

  /** The search field and the list below it. */
  function menuOf() {
    const listId = freshId("list");
    const input = h("input", {
      type: "text",
      role: "combobox",
      "aria-controls": listId,
      "aria-expanded": "true",
      "aria-autocomplete": "list",
      autocomplete: "off",
      spellcheck: "false",
      placeholder: external ? "Type to search" : "Filter",
      "aria-label": `Search ${label || "options"}`,
    });
    const keepFocus = (event) => event.preventDefault();
    const list = h("ul", {
      on: { mousedown: keepFocus },
      id: listId,
      role: "listbox",
      "aria-label": label || placeholder,
      "aria-multiselectable": many ? "true" : null,
    });
    const body = h("div", { class: "menu" }, h("div", { class: "menu-search" }, icon("search", 16), input), list);
    let options = [];
    let active = 0;
    let asked = 0;
    let groups = [];

    const say = (content) => {
      options = [];
      list.replaceChildren(h("li", { class: "menu-note", role: "presentation" }, content));
      placePopup();
    };

    const fill = () => {
      options = [];
      const rows = [];
      for (const group of groups) {
        if (group.label && group.options.length)
          rows.push(h("li", { class: "menu-group", role: "presentation" }, text(group.label)));
        for (const option of group.options) rows.push(row(option));
      }
      if (!options.length) {
        say("No matches");
        return;
      }
      if (clearable && picked.length && !many && !input.value) rows.push(clearing());
      list.replaceChildren(...rows);
      move(
        Math.max(
          0,
          options.findIndex(({ option }) => picked.some((one) => one.value === option.value)),
        ),
      );
      placePopup();
    };

    const row = (option) => {
      const at = options.length;
      const on = picked.some((one) => one.value === option.value);
      const node = h(
        "li",
        {
          id: freshId("option"),
          role: "option",
          class: "menu-row",
          "aria-selected": String(on),
          on: { click: () => pick(option), pointermove: () => active !== at && move(at, false) },
        },
        h("span", { class: "menu-tick" }, on && icon("check", 15)),
        h(
          "span",
          { class: "menu-words" },
          h("span", {}, text(option.text)),
          option.description && h("small", {}, text(option.description)),
        ),
      );
      options.push({ option, node });
      return node;
    };

    const clearing = () =>
      h(
        "li",
        {
          class: "menu-row is-clear",
          role: "presentation",
          on: { click: () => (set([]), closePopup({ refocus: true })) },
        },
        "Clear selection",
      );

    const move = (to, scroll = true) => {
      options[active]?.node.classList.remove("is-active");
      active = Math.max(0, Math.min(to, options.length - 1));
      const node = options[active]?.node;
      if (!node) return;
      node.classList.add("is-active");
      input.setAttribute("aria-activedescendant", node.id);
      if (scroll) node.scrollIntoView({ block: "nearest" });
    };

    const load = async () => {
      const typed = input.value;
      if (external && typed.length < least) {
        asked += 1;
        say(least - typed.length === 1 ? "Type one more letter" : `Type ${least - typed.length} more letters`);
        return;
      }
      asked += 1;
      const mine = asked;
      if (external) say(h("span", { class: "menu-wait" }, spinner(), "Loading…"));
      try {
        const found = await source(typed);
        if (mine !== asked) return;
        groups = found;
        fill();
      } catch (error) {
        if (mine === asked) say(`The app gave no options: ${error.message}`);
      }
    };

    const keys = {
      ArrowDown: () => move(active + 1 >= options.length ? 0 : active + 1),
      ArrowUp: () => move(active ? active - 1 : options.length - 1),
      Home: () => move(0),
      End: () => move(options.length - 1),
      Enter: () => options[active] && pick(options[active].option),
      Escape: () => closePopup({ refocus: true }),
    };
    input.addEventListener("keydown", (event) => {
      if (event.key === "Tab") closePopup({ refocus: true });
      if (!keys[event.key]) return;
      event.preventDefault();
      event.stopPropagation();
      keys[event.key]();
    });
    input.addEventListener("input", external ? debounce(load, PAUSE) : load);
    return { body, input, load, refresh: () => (external ? fill() : load()) };
  }
}

/** Groups of options narrowed to those whose words hold what is typed. */
export function narrowed(groups, typed) {
  const wanted = typed.trim().toLowerCase();
  const fits = (option) =>
    words(option.text).toLowerCase().includes(wanted) || words(option.description).toLowerCase().includes(wanted);
  return groups.map(({ label, options }) => ({ label, options: options.filter(fits) }));
}
