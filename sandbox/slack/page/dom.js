/** Building DOM nodes. Text from apps and people only ever becomes a text node or an attribute, never markup. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * One element. `attributes` takes attributes; `class`, `data` (dataset), `on` (listeners), `style` (properties) and
 * `props` (set as properties) are special. Falsy children are left out.
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  assign(element, attributes);
  element.append(...children.flat(Infinity).filter((child) => child || child === 0));
  return element;
}

/** One SVG element. */
export function s(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  assign(element, attributes);
  element.append(...children.flat(Infinity).filter(Boolean));
  return element;
}

function assign(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name === "style") for (const [key, v] of Object.entries(value)) element.style.setProperty(key, v);
    else if (name === "props") Object.assign(element, value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
}

/** A document fragment of nodes and strings. */
export function fragment(...children) {
  const result = document.createDocumentFragment();
  result.append(...children.flat(Infinity).filter((child) => child || child === 0));
  return result;
}

/** An address that may be opened from text written by an app, or null: no scripts, no data. */
export function safeLink(address) {
  try {
    const url = new URL(address, location.href);
    return ["http:", "https:", "mailto:", "tel:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** A link that opens beside the page, or plain text when the address is not one to open. */
export function link(address, ...children) {
  const href = safeLink(address);
  if (!href) return h("span", {}, ...children);
  return h("a", { href, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

/** A picture that gives way to its alternative text when it can't be loaded, as offline. */
export function picture(address, alt, attributes = {}) {
  const href = safeLink(address);
  const instead = () =>
    h("span", { class: "picture-missing", role: "img", "aria-label": alt || "image" }, alt || "image");
  if (!href) return instead();
  const image = h("img", { src: href, alt: alt || "", loading: "lazy", referrerpolicy: "no-referrer", ...attributes });
  image.addEventListener("error", () => image.replaceWith(instead()), { once: true });
  return image;
}

let serial = 0;

/** An id that no other element has. */
export function freshId(stem = "e") {
  serial += 1;
  return `${stem}-${serial}`;
}

/** Call `work` once `wait` milliseconds after the last call. */
export function debounce(work, wait) {
  let timer = 0;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...args), wait);
  };
}
