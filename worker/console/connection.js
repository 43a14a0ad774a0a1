// The stream of the worker's state. It is read by fetch, since an EventSource cannot send a token.

const KEY = "edgemodel.token";
const LONGEST_PAUSE = 5000;

/** Examples of messages that went well, and of those that failed, as the worker keeps them of a model. */
const EXCHANGES = 20;

/** An hour, as the worker keeps it. */
const POINTS = 360;

let token = sessionStorage.getItem(KEY) ?? "";

export const useToken = (text) => {
  token = text.trim();
  sessionStorage.setItem(KEY, token);
};

export const request = (path, options = {}) => {
  const headers = token ? { ...options.headers, Authorization: `Bearer ${token}` } : options.headers;
  return fetch(path, { ...options, headers });
};

let wanted = "";
let reading = new AbortController();

/** Asks for what a page needs beside the state, as the query of the stream. */
export const want = (query) => {
  if (query === wanted) return;
  wanted = query;
  reading.abort();
};

/**
 * Calls `show` with `{state, before, history, exchanges, lostSince, denied}` at each change, for as long as the page lives. `before` is the
 * state a few seconds ago, for rates.
 */
export const watch = async (show) => {
  let seen = [];
  let history = [];
  let exchanges = [];
  let lostSince = null;
  let pause = 500;
  const tell = (more) => show({ state: seen.at(-1), before: seen[0], history, exchanges, lostSince, denied: false, ...more });
  const take = (state) => {
    if (seen.length > 0 && seen[0].started !== state.started) {
      // Another worker: its counters began again.
      seen = [];
      history = [];
    }
    seen = [...seen, state].slice(-6);
    history = state.models.map((_, index) => longer(history[index] ?? [], state.history[index] ?? []));
    exchanges = newest([...exchanges, ...(state.messages?.new ?? [])]);
    lostSince = null;
    pause = 500;
    tell({});
  };
  for (;;) {
    const asked = wanted;
    reading = new AbortController();
    try {
      const response = await request(`console/state${asked}`, { signal: reading.signal });
      if (response.status === 401) {
        tell({ denied: true });
        await new Promise((resume) => addEventListener("edgemodel-token", resume, { once: true }));
        continue;
      }
      if (!response.ok) throw new Error(await response.text());
      exchanges = [];
      await events(response.body, take);
    } catch {
      // Said below, and tried again.
    }
    if (asked !== wanted) continue;
    lostSince ??= Date.now() / 1000;
    tell({});
    await new Promise((resume) => setTimeout(resume, pause));
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  }
};

/** The last examples of either kind, so that many failures leave some results. */
const newest = (exchanges) => {
  const of = (failed) => exchanges.filter(({ outcome }) => (outcome === "failed") === failed).slice(-EXCHANGES);
  return [...of(false), ...of(true)].sort((a, b) => a.number - b.number);
};

/** Points after those that are there: a stream begins with all that the worker has. */
const longer = (points, more) => {
  const last = points.at(-1)?.at ?? 0;
  return [...points, ...more.filter((point) => point.at > last)].slice(-POINTS);
};

const events = async (body, take) => {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const event = text.slice(0, end);
      text = text.slice(end + 2);
      if (event.startsWith("data: ")) take(JSON.parse(event.slice(6)));
    }
  }
};

/** How often a second a counter of a model grew lately. */
export const rateOf = (now, before, index, counter) => {
  const seconds = now && before ? now.now - before.now : 0;
  if (seconds <= 0 || !before.models[index]) return null;
  return Math.max(0, (counter(now.models[index]) - counter(before.models[index])) / seconds);
};
