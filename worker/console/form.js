// The fields of a schema: objects, lists, texts, numbers, choices. A field that is empty is left out.

import { Data, Marked } from "./data.js";
import { language, t } from "./language.js";
import { html } from "./vendor/preact.js";

const pathTo = (path, key) => (typeof key === "number" ? `${path}[${key}]` : path ? `${path}.${key}` : key);

const isEmpty = (value) =>
  value === undefined ||
  value === "" ||
  (Array.isArray(value) ? value.length === 0 : value !== null && typeof value === "object" && Object.keys(value).length === 0);

/** The object with another value of a key, or without the key if the value is empty. */
const withValue = (object, key, value) => {
  const { [key]: _, ...others } = object ?? {};
  if (isEmpty(value)) return others;
  return key in (object ?? {}) ? { ...object, [key]: value } : { ...others, [key]: value };
};

const Problems = ({ id, problems, path }) =>
  problems
    .filter((problem) => problem.path === path)
    .map((problem) => html`<div class="fault" id=${`${id}-problem`}><${Data} text=${problem.message} most=${500} />${" "}
      <span class="soft"><${Data} text=${problem.remedy ?? ""} /></span></div>`);

const Input = ({ schema, id, value, described, onChange }) => {
  const common = { id, "aria-describedby": described };
  const read = (event) => onChange(event.target.value);
  if (schema.enum?.some((choice) => choice.includes("://"))) {
    // Addresses are examples: others are as good.
    return html`<input ...${common} class="wide" list=${`${id}-examples`} value=${value ?? ""} onInput=${read} />
      <datalist id=${`${id}-examples`}>${schema.enum.map((choice) => html`<option value=${choice} />`)}</datalist>`;
  }
  if (schema.enum || schema.type === "boolean") {
    const names = schema.enum ?? ["true", "false"];
    const choose = (event) => onChange(schema.enum || !event.target.value ? event.target.value : event.target.value === "true");
    const chosen = value === undefined ? "" : String(value);
    return html`<select ...${common} value=${chosen} onChange=${choose}>
      ${["", ...names].map((name) => html`<option value=${name} selected=${name === chosen}>${name || "–"}</option>`)}
    </select>`;
  }
  if (schema.type === "number") {
    const number = (event) => onChange(event.target.value === "" ? "" : Number(event.target.value));
    return html`<input ...${common} class="wide" type="number" step="any" value=${value ?? ""} onInput=${number} />`;
  }
  return html`<input ...${common} class="wide" spellcheck="false" value=${value ?? ""} onInput=${read} />`;
};

/** The titles of the panel are Chinese. */
const titleOf = ({ title }, name) => (language() === "zh" && title && title !== name ? ` ${title}` : "");

const Label = ({ schema, name, required }) => html`<code>${name}</code>${titleOf(schema, name)}${required ? " *" : ""}`;

const About = ({ schema, id }) => html`<div class="soft about" id=${id}><${Marked} text=${schema.description ?? ""} /></div>`;

const Field = ({ schema, name, path, value, required, problems, onChange }) => {
  const id = `field-${path}`;
  const mine = problems.some((problem) => problem.path === path);
  return html`<div class="field">
    <label for=${id}><${Label} schema=${schema} name=${name} required=${required} /></label>
    <${Input} schema=${schema} id=${id} value=${value} described=${mine ? `${id}-problem` : `${id}-about`} onChange=${onChange} />
    <${About} schema=${schema} id=${`${id}-about`} />
    <${Problems} id=${id} problems=${problems} path=${path} />
  </div>`;
};

const List = ({ schema, name, path, value, problems, onChange }) => {
  const items = Array.isArray(value) ? value : [];
  const set = (index, item) => onChange(items.with(index, item));
  const one = schema.items.type === "object" ? {} : "";
  return html`<fieldset>
    <legend><${Label} schema=${schema} name=${name} /></legend>
    <${About} schema=${schema} />
    <${Problems} id=${`field-${path}`} problems=${problems} path=${path} />
    ${items.map((item, index) => html`<div class="item" key=${index}>
      <${Any} schema=${schema.items} name=${`${name}[${index}]`} path=${pathTo(path, index)} value=${item} problems=${problems}
        onChange=${(changed) => set(index, changed)} />
      <button type="button" onClick=${() => onChange(items.toSpliced(index, 1))}>${t("config.remove", { name: `${name}[${index}]` })}</button>
    </div>`)}
    <button type="button" onClick=${() => onChange([...items, one])}>${t("config.add", { name })}</button>
  </fieldset>`;
};

const Any = (properties) => {
  const { schema, name, path } = properties;
  if (schema.type === "array") return html`<${List} ...${properties} />`;
  if (schema.type !== "object") return html`<${Field} ...${properties} />`;
  if (!schema.properties) return null;
  return html`<fieldset><legend><${Label} schema=${schema} name=${name} /></legend>
    <${Problems} id=${`field-${path}`} problems=${properties.problems} path=${path} /><${Fields} ...${properties} /></fieldset>`;
};

/** The fields of an object: first those that are needed or known from pyboot, then the others. */
export const Fields = ({ schema, path, value, problems, onChange }) => {
  const object = value !== null && typeof value === "object" && !Array.isArray(value) ? value : {};
  const needed = new Set(schema.required ?? []);
  const isFirst = ([name, field]) => needed.has(name) || Boolean(field.title);
  const fields = Object.entries(schema.properties);
  const others = fields.filter((field) => !isFirst(field));
  const inside = ([name]) => name in object || problems.some((problem) => problem.path.startsWith(pathTo(path, name)));
  const draw = ([name, field]) => html`<${Any} key=${name} schema=${field} name=${name} path=${pathTo(path, name)} value=${object[name]}
    required=${needed.has(name)} problems=${problems} onChange=${(changed) => onChange(withValue(object, name, changed))} />`;
  return html`${fields.filter(isFirst).map(draw)}
    ${others.length > 0 &&
    html`<details open=${others.some(inside)}><summary>${t("config.more", { count: others.length })}</summary>${others.map(draw)}</details>`}`;
};
