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

/** The words for `key`, with `{name}` replaced by `values.name`. */
export const t = (key, values = {}) => {
  const words = WORDS[chosen][key] ?? en[key] ?? key;
  return words.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
};

/** The words for `key` in this language, or `otherwise`. */
export const or = (key, otherwise) => WORDS[chosen][key] ?? otherwise;

document.documentElement.lang = chosen === "zh" ? "zh-CN" : "en";
