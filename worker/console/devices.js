// The devices that a model has seen lately, and messages that no model takes.

import { want } from "./connection.js";
import { Data, known, Names } from "./data.js";
import { explain } from "./explain.js";
import { ago, count, date, fineRate } from "./format.js";
import { t } from "./language.js";
import { html, useEffect, useState } from "./vendor/preact.js";

/** Rows that are drawn until a viewer wants all. */
const ROWS = 100;

const Outcome = ({ device }) => {
  if (device.quarantined) return html`<span class="pill bad">${t("device.quarantined")}</span>`;
  if (!device.last) return html`<span class="soft">–</span>`;
  const kind = { published: "good", empty: "good", failed: "bad", dead_lettered: "bad" }[device.last] ?? "warn";
  return html`<span class=${`pill ${kind}`}>${t(`last.${device.last}`)}</span>`;
};

const LastError = ({ error }) => html`<span title=${date(error.at)}>${error.reason}</span>: <${Data} text=${error.message} kind="wide" />`;

const Row = ({ device, now }) => html`<tr>
  <td><${Data} text=${device.name} kind="name" /></td>
  <td title=${device.seen ? date(device.seen) : null}>${device.seen ? ago(now - device.seen / 1000) : t("device.silent")}</td>
  <td class="n">${fineRate(device.rate)}</td>
  <td class="n">${count(device.received)}</td>
  <td><${Outcome} device=${device} /></td>
  <td class="n">${count(device.failed)}</td>
  <td>${device.error && html`<${LastError} error=${device.error} />`}</td>
</tr>`;

const Seen = ({ devices, now, search }) => {
  const [all, setAll] = useState(false);
  const found = devices.filter((device) => device.name.toLowerCase().includes(search));
  const shown = all ? found : found.slice(0, ROWS);
  return html`<p class="soft">${t("devices.count", { found: count(found.length), all: count(devices.length) })}</p>
    <div class="scroll" tabindex="0" role="region" aria-label=${t("devices")}>
      <table>
        <thead><tr>
          <th>${t("device")}</th><th>${t("last.seen")}</th><th class="n">${t("rate")}</th><th class="n">${t("received")}</th>
          <th>${t("last")}</th><th class="n">${t("device.errors")}</th><th>${t("last.error")}</th>
        </tr></thead>
        <tbody>${shown.map((device) => html`<${Row} key=${device.name} device=${device} now=${now} />`)}</tbody>
      </table>
    </div>
    ${shown.length < found.length &&
    html`<p><button type="button" onClick=${() => setAll(true)}>${t("devices.all", { count: count(found.length) })}</button></p>`}`;
};

/** Messages that cannot be decoded and are of no device, the last one of each topic. */
const undecodable = (rules) => {
  const last = rules.flatMap((rule) => rule.undecodable.last);
  const byTopic = new Map(last.map(({ topic, at, message, excerpt }) => [topic, { topic, seen: Date.parse(at), why: message, said: excerpt && [excerpt] }]));
  return [...byTopic.values()];
};

/** Why a message cannot be decoded, or the link to its explanation, as far as the viewer may see it. */
const Why = ({ found }) => found.why ? html`<${Data} text=${found.why} kind="wide" />` : html`<a href="#/why" onClick=${() => explain(found.payload ?? "", found.topic)}>${t("why")}</a>`;

const Unclaimed = ({ unclaimed, now, search }) => {
  const texts = (found) => [found.topic, ...(found.said ?? [])];
  const shown = unclaimed.filter((found) => texts(found).some((text) => text.toLowerCase().includes(search)));
  return html`<section aria-labelledby="unclaimed">
    <h2 id="unclaimed">${t("unclaimed")}</h2>
    <p class="soft">${t("unclaimed.note")}</p>
    ${shown.length === 0 && html`<p>${t("none")}</p>`}
    ${shown.length > 0 &&
    html`<div class="scroll" tabindex="0" role="region" aria-label=${t("unclaimed")}>
      <table>
        <thead><tr><th>${t("topic")}</th><th>${t("last.seen")}</th><th>${t("unclaimed.said")}</th><th>${t("unclaimed.why")}</th></tr></thead>
        <tbody>
          ${shown.map((found) => html`<tr key=${[found.why, ...texts(found)].join("\n")}>
            <td><${Data} text=${found.topic} kind="wide" /></td>
            <td title=${date(found.seen)}>${ago(now - found.seen / 1000)}</td>
            <td>${found.said ? found.said.map((text) => html`<div><${Data} text=${text} kind="wide" /></div>`) : html`<span class="soft">${t("authenticate")}</span>`}</td>
            <td><${Why} found=${found} /></td>
          </tr>`)}
        </tbody>
      </table>
    </div>`}
  </section>`;
};

export const Devices = ({ state, only }) => {
  const [search, setSearch] = useState("");
  const name = only ?? state.models[0]?.name ?? "";
  useEffect(() => {
    want(`?devices=${encodeURIComponent(name)}`);
    return () => want("");
  }, [name]);
  const devices = state.devices?.model === name ? state.devices.seen : null;
  const wanted = search.trim().toLowerCase();
  return html`<section aria-labelledby="devices">
      <h2 id="devices">${t("devices")}</h2>
      ${state.models.length > 1 && html`<${Names} page="devices" models=${state.models} chosen=${name} />`}
      <label for="search">${t("search")}</label>
      <input id="search" type="search" class="wide" value=${search} onInput=${(event) => setSearch(event.target.value)} />
      ${devices && html`<${Seen} devices=${devices} now=${state.now} search=${wanted} />`}
      ${!devices && html`<p>${known(state, name) ? t("connecting") : t("model.unknown", { name })}</p>`}
    </section>
    ${state.unclaimed && html`<${Unclaimed} unclaimed=${[...state.unclaimed, ...undecodable(state.rules)]} now=${state.now} search=${wanted} />`}`;
};
