/** The sandbox's own HTTP interface, and the stream of events from it. */
import { store } from "./store.js";

/** An answer that is not a 2xx, with its status and the server's words. */
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Ask for JSON; `Refused` when the server says no, another Error when it can't be reached. */
export async function call(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  }).catch((cause) => {
    // Each browser has words of its own for this, such as "Failed to fetch".
    throw new Error("the sandbox does not answer.", { cause });
  });
  const type = response.headers.get("Content-Type") || "";
  const answer = type.includes("json") ? await response.json() : { error: await response.text() };
  if (!response.ok) throw new Refused(response.status, answer.error || response.statusText);
  return answer;
}

const query = (values) => new URLSearchParams(Object.entries(values).filter(([, value]) => value)).toString();

/** Read under /sandbox/slack as the person the page acts as. */
export const read = (name, values = {}) => call("GET", `/sandbox/slack/${name}?${query({ as: store.me, ...values })}`);

/** Do something under /sandbox/slack as the person the page acts as. */
export const act = (name, values = {}) => call("POST", `/sandbox/slack/${name}`, { as: store.me, ...values });

/**
 * Listen to a person's events until the returned function is called. `back` is called each time the stream opens,
 * the first time included, `lost` when it breaks; it is opened again with growing pauses.
 */
export function listen(as, { event, back, lost }) {
  let source = null;
  let timer = 0;
  let pause = 500;
  let ended = false;
  const open = () => {
    source = new EventSource(`/sandbox/slack/events?${query({ as })}`);
    source.onopen = () => {
      pause = 500;
      back();
    };
    source.onmessage = ({ data }) => event(JSON.parse(data));
    source.onerror = () => {
      source.close();
      if (ended) return;
      lost();
      timer = setTimeout(open, pause);
      pause = Math.min(pause * 2, 8000);
    };
  };
  open();
  return () => {
    ended = true;
    clearTimeout(timer);
    source.close();
  };
}
