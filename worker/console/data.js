// Texts that devices, models and brokers choose: they stay in their own place, whatever they hold.

import { t } from "./language.js";
import { html } from "./vendor/preact.js";

/** Longest text in a cell, and in the note that a pointer gets, in UTF-16 units. */
const CELL = 200;
const NOTE = 2000;

const cut = (text, most) => (text.length > most ? `${text.slice(0, most)}…` : text);

/** Such a text; the kinds `wide` and `name` have a least width. Its direction ends with it, and what it would draw above or below its lines is cut off. */
export const Data = ({ text, most = CELL, kind = "" }) => {
  const whole = String(text ?? "–");
  return html`<bdi class=${`data ${kind}`} title=${whole.length > most ? cut(whole, NOTE) : null}>${cut(whole, most)}</bdi>`;
};

/** A text of ours with `code` set apart, and links as their words. */
export const Marked = ({ text }) =>
  text
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .split("`")
    .map((part, index) => (index % 2 ? html`<code>${part}</code>` : part));

/** Whether there is a model of this name. */
export const known = (state, name) => state.models.some((model) => model.name === name);

/** Links to a page about each model. */
export const Names = ({ page, models, chosen }) => html`<nav aria-label=${t("models")}>
  ${models.map(({ name }) => html`<a href=${`#/${page}/${encodeURIComponent(name)}`} aria-current=${name === chosen ? "page" : null}>
    <${Data} text=${name} />
  </a>`)}
</nav>`;
