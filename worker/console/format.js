// Numbers, times and sizes in the viewer's language.

import { language } from "./language.js";

/** A maker of formats that makes each once for a language: tables have thousands of cells. */
const kept = (make) => {
  const made = new Map();
  return () => {
    if (!made.has(language())) made.set(language(), make(language()));
    return made.get(language());
  };
};

const number = (options) => {
  const format = kept((words) => new Intl.NumberFormat(words, options));
  return (value) => (value === null || value === undefined ? "–" : format().format(value));
};

export const count = number({ maximumFractionDigits: 0 });
export const rate = number({ maximumFractionDigits: 1 });
export const fineRate = number({ maximumSignificantDigits: 2 });
export const milliseconds = number({ maximumSignificantDigits: 3 });
export const percent = number({ style: "percent", maximumFractionDigits: 0 });

export const mebibytes = (bytes) => (bytes === null || bytes === undefined ? "–" : `${rate(bytes / 1048576)} MiB`);

export const time = (seconds) => new Date(seconds * 1000).toLocaleTimeString(language());

export const date = (moment) => new Date(moment).toLocaleString(language());

const relative = kept((words) => new Intl.RelativeTimeFormat(words, { numeric: "auto" }));
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

/** How long ago something was, in the largest unit. */
export const ago = (seconds) => {
  const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? ["second", 1];
  return relative().format(-Math.max(0, Math.floor(seconds / size)), unit);
};
