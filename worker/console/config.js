// A form that writes a configuration. What is wrong with it the worker says, beside each field.

import { request } from "./connection.js";
import { Data } from "./data.js";
import { Fields } from "./form.js";
import { t } from "./language.js";
import { html, useEffect, useState } from "./vendor/preact.js";

/** How long the form waits for the next key before it asks the worker, in milliseconds. */
const PAUSE = 300;

/** A configuration to begin with. */
const EMPTY = { mqtts: [{}], rules: [{ sub: {}, pub: {} }], funcs: [{ devices: [{}] }] };

const ask = async (path, options) => {
  const response = await request(path, options);
  if (!response.ok) throw new Error(await response.text());
  return response.json();
};

const check = (text) => ask("console/check", { method: "POST", body: text });

const Verdict = ({ checked }) => {
  const { problems, refused } = checked;
  if (problems.length > 0) return html`<span class="pill bad">${t("config.problems", { count: problems.length })}</span>`;
  if (refused.length > 0) return html`<span class="pill warn">${t("config.refused", { count: refused.length })}</span>`;
  return html`<span class="pill good">${t("config.valid")}</span>`;
};

const Problems = ({ problems }) => html`<ul class="plain">
  ${problems.map(({ path, line, message, remedy }) => html`<li class="fault">
    <code><${Data} text=${path === "document" && line ? `${t("config.line")} ${line}` : path} /></code>${" "}
    <${Data} text=${message} />${" "}<span class="soft"><${Data} text=${remedy ?? ""} /></span>
  </li>`)}
</ul>`;

const Output = ({ yaml }) => html`<section aria-labelledby="yaml">
  <h2 id="yaml">YAML</h2>
  <p><a download="config.yaml" href=${`data:text/yaml;charset=utf-8,${encodeURIComponent(yaml)}`}>${t("config.download")}</a></p>
  <pre class="data" tabindex="0" role="region" aria-label="YAML">${yaml}</pre>
</section>`;

export const Config = () => {
  const [panel, setPanel] = useState(null);
  const [value, setValue] = useState(EMPTY);
  const [checked, setChecked] = useState(null);
  const [error, setError] = useState("");
  useEffect(() => {
    ask("console/panel").then(setPanel, (failure) => setError(String(failure)));
  }, []);
  useEffect(() => {
    let current = true;
    const show = (answer) => current && (setChecked(answer), setError(""));
    const later = setTimeout(() => check(JSON.stringify(value)).then(show, (failure) => setError(String(failure))), PAUSE);
    return () => {
      current = false;
      clearTimeout(later);
    };
  }, [value]);
  const open = async (event) => {
    const [file] = event.target.files;
    if (!file) return;
    try {
      const opened = await check(await file.text());
      setChecked(opened);
      if (opened.value && typeof opened.value === "object") setValue(opened.value);
    } catch (failure) {
      setError(String(failure));
    }
  };
  if (!panel) return html`<section><p>${error || t("connecting")}</p></section>`;
  const problems = [...(checked?.problems ?? []), ...(checked?.refused ?? [])];
  return html`<section aria-labelledby="config">
      <h2 id="config">${t("config")} ${checked && html`<${Verdict} checked=${checked} />`}</h2>
      <p class="soft">${t("config.note")}</p>
      ${error && html`<p class="fault">${error}</p>`}
      <label for="file">${t("config.open")}</label>
      <input id="file" type="file" accept=".yaml,.yml,.json" onChange=${open} />
      ${problems.length > 0 && html`<${Problems} problems=${problems} />`}
    </section>
    <section><form onSubmit=${(event) => event.preventDefault()}>
      <${Fields} schema=${panel.schema} path="" value=${value} problems=${problems} onChange=${setValue} />
    </form></section>
    ${checked?.yaml && html`<${Output} yaml=${checked.yaml} />`}`;
};
