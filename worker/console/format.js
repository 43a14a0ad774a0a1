// Numbers, times and sizes in the viewer's language.

import { language } from "./language.js";

const number = (options) => (value) =>
  value === null || value === undefined ? "–" : new Intl.NumberFormat(language(), options).format(value);

export const count = number({ maximumFractionDigits: 0 });
export const rate = number({ maximumFractionDigits: 1 });
export const milliseconds = number({ maximumSignificantDigits: 3 });
export const percent = number({ style: "percent", maximumFractionDigits: 0 });

export const mebibytes = (bytes) => (bytes === null || bytes === undefined ? "–" : `${rate(bytes / 1048576)} MiB`);

export const time = (seconds) => new Date(seconds * 1000).toLocaleTimeString(language());

export const date = (text) => new Date(text).toLocaleString(language());
