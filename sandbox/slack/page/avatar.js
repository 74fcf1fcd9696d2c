/** Faces: initials on a colour for people, a drawn one for the app. */
import { h, s } from "./dom.js";
import { icon } from "./icons.js";
import { avatarOf, isApp } from "./store.js";

const robot = () =>
  s(
    "svg",
    { viewBox: "0 0 36 36", "aria-hidden": "true" },
    s("path", { d: "M9 13.5 18 9l9 4.5-9 4.500z", fill: "#ffffff" }),
    s("path", { d: "M9 16.200v7.300L17.2 27.600v-7.300z", fill: "#bfe6df" }),
    s("path", { d: "M27 16.200v7.300l-8.2 4.100v-7.300z", fill: "#8fd0c5" }),
  );

/** The square face of a person or the app. */
export function avatar(id, kind = "") {
  if (isApp(id)) return h("span", { class: `avatar is-app ${kind}`, "aria-hidden": "true" }, robot());
  const { colour, initials } = avatarOf(id);
  return h("span", { class: `avatar ${kind}`, "aria-hidden": "true", style: { "--face": colour } }, initials);
}

/** The face of the workspace's own notices. */
export const noticeAvatar = () => h("span", { class: "avatar is-notice", "aria-hidden": "true" }, icon("bell", 20));
