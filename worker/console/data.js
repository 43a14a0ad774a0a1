// Texts that devices, models and brokers choose: they stay in their own place, whatever they hold.

import { t } from "./language.js";
import { html } from "./vendor/preact.js";

/** Longest text in a cell, and in the note that a pointer gets, in UTF-16 units. */
const CELL = 200;
const NOTE = 2000;

const cut = (text, most) => (text.length > most ? `${text.slice(0, most)}…` : text);

/** Such a text on one line. Its direction ends with it, and what is drawn above or below a line is cut off. */
export const Data = ({ text }) => {
  const whole = String(text ?? "–");
  return html`<bdi class="data" title=${whole.length > CELL ? cut(whole, NOTE) : null}>${cut(whole, CELL)}</bdi>`;
};

/** Links to a page about each model. */
export const Names = ({ page, models, chosen }) => html`<nav aria-label=${t("models")}>
  ${models.map(({ name }) => html`<a href=${`#/${page}/${encodeURIComponent(name)}`} aria-current=${name === chosen ? "page" : null}>
    <${Data} text=${name} />
  </a>`)}
</nav>`;
