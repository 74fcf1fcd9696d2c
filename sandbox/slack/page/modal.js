/** Modals: the top view of this person's stack, its inputs, and what is wrong with them. */
import { act } from "./api.js";
import { blocks } from "./blocks.js";
import { freshId, h } from "./dom.js";
import { hasState, refusal, stateOf } from "./elements.js";
import { icon, spinner } from "./icons.js";
import { closePopup, keepFocusIn, toast } from "./popup.js";
import { forget, memoryOf } from "./store.js";
import { text, words } from "./text.js";

const TROUBLE = "We had some trouble connecting. Try again?";

let shown = null; // {dialog, view, surface, parts}
const seen = new Set(); // ids of views of the present stack

/** Show a view: open the dialog, or draw the open one again, keeping what was typed. */
export function showView(view, stack = 1) {
  const again = shown?.view.id === view.id;
  const dialog = shown?.dialog || opened();
  const focus = again ? focusOf(dialog) : null;
  const scroll = again ? shown.parts.body.scrollTop : 0;
  seen.add(view.id);
  const surface = {
    memory: memoryOf(`view:${view.id}`),
    values: view.state?.values,
    click: (values) => act("click", { view: true, ...values, state: { values: collected(view, surface) } }),
    options: (values) => act("options", { view: true, ...values }),
    redraw: () => showView(view, stack),
    changed: (block) => clearError(block.block_id),
  };
  closePopup();
  const parts = draw(dialog, view, surface, stack);
  shown = { dialog, view, surface, parts };
  parts.body.scrollTop = scroll;
  if (!dialog.open) dialog.showModal();
  if (focus) restore(dialog, focus);
  else queueMicrotask(() => firstField(parts.body)?.focus());
}

/** The stack is empty: take the dialog away. */
export function viewClosed() {
  if (!shown) return;
  const { dialog } = shown;
  shown = null;
  for (const id of seen) forget(`view:${id}`);
  seen.clear();
  closePopup();
  dialog.close();
  dialog.remove();
}

/** Whether a modal is open. */
export const modalOpen = () => Boolean(shown);

/** Put the app's words under the inputs they are about. */
export function viewErrors(errors) {
  if (!shown) return;
  waiting(false);
  let first = null;
  for (const [id, message] of Object.entries(errors || {})) {
    const field = setError(id, message);
    first ||= field;
  }
  if (!first && Object.keys(errors || {}).length) banner(Object.values(errors).join(" "));
  first?.focus();
}

function opened() {
  const dialog = h("dialog", { class: "dialog modal", data: { testid: "modal" } });
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    if (!closePopup({ refocus: true })) close();
  });
  keepFocusIn(dialog);
  document.body.append(dialog);
  return dialog;
}

function draw(dialog, view, surface, stack) {
  const title = freshId("title");
  const list = view.blocks || [];
  const submits = view.submit || list.some((block) => block.type === "input");
  const body = h("div", { class: "modal-body" }, blocks(list, surface));
  const note = h("div", { class: "modal-banner", role: "alert", hidden: true });
  const submit =
    submits &&
    h(
      "button",
      {
        type: "submit",
        class: "btn primary",
        data: { testid: "modal-submit" },
        disabled: view.submit_disabled || false,
      },
      h("span", {}, words(view.submit) || "Submit"),
    );
  const form = h(
    "form",
    { novalidate: true, on: { submit: (event) => (event.preventDefault(), send()) } },
    h(
      "header",
      { class: "modal-head" },
      stack > 1 &&
        h(
          "button",
          { type: "button", class: "icon-btn", "aria-label": "Back to the view before", on: { click: () => close() } },
          icon("back"),
        ),
      h("h2", { id: title }, text(view.title)),
      h(
        "button",
        {
          type: "button",
          class: "icon-btn",
          "aria-label": "Close",
          data: { testid: "modal-x" },
          on: { click: () => close(stack > 1) },
        },
        icon("close"),
      ),
    ),
    note,
    body,
    h(
      "footer",
      { class: "dialog-foot" },
      h(
        "button",
        { type: "button", class: "btn", data: { testid: "modal-close" }, on: { click: () => close() } },
        words(view.close) || (submits ? "Cancel" : "Close"),
      ),
      submit,
    ),
    h("div", { class: "toasts" }),
  );
  dialog.setAttribute("aria-labelledby", title);
  dialog.replaceChildren(form);
  return { body, note, submit };
}

/** The state of every element of the view that has one, by block and action. */
function collected(view, surface) {
  const values = {};
  for (const block of view.blocks || []) {
    for (const one of [block.element, block.accessory, ...(block.type === "actions" ? block.elements : [])]) {
      if (hasState(one)) (values[block.block_id] ||= {})[one.action_id] = stateOf(surface, block, one);
    }
  }
  return values;
}

async function send() {
  const { view, surface, parts } = shown;
  parts.note.hidden = true;
  const wrong = {};
  for (const block of view.blocks || []) {
    if (block.type !== "input") continue;
    clearError(block.block_id);
    const message = refusal(surface, block);
    if (message) wrong[block.block_id] = message;
  }
  if (Object.keys(wrong).length) {
    viewErrors(wrong);
    return;
  }
  waiting(true);
  try {
    const answer = await act("submit", { state: { values: collected(view, surface) } });
    if (answer.ok) waiting(false);
    else if (answer.errors) viewErrors(answer.errors);
    else fail(answer.message || TROUBLE);
  } catch (error) {
    fail(`${TROUBLE} (${error.message})`);
  }
}

/** Say in the open modal what went wrong with it. */
export function fail(message) {
  waiting(false);
  banner(message);
}

function banner(message) {
  if (!shown) return;
  shown.parts.note.hidden = false;
  shown.parts.note.replaceChildren(icon("warning", 16), h("span", {}, message));
}

function waiting(on) {
  const button = shown?.parts.submit;
  if (!button) return;
  button.disabled = on;
  button.classList.toggle("is-waiting", on);
  button.toggleAttribute("aria-busy", on);
  button.querySelector(".spinner")?.remove();
  if (on) button.append(spinner("Sending"));
}

async function close(clear = false) {
  try {
    await act("close", clear ? { clear: true } : {});
  } catch (error) {
    viewClosed();
    toast(`The view was closed here only: ${error.message}`, { error: true });
  }
}

const rowOf = (id) => shown?.parts.body.querySelector(`[data-block-id="${CSS.escape(id)}"]`);
const firstField = (node) =>
  node.querySelector(".block-input :is(input, textarea, .select-control)") ||
  node.querySelector("input, textarea, button");

function setError(id, message) {
  const row = rowOf(id);
  const place = row?.querySelector(".field-error");
  if (!place) return null;
  place.hidden = false;
  place.replaceChildren(icon("warning", 14), h("span", {}, message));
  row.classList.add("has-error");
  const field = firstField(row);
  field?.setAttribute("aria-invalid", "true");
  return field;
}

function clearError(id) {
  const row = rowOf(id);
  if (!row?.classList.contains("has-error")) return;
  row.classList.remove("has-error");
  row.querySelector(".field-error").hidden = true;
  row.querySelector("[aria-invalid]")?.removeAttribute("aria-invalid");
}

/** Where the focus and the caret are, to put them back into the view drawn anew. */
function focusOf(dialog) {
  const at = document.activeElement;
  if (!dialog.contains(at)) return null;
  const id = at.closest("[data-testid]")?.dataset.testid;
  const range = "selectionStart" in at && at.type !== "email" ? [at.selectionStart, at.selectionEnd] : null;
  return { id, block: at.closest("[data-block-id]")?.dataset.blockId, range };
}

function restore(dialog, { id, block, range }) {
  const within = (block && dialog.querySelector(`[data-block-id="${CSS.escape(block)}"]`)) || dialog;
  const target = (id && within.querySelector(`[data-testid="${CSS.escape(id)}"]`)) || firstField(within);
  target?.focus({ preventScroll: true });
  if (range && range[0] !== null && target?.setSelectionRange && ["text", "textarea", "url"].includes(target.type))
    target.setSelectionRange(...range);
}
