/** Times as a person sees them: in their own time zone, in Slack's words. */

const FORMATS = new Map();

/** Format a moment in a zone with Intl's options; formatters are kept because building one is slow. */
function format(date, zone, options) {
  const key = `${zone}|${JSON.stringify(options)}`;
  if (!FORMATS.has(key)) {
    let formatter;
    try {
      formatter = new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options });
    } catch {
      formatter = new Intl.DateTimeFormat("en-GB", options);
    }
    FORMATS.set(key, formatter);
  }
  return FORMATS.get(key).format(date);
}

/** The moment of a Slack timestamp. */
export const moment = (ts) => new Date(Number(ts) * 1000);

export const clockTime = (date, zone) => format(date, zone, { hour: "2-digit", minute: "2-digit" });
export const longTime = (date, zone) => format(date, zone, { dateStyle: "full", timeStyle: "medium" });
/** The calendar day in a zone as 2026-01-31. */
export const day = (date, zone) => {
  const parts = format(date, zone, { year: "numeric", month: "2-digit", day: "2-digit" }).split("/");
  return `${parts[2]}-${parts[1]}-${parts[0]}`;
};

let ahead = 0;

/** Tell what moment it is in the sandbox's world, whose clock can be turned. */
export function setWorldTime(date) {
  ahead = date.getTime() - Date.now();
}

/** The moment in the sandbox's world. */
export const worldNow = () => new Date(Date.now() + ahead);

function near(date, zone) {
  const today = day(worldNow(), zone);
  const shift = (days) => day(new Date(worldNow().getTime() + days * 86400000), zone);
  const that = day(date, zone);
  return { [today]: "Today", [shift(-1)]: "Yesterday", [shift(1)]: "Tomorrow" }[that] || null;
}

/** What stands on the divider above a day's messages. */
export function dayLabel(date, zone) {
  return near(date, zone) || format(date, zone, { weekday: "long", day: "numeric", month: "long" });
}

/** "2 minutes ago" and the like. */
export function ago(date) {
  const seconds = (worldNow().getTime() - date.getTime()) / 1000;
  const units = [
    ["year", 31557600],
    ["month", 2629800],
    ["day", 86400],
    ["hour", 3600],
    ["minute", 60],
  ];
  const word = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  for (const [unit, size] of units) {
    if (Math.abs(seconds) >= size) return word.format(-Math.trunc(seconds / size), unit);
  }
  return Math.abs(seconds) < 5 ? "just now" : word.format(-Math.trunc(seconds), "second");
}

/** Slack's date tokens in a `<!date^...>` or a rich_text date; unknown ones stay as they are. */
export function slackDate(timestamp, pattern, zone) {
  const date = moment(timestamp);
  const said = (options) => format(date, zone, options);
  const pretty = (options) => near(date, zone)?.toLowerCase() || said(options);
  const short = { day: "numeric", month: "short", year: "numeric" };
  const middle = { day: "numeric", month: "long", year: "numeric" };
  const long = { weekday: "long", ...middle };
  const tokens = {
    date_num: () => day(date, zone),
    date_slash: () => said({ year: "numeric", month: "2-digit", day: "2-digit" }),
    date: () => said(middle),
    date_short: () => said(short),
    date_long: () => said(long),
    date_long_full: () => said(long),
    date_pretty: () => pretty(middle),
    date_short_pretty: () => pretty(short),
    date_long_pretty: () => pretty(long),
    day_divider_pretty: () => dayLabel(date, zone),
    time: () => clockTime(date, zone),
    time_secs: () => said({ hour: "2-digit", minute: "2-digit", second: "2-digit" }),
    ago: () => ago(date),
  };
  return pattern.replace(/\{(\w+)\}/g, (whole, token) => (tokens[token] ? tokens[token]() : whole));
}

/** A wall-clock time in a zone ("2026-01-31T09:30") as seconds since 1970. */
export function secondsOfLocal(local, zone) {
  const asUtc = Date.parse(`${local.slice(0, 16)}:00Z`);
  const offset = (at) => Date.parse(`${localOfSeconds(at / 1000, zone)}:00Z`) - at;
  let at = asUtc - offset(asUtc);
  at = asUtc - offset(at);
  return Math.round(at / 1000);
}

/** Seconds since 1970 as a wall-clock time in a zone, in the form of a datetime-local input. */
export function localOfSeconds(seconds, zone) {
  const date = new Date(Math.floor(seconds / 60) * 60000);
  return `${day(date, zone)}T${clockTime(date, zone)}`;
}
