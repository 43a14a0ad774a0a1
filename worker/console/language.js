// The viewer's language: the browser's, or the one that was chosen here.

import en from "./words-en.js";
import zh from "./words-zh.js";

const WORDS = { en, zh };
const KEY = "edgemodel.language";

const stored = () => {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
};

let chosen = WORDS[stored()] ? stored() : navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";

export const language = () => chosen;

export const choose = (name) => {
  chosen = name;
  document.documentElement.lang = name === "zh" ? "zh-CN" : "en";
  try {
    localStorage.setItem(KEY, name);
  } catch {
    // The choice then ends with the page.
  }
};

/** Characters that change the direction of what follows them, and the longest text within a sentence. */
const DIRECTIONS = /[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/g;
const LONGEST = 200;

/** What a device, a model or a broker chose, for the middle of a sentence. */
const quoted = (value) => {
  const text = String(value).replace(DIRECTIONS, "\ufffd");
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
};

/** The words for `key`, with `{name}` replaced by `values.name`. */
export const t = (key, values = {}) => {
  const words = WORDS[chosen][key] ?? en[key] ?? key;
  return words.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? quoted(values[name]) : whole));
};

/** The words for `key` in this language, or `otherwise`. */
export const or = (key, otherwise) => WORDS[chosen][key] ?? otherwise;

document.documentElement.lang = chosen === "zh" ? "zh-CN" : "en";
