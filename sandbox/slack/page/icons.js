/** The page's own drawings, and drawn versions of the emoji that bots use most, so that they show without an emoji font. */
import { h, s } from "./dom.js";

const STROKES = {
  hash: ["M9 4 7 20", "M17 4l-2 16", "M4.5 9h16", "M3.5 15h16"],
  lock: ["M6 11h12v9H6z", "M8.5 11V8a3.5 3.5 0 0 1 7 0v3"],
  shared: ["M8 7a4 4 0 1 0 0 8", "M16 17a4 4 0 1 0 0-8", "M9 15l6-6"],
  home: ["M4 11.5 12 5l8 6.5", "M6.5 10v9h11v-9", "M10 19v-5h4v5"],
  back: ["M14.5 5 7.5 12l7 7"],
  close: ["M6 6l12 12", "M18 6 6 18"],
  send: ["M4 4.5 20.5 12 4 19.5l2.2-7.5z", "M6.5 12h7"],
  globe: [
    "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17z",
    "M3.5 12h17",
    "M12 3.5c5 5 5 12 0 17",
    "M12 3.5c-5 5-5 12 0 17",
  ],
  chevron: ["M9 6l6 6-6 6"],
  down: ["M6 9.5l6 6 6-6"],
  dots: ["M6 12h.01", "M12 12h.01", "M18 12h.01"],
  search: ["M10.5 4.5a6 6 0 1 0 0 12 6 6 0 0 0 0-12z", "M15 15l5 5"],
  check: ["M5 12.5l4.5 4.5L19 7.5"],
  thread: ["M5 5h14v10h-7l-4 4v-4H5z"],
  eye: [
    "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z",
    "M12 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z",
  ],
  bell: ["M6 17V11a6 6 0 0 1 12 0v6z", "M4 17h16", "M10.5 20.5h3"],
  clock: ["M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17z", "M12 7.5V12l3.5 2"],
  trash: ["M5 7h14", "M9.5 7V4.5h5V7", "M7 7l1 13h8l1-13"],
  up: ["M7 11v9H4v-9z", "M7 11l4-7c2 0 2.5 1.5 2 3.5L12.5 10H19l-1.5 8.5c-.2 1-.8 1.5-2 1.5H7"],
  thumbdown: ["M7 13V4H4v9z", "M7 13l4 7c2 0 2.5-1.5 2-3.5L12.5 14H19l-1.5-8.5C17.3 4.5 16.7 4 15.5 4H7"],
  info: ["M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17z", "M12 11v5.5", "M12 7.700h.01"],
  warning: ["M12 4 2.8 19.500h18.400z", "M12 10v4.5", "M12 17h.01"],
  file: ["M7 3.500h7l4 4V20.500H7z", "M14 3.500V8h4"],
  pen: ["M4 20l1-4L16.5 4.500l3 3L8 19z"],
  plug: ["M9 3v5", "M15 3v5", "M6.5 8h11v3a5.5 5.5 0 0 1-11 0z", "M12 16.500V21"],
  slash: ["M15.5 4 8.5 20"],
  play: ["M8 5l11 7-11 7z"],
  refresh: ["M19 12a7 7 0 1 1-2-5", "M19 4v4h-4"],
};

/** A line drawing of the page's own set; decorative, so hidden from assistive technology. */
export function icon(name, size = 18) {
  const paths = (STROKES[name] || STROKES.info).map((d) => s("path", { d }));
  return s(
    "svg",
    {
      viewBox: "0 0 24 24",
      width: size,
      height: size,
      fill: "none",
      stroke: "currentColor",
      "stroke-width": 1.8,
      "stroke-linecap": "round",
      "stroke-linejoin": "round",
      "aria-hidden": "true",
      class: "icon",
    },
    paths,
  );
}

const disc = (fill, ...more) => [s("circle", { cx: 12, cy: 12, r: 10, fill }), ...more];
const line = (d, stroke = "#fff", width = 2.6) =>
  s("path", { d, stroke, "stroke-width": width, fill: "none", "stroke-linecap": "round", "stroke-linejoin": "round" });
const shape = (d, fill) => s("path", { d, fill });
const box = (fill, ...more) => [s("rect", { x: 2, y: 2, width: 20, height: 20, rx: 4, fill }), ...more];

const hourglass = (sand) => [
  shape("M6 2h12v2l-4.5 8 4.5 8v2H6v-2l4.5-8L6 4z", "#b9c4d0"),
  shape(sand, "#d99a2b"),
  line("M5.5 2.500h13M5.5 21.500h13", "#7b5b3a", 2.4),
];

const DRAWN = {
  white_check_mark: () => box("#2aa564", line("M7 12.500l3.5 3.500L17.5 8.5")),
  heavy_check_mark: () => [line("M4.5 13l5 5L20 6.5", "#2aa564", 3.4)],
  ballot_box_with_check: () => box("#3b7dd8", line("M7 12.500l3.5 3.500L17.5 8.5")),
  x: () => [line("M5 5l14 14M19 5 5 19", "#d8394c", 4)],
  negative_squared_cross_mark: () => box("#2aa564", line("M7.5 7.500l9 9M16.5 7.500l-9 9")),
  warning: () => [shape("M12 2 1 21.500h22z", "#f2b51d"), line("M12 9v6M12 18.300v.1", "#3d2f05", 2.4)],
  information_source: () => box("#3b7dd8", line("M12 11v6M12 7.300v.1", "#fff", 2.6)),
  no_entry: () => disc("#d8394c", line("M7 12h10", "#fff", 3.4)),
  no_entry_sign: () => [
    s("circle", { cx: 12, cy: 12, r: 9, fill: "none", stroke: "#d8394c", "stroke-width": 3 }),
    line("M6 6l12 12", "#d8394c", 3),
  ],
  red_circle: () => disc("#dd3b45"),
  large_orange_circle: () => disc("#ee8a1c"),
  large_yellow_circle: () => disc("#f2c230"),
  large_green_circle: () => disc("#37a862"),
  large_blue_circle: () => disc("#3c82e0"),
  large_purple_circle: () => disc("#9460d4"),
  large_brown_circle: () => disc("#8a5a3c"),
  white_circle: () => [
    s("circle", { cx: 12, cy: 12, r: 9.3, fill: "#f1f4f7", stroke: "#b6c1cc", "stroke-width": 1.4 }),
  ],
  black_circle: () => disc("#2b3138"),
  large_red_square: () => box("#dd3b45"),
  large_green_square: () => box("#37a862"),
  large_yellow_square: () => box("#f2c230"),
  large_blue_square: () => box("#3c82e0"),
  white_square: () => [
    s("rect", { x: 3, y: 3, width: 18, height: 18, rx: 3, fill: "#f1f4f7", stroke: "#b6c1cc", "stroke-width": 1.4 }),
  ],
  hourglass: () => hourglass("M8 20h8l-4-5z"),
  hourglass_flowing_sand: () => hourglass("M8.5 7h7L12 12.500zM9 20h6l-3-4z"),
  lock: () => [shape("M4.5 10.500h15V21h-15z", "#e0a526"), line("M8 10V7.500a4 4 0 0 1 8 0V10", "#8d99a6", 2.4)],
  bell: () => [
    shape("M5 17V11a7 7 0 0 1 14 0v6l1.5 2h-17z", "#e8b02e"),
    s("circle", { cx: 12, cy: 20.6, r: 2, fill: "#b67f13" }),
  ],
  mag: () => [
    s("circle", { cx: 10, cy: 10, r: 6.3, fill: "#cfe4f7", stroke: "#5d6b79", "stroke-width": 2.2 }),
    line("M15 15l6 6", "#5d6b79", 3.2),
  ],
  eyes: () =>
    [6.5, 17.5].flatMap((x) => [
      s("ellipse", { cx: x, cy: 12, rx: 5, ry: 7.5, fill: "#f7f9fb", stroke: "#8d99a6", "stroke-width": 1.4 }),
      s("circle", { cx: x - 1.5, cy: 13, r: 2.6, fill: "#31404f" }),
    ]),
  raised_hand: () => [
    shape("M7 12.500h10.500V17a5.250 5.250 0 0 1-10.500 0z", "#f2bf3c"),
    line("M8.3 15V6M11.200 13V3.500M14.100 13V4.500M16.600 14V7M8 17.500 4.6 13.500", "#f2bf3c", 2.5),
  ],
  thumbsup: () => [
    shape("M3 11h4.5v10H3z", "#3c82e0"),
    shape(
      "M8.5 20V11l4-8.500c2.500-.500 3.600 1.500 2.500 6.500h5.500c1.400 0 1.800 1 1.500 2.500l-1.700 8c-.300 1-.900 1.500-2 1.500H10z",
      "#f2bf3c",
    ),
  ],
  grey_question: () => [line("M8 8.500a4 4 0 1 1 5.500 3.700c-1.200.6-1.500 1.300-1.500 2.800M12 19.500v.1", "#98a4b0", 3.2)],
  heavy_minus_sign: () => [line("M4.5 12h15", "#7d8a98", 3.6)],
  zzz: () => [line("M3 12h7l-7 9h7M13 4h7l-7 8h7", "#3c82e0", 2.2)],
  small_red_triangle: () => [shape("M12 4.500 21 19.500H3z", "#dd3b45")],
  arrow_right: () => box("#3b7dd8", line("M6.5 12h11M13 7.500l4.500 4.500-4.500 4.500", "#fff", 2.4)),
  rocket: () => [
    shape("M12 1.500c4 3 5 7 4.5 12h-9C7 8.5 8 4.5 12 1.500z", "#cfd8e1"),
    s("circle", { cx: 12, cy: 8, r: 2, fill: "#3b7dd8" }),
    shape("M7.5 11 4 16v2l4-2zM16.5 11 20 16v2l-4-2z", "#d8394c"),
    shape("M9.5 14.500h5L12 22z", "#f2a71d"),
  ],
  package: () => [shape("M3 7l9-4 9 4v10l-9 4-9-4z", "#c8925a"), line("M3 7l9 4 9-4M12 11v10", "#8a5a2c", 1.6)],
  gear: () => [
    ...[0, 45, 90, 135].map((turn) =>
      s("rect", { x: 10, y: 1.5, width: 4, height: 21, rx: 1, fill: "#8693a1", transform: `rotate(${turn} 12 12)` }),
    ),
    s("circle", { cx: 12, cy: 12, r: 7, fill: "#8693a1" }),
    s("circle", { cx: 12, cy: 12, r: 3, fill: "#e9eef3" }),
  ],
  wrench: () => [
    line("M5 19 14 10", "#7d8a98", 4),
    shape("M13 11a5 5 0 0 1 7-6.500l-3.5 3.2 2 2L22 6.500a5 5 0 0 1-9 4.500z", "#7d8a98"),
  ],
  arrows_counterclockwise: () =>
    box(
      "#3b7dd8",
      line("M7 10a5.5 5.5 0 0 1 10 0M17 14a5.5 5.5 0 0 1-10 0M17 6.500V10h-3.500M7 17.500V14h3.5", "#fff", 1.9),
    ),
  pencil2: () => [
    shape("M3 21l1.5-5.500L16 4l4 4L8.5 19.500z", "#e8a92e"),
    shape("M3 21l1.5-5.500L8.5 19.500z", "#4b3a1c"),
  ],
  clock: () =>
    disc(
      "#e9eef3",
      s("circle", { cx: 12, cy: 12, r: 9, fill: "none", stroke: "#7d8a98", "stroke-width": 2 }),
      line("M12 7v5l3.5 2", "#39434d", 1.9),
    ),
  construction: () => [
    shape("M2 6h20v7H2z", "#f2b51d"),
    line("M5 13l4-7M11 13l4-7M17 13l4-7", "#31363c", 2.2),
    line("M6 13v7M18 13v7", "#7d8a98", 2.2),
  ],
  rotating_light: () => [
    shape("M6 18v-6a6 6 0 0 1 12 0v6z", "#dd3b45"),
    shape("M4 18h16v4H4z", "#7d8a98"),
    line("M12 1.500v2M4 5l1.5 1.500M20 5l-1.5 1.5", "#ee8a1c", 2),
  ],
  zap: () => [shape("M13.5 1 4 14h6.500L9 23l10-13.500h-6.500z", "#f2b51d")],
  key: () => [
    s("circle", { cx: 7.5, cy: 12, r: 4, fill: "none", stroke: "#e0a526", "stroke-width": 3 }),
    line("M11.5 12H21v3.500M17 12v3", "#e0a526", 3),
  ],
};

const SAME = {
  "+1": "thumbsup",
  checked: "white_check_mark",
  heavy_multiplication_x: "x",
  circle_red: "red_circle",
  red_square: "large_red_square",
  alarm_clock: "clock",
  stopwatch: "clock",
  timer_clock: "clock",
  clock1: "clock",
  clock3: "clock",
  repeat: "arrows_counterclockwise",
  orange_circle: "large_orange_circle",
  yellow_circle: "large_yellow_circle",
  green_circle: "large_green_circle",
  blue_circle: "large_blue_circle",
  large_white_circle: "white_circle",
  cog: "gear",
  hammer_and_wrench: "wrench",
  purple_circle: "large_purple_circle",
  brown_circle: "large_brown_circle",
  closed_lock_with_key: "lock",
  mag_right: "mag",
  green_square: "large_green_square",
  yellow_square: "large_yellow_square",
  blue_square: "large_blue_square",
};

/** The drawn form of an emoji, or null when the page has none. */
export function drawnEmoji(name) {
  const draw = DRAWN[SAME[name] || name];
  if (!draw) return null;
  const svg = s("svg", { viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" }, draw());
  return h(
    "span",
    { class: "emoji", role: "img", "aria-label": `${name.replaceAll("_", " ")} emoji`, title: `:${name}:` },
    svg,
  );
}

/** The ring, tick or cross at the left of a task. */
export function taskState(status) {
  const label =
    { pending: "Pending", in_progress: "In progress", complete: "Complete", error: "Error" }[status] || "Pending";
  const inside = {
    complete: [
      s("circle", { cx: 10, cy: 10, r: 9, class: "fill" }),
      s("path", { d: "M6 10.300l2.7 2.700L14 7.6", class: "mark" }),
    ],
    error: [
      s("circle", { cx: 10, cy: 10, r: 9, class: "fill" }),
      s("path", { d: "M7 7l6 6M13 7l-6 6", class: "mark" }),
    ],
    in_progress: [
      s("circle", { cx: 10, cy: 10, r: 8, class: "track" }),
      s("path", { d: "M10 2a8 8 0 0 1 8 8", class: "turning" }),
    ],
  }[status] || [s("circle", { cx: 10, cy: 10, r: 8, class: "track dashed" })];
  const svg = s("svg", { viewBox: "0 0 20 20", width: 20, height: 20, "aria-hidden": "true" }, inside);
  return h("span", { class: `task-state is-${status}`, role: "img", "aria-label": label, title: label }, svg);
}

/** A turning ring for what is under way. */
export function spinner(label = "Waiting") {
  return h("span", { class: "spinner", role: "img", "aria-label": label });
}
