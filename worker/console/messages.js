// Examples of messages, each beside what the model made of it.

import { want } from "./connection.js";
import { Data, known, Names } from "./data.js";
import { explain } from "./explain.js";
import { count, date, time } from "./format.js";
import { t } from "./language.js";
import { html, useEffect, useState } from "./vendor/preact.js";

const textOf = (part) => part.text ?? `base64: ${part.base64}`;

const Part = ({ label, part }) => html`<figure>
  <figcaption class="soft">${label}${part.cut ? ` ${t("messages.cut", { size: count(part.size) })}` : ""}</figcaption>
  <pre class="data" tabindex="0" role="region" aria-label=${label}>${textOf(part)}</pre>
</figure>`;

const Made = ({ exchange }) => {
  const { outcome, result, error, reason, traceback } = exchange;
  if (outcome === "result") return html`<${Part} label=${t("messages.result")} part=${result} />`;
  if (outcome === "empty") return html`<p class="soft">${t("messages.empty")}</p>`;
  return html`<div><p class="fault">${reason}: <${Data} text=${error} /></p>
    ${traceback && html`<${Part} label=${t("messages.traceback")} part=${{ text: traceback }} />`}</div>`;
};

const isJson = (part) => {
  try {
    JSON.parse(part.text);
    return !part.cut;
  } catch {
    return false;
  }
};

/** A golden sample of the message and its result, as a file: the texts as they are, so that no number changes. */
const Sample = ({ exchange }) => {
  const { message, result, number } = exchange;
  if (!result || !isJson(message) || !isJson(result)) return null;
  const text = `{"event": ${message.text}, "result": ${result.text}}\n`;
  const url = `data:application/json;charset=utf-8,${encodeURIComponent(text)}`;
  return html`<a href=${url} download=${`sample-${number}.json`}>${t("messages.sample")}</a>`;
};

const Outcome = ({ exchange }) => {
  const { outcome, deadLetter } = exchange;
  const name = deadLetter ? "dead_lettered" : { result: "published", empty: "empty", failed: "failed" }[outcome];
  return html`<span class=${`pill ${outcome === "failed" ? "bad" : "good"}`}>${t(outcome === "result" ? "messages.returned" : `last.${name}`)}</span>`;
};

const Exchange = ({ exchange }) => html`<article>
  <p><span title=${date(exchange.at)}>${time(exchange.at / 1000)}</span> <${Outcome} exchange=${exchange} />${" "}
    <strong><${Data} text=${exchange.device} /></strong> <span class="soft"><${Data} text=${exchange.topic} /></span></p>
  <div class="sides">
    <${Part} label=${t("messages.message")} part=${exchange.message} />
    <${Made} exchange=${exchange} />
  </div>
  <p class="links">
    <a href="#/why" onClick=${() => explain(exchange.message.text ?? "", exchange.topic)}>${t("why")}</a>
    <${Sample} exchange=${exchange} />
  </p>
</article>`;

const KINDS = {
  all: () => true,
  results: (exchange) => exchange.outcome !== "failed",
  failed: (exchange) => exchange.outcome === "failed",
  letters: (exchange) => exchange.deadLetter,
};

const has = (exchange, search) =>
  [exchange.device, exchange.topic, exchange.message.text, exchange.result?.text, exchange.error].some((text) =>
    text?.toLowerCase().includes(search),
  );

const List = ({ exchanges, kind, search }) => {
  const shown = exchanges.filter((exchange) => KINDS[kind](exchange) && has(exchange, search));
  return html`${shown.length === 0 && html`<p>${t("messages.none")}</p>`}
    ${shown.map((exchange) => html`<${Exchange} key=${exchange.number} exchange=${exchange} />`)}`;
};

export const Messages = ({ state, exchanges, only }) => {
  const [kind, setKind] = useState("all");
  const [search, setSearch] = useState("");
  const [held, setHeld] = useState(null);
  const name = only ?? state.models[0]?.name ?? "";
  useEffect(() => {
    if (state.authenticated) want(`?messages=${encodeURIComponent(name)}`);
    setHeld(null);
    return () => want("");
  }, [name, state.authenticated]);
  if (!state.authenticated) return html`<section><h2>${t("messages")}</h2><p>${t("messages.closed")}</p></section>`;
  const newest = (held ?? exchanges).toReversed();
  return html`<section aria-labelledby="messages">
    <h2 id="messages">${t("messages")}</h2>
    <p class="soft">${t("messages.note")}</p>
    ${state.models.length > 1 && html`<${Names} page="messages" models=${state.models} chosen=${name} />`}
    <form class="tools" onSubmit=${(event) => event.preventDefault()}>
      <span><label for="kind">${t("messages.kind")}</label>
        <select id="kind" value=${kind} onChange=${(event) => setKind(event.target.value)}>
          ${Object.keys(KINDS).map((one) => html`<option value=${one} selected=${one === kind}>${t(`messages.kind.${one}`)}</option>`)}
        </select></span>
      <span class="spring"><label for="search">${t("search")}</label>
        <input id="search" type="search" class="wide" value=${search} onInput=${(event) => setSearch(event.target.value)} /></span>
      <button type="button" aria-pressed=${held !== null} onClick=${() => setHeld(held ? null : exchanges)}>
        ${t(held ? "messages.go" : "messages.hold")}</button>
    </form>
    ${!known(state, name) && html`<p>${t("model.unknown", { name })}</p>`}
    <${List} exchanges=${newest} kind=${kind} search=${search.trim().toLowerCase()} />
  </section>`;
};
