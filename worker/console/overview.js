// The first page: what is wrong, what flows, and numbers that add up.

import { Charts } from "./charts.js";
import { Data, Marked } from "./data.js";
import { faultsOf } from "./faults.js";
import { count } from "./format.js";
import { t } from "./language.js";
import { Pipeline } from "./pipeline.js";
import { html } from "./vendor/preact.js";

/** Every outcome of the ledger, in the order of the columns: together they are what was received. */
const OUTCOMES = ["published", "empty", "unmatched", "failed", "dead_lettered", "dropped", "in_flight"];

/** Longest text of a fault, in UTF-16 units: a refusal lists problems. */
const FAULT = 1000;

export const Fault = ({ fault }) => html`<div class=${`fault ${fault.minor ? "minor" : ""}`}>
  <p><strong>${fault.title}</strong></p>
  ${fault.text && html`<p><${Data} text=${fault.text} most=${FAULT} /></p>`}
  ${fault.remedy && html`<p class="soft">${t("remedy")} <${Marked} text=${fault.remedy} /></p>`}
</div>`;

const Ledger = ({ models }) => html`<div class="scroll" tabindex="0" role="region" aria-label=${t("ledger")}>
  <table>
    <thead>
      <tr>
        <th>${t("model")}</th><th class="n">${t("received")}</th>
        ${OUTCOMES.map((outcome) => html`<th class="n">${t(`outcome.${outcome}`)}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${models.map((model) => html`<tr>
        <td>${model.name}</td><td class="n">${count(model.ledger.received)}</td>
        ${OUTCOMES.map((outcome) => html`<td class="n">${count(model.ledger[outcome])}</td>`)}
      </tr>`)}
    </tbody>
  </table>
</div>`;

export const Overview = ({ state, before, history }) => {
  const faults = faultsOf(state);
  return html`
    <section aria-labelledby="wrong">
      <h2 id="wrong">${t(faults.length ? "wrong" : "nothing.wrong")}</h2>
      ${faults.map((fault) => html`<${Fault} fault=${fault} />`)}
    </section>
    <section aria-labelledby="pipeline">
      <h2 id="pipeline">${t("pipeline")}</h2>
      ${state.models.map((model, index) => html`<${Pipeline} state=${state} before=${before} model=${model} index=${index} />`)}
    </section>
    <section aria-labelledby="ledger">
      <h2 id="ledger">${t("ledger")}</h2>
      <${Ledger} models=${state.models} />
      <p class="soft">${t("ledger.sum")}</p>
    </section>
    <section aria-labelledby="hour">
      <h2 id="hour">${t("hour")}</h2>
      <${Charts} models=${state.models} history=${history} />
    </section>`;
};
