// Why a model gets a message, or does not.

import { request } from "./connection.js";
import { Data } from "./data.js";
import { t } from "./language.js";
import { html, useEffect, useState } from "./vendor/preact.js";

let asked = { message: "", topic: "" };

/** What the page explains when it is opened next. */
export const explain = (message, topic) => (asked = { message, topic });

const ask = async (message, topic) => {
  const response = await request(`console/explain?topic=${encodeURIComponent(topic)}`, { method: "POST", body: message });
  return response.ok ? { explanation: await response.json() } : { error: await response.text() };
};

const Attribute = ({ attribute }) => html`<li>
  <span class=${`pill ${attribute.matched ? "good" : "bad"}`}>${t(attribute.matched ? "holds" : "fails")}</span>
  ${" "}<code><${Data} text=${attribute.condition} /></code>
  ${attribute.why && html`<div class="soft"><${Data} text=${attribute.why} /></div>`}
</li>`;

const Device = ({ device }) => html`<h3>${t(device.matched ? "device.matches" : "device.differs", { name: device.name })}</h3>
  <ul class="plain">${device.attributes.map((attribute) => html`<${Attribute} attribute=${attribute} />`)}</ul>`;

const Model = ({ model }) => html`<section>
  <h2>
    ${model.name}${" "}
    <span class=${`pill ${model.device ? "good" : "bad"}`}>
      ${model.device ? t("gets", { device: model.device }) : t("gets.not")}
    </span>
  </h2>
  ${model.refused && html`<p>${t("explain.refused")} ${model.refused}</p>`}
  ${model.undecodable && html`<p>${t("explain.undecodable")} ${model.undecodable}</p>`}
  ${model.devices.map((device) => html`<${Device} device=${device} />`)}
</section>`;

const Rules = ({ rules }) => html`<section>
  <h2>${t("rules")}</h2>
  <ul class="plain">
    ${rules.map((rule) => html`<li>
      <span class=${`pill ${rule.receives ? "good" : "bad"}`}>${t(rule.receives ? "rule.receives" : "rule.receives.not")}</span>
      ${" "}<code>${rule.subscription}</code>
    </li>`)}
  </ul>
</section>`;

export const Explain = () => {
  const [message, setMessage] = useState(asked.message);
  const [topic, setTopic] = useState(asked.topic);
  const [answer, setAnswer] = useState({});
  useEffect(() => {
    if (message) submit();
    explain("", "");
  }, []);
  const submit = async (event) => {
    event?.preventDefault();
    try {
      setAnswer(await ask(message, topic));
    } catch (error) {
      setAnswer({ error: String(error) });
    }
  };
  const { explanation, error } = answer;
  return html`<section>
      <h2>${t("why")}</h2>
      <form onSubmit=${submit}>
        <label for="message">${t("why.message")}</label>
        <textarea id="message" spellcheck="false" value=${message} onInput=${(event) => setMessage(event.target.value)} />
        <label for="topic">${t("why.topic")}</label>
        <input id="topic" class="wide" value=${topic} onInput=${(event) => setTopic(event.target.value)} />
        <p><button class="main" type="submit">${t("why.ask")}</button></p>
      </form>
      <div aria-live="polite">${error && html`<p class="fault">${error}</p>`}</div>
    </section>
    ${explanation && topic && html`<${Rules} rules=${explanation.rules} />`}
    ${explanation && explanation.models.map((model) => html`<${Model} model=${model} />`)}`;
};
