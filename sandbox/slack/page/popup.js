/** What opens above the page: menus beside a control, questions to answer first, and short notices. */
import { freshId, h } from "./dom.js";
import { icon } from "./icons.js";
import { text, words } from "./text.js";

let open = null;

/** Close the menu that is open; whether one was. */
export function closePopup({ refocus = false } = {}) {
  if (!open) return false;
  const { anchor, body, closed } = open;
  open = null;
  anchor.setAttribute("aria-expanded", "false");
  body.remove();
  if (refocus && anchor.isConnected) anchor.focus();
  closed?.();
  return true;
}

/** Whether the menu of this control is open. */
export const isOpen = (anchor) => open?.anchor === anchor;

/**
 * Show `body` beside `anchor`, above everything. It goes into the anchor's own parent, because a modal dialog makes
 * all else inert.
 */
export function showPopup(anchor, body, { closed, width } = {}) {
  closePopup();
  body.setAttribute("popover", "manual");
  body.classList.add("popup");
  if (width) body.style.setProperty("--popup-width", width);
  anchor.after(body);
  body.showPopover?.();
  open = { anchor, body, closed };
  anchor.setAttribute("aria-expanded", "true");
  placePopup();
}

/** Put the open menu below its control, or above it where there is no room. */
export function placePopup() {
  if (!open) return;
  const { anchor, body } = open;
  if (!anchor.isConnected) {
    closePopup();
    return;
  }
  const at = anchor.getBoundingClientRect();
  const size = body.getBoundingClientRect();
  const below = innerHeight - at.bottom;
  const top = below < size.height + 12 && at.top > below ? Math.max(8, at.top - size.height - 4) : at.bottom + 4;
  body.style.setProperty("--top", `${Math.round(top)}px`);
  body.style.setProperty("--left", `${Math.round(Math.max(8, Math.min(at.left, innerWidth - size.width - 8)))}px`);
  body.style.setProperty("--least", `${Math.round(at.width)}px`);
}

document.addEventListener("pointerdown", ({ target }) => {
  if (open && !open.body.contains(target) && !open.anchor.contains(target)) closePopup();
});
document.addEventListener("scroll", ({ target }) => open && !open.body.contains(target) && placePopup(), true);
addEventListener("resize", placePopup);

/** Keep the focus inside a dialog: after its last control comes its first, not the browser's own buttons. */
export function keepFocusIn(dialog) {
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== "Tab") return;
    const wanted = "a[href], button, input, select, textarea, summary, [tabindex='0']";
    const all = [...dialog.querySelectorAll(wanted)].filter(
      (one) => !one.disabled && one.tabIndex >= 0 && one.checkVisibility(),
    );
    const [from, to] = event.shiftKey ? [all[0], all.at(-1)] : [all.at(-1), all[0]];
    const group = (one) => one?.type === "radio" && document.activeElement?.name === one.name;
    if (document.activeElement !== from && !group(from)) return;
    event.preventDefault();
    to.focus();
  });
}

/**
 * Ask a Slack confirm object's question; true when the person confirms. Esc, the backdrop and the deny button are no.
 */
export function ask(confirm) {
  const title = freshId("confirm");
  const yes = words(confirm.confirm) || "Yes";
  const no = words(confirm.deny) || "Cancel";
  return new Promise((resolve) => {
    const dialog = h(
      "dialog",
      { class: "dialog confirm", "aria-labelledby": title, data: { testid: "confirm" } },
      h("h2", { id: title }, text(confirm.title || "Are you sure?")),
      h("div", { class: "confirm-text" }, text(confirm.text)),
      h(
        "div",
        { class: "dialog-foot" },
        h(
          "button",
          { type: "button", class: "btn", data: { testid: "confirm-deny" }, on: { click: () => dialog.close("no") } },
          no,
        ),
        h(
          "button",
          {
            type: "button",
            class: `btn ${confirm.style === "danger" ? "danger" : "primary"}`,
            autofocus: true,
            data: { testid: "confirm-ok" },
            on: { click: () => dialog.close("yes") },
          },
          yes,
        ),
      ),
    );
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close("no"));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    keepFocusIn(dialog);
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** A short notice at the head of the page; errors stay longer and interrupt a screen reader. */
export function toast(message, { error = false } = {}) {
  const note = h(
    "div",
    { class: `toast${error ? " is-error" : ""}`, role: error ? "alert" : "status" },
    icon(error ? "warning" : "info"),
    h("span", {}, message),
  );
  const gone = () => note.remove();
  note.append(
    h(
      "button",
      { type: "button", class: "icon-btn small", "aria-label": "Dismiss", on: { click: gone } },
      icon("close", 14),
    ),
  );
  const place = document.getElementById("toasts");
  ([...document.querySelectorAll("dialog[open] .toasts")].at(-1) || place).append(note);
  setTimeout(gone, error ? 9000 : 4500);
}
