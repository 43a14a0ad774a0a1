// The way of the messages through each model, with rates and what waits where.

import { count, percent, rate } from "./format.js";
import { rateOf } from "./connection.js";
import { t } from "./language.js";
import { html } from "./vendor/preact.js";

const Session = ({ session }) => html`<li>
  <span class=${`pill ${session.ready ? "good" : "bad"}`}>${t(session.ready ? "connected" : "disconnected")}</span>
  ${" "}${session.broker} <span class="soft">${session.topic}</span>
</li>`;

const Sessions = ({ model, role }) => html`<ul class="plain">
  ${model.sessions.filter((one) => one.role === role).map((session) => html`<${Session} session=${session} />`)}
</ul>`;

const Queue = ({ name, queue }) => html`<div>
  <span class="soft">${t(name)}</span> ${count(queue.depth)} ${queue.capacity > 0 ? `/ ${count(queue.capacity)}` : ""}
  ${queue.capacity > 0 && html`<meter aria-label=${t(name)} min="0" max=${queue.capacity} high=${queue.capacity * 0.8} value=${queue.depth} />`}
</div>`;

export const stateOf = (model) => {
  const { state } = model.state;
  const kind = state === "serving" ? "good" : state === "refused" ? "bad" : "warn";
  return html`<span class=${`pill ${kind}`}>${t(`state.${state}`)}</span>`;
};

export const Pipeline = ({ state, before, model, index }) => {
  const received = rateOf(state, before, index, (one) => one.ledger.received);
  const published = rateOf(state, before, index, (one) => one.ledger.published);
  return html`<div class="flow" data-model=${model.name}>
    <div class="stage">
      <div class="soft">${t("stage.in")}</div>
      <div class="big">${rate(received)} <small class="soft">${t("per.second")}</small></div>
      <${Sessions} model=${model} role="sub" />
    </div>
    <div class="arrow" aria-hidden="true">→</div>
    <div class="stage">
      <div><a class="name" href=${`#/models/${encodeURIComponent(model.name)}`}>${model.name}</a> ${stateOf(model)}</div>
      <${Queue} name="queue.pre" queue=${model.queues.pre} />
      <div><span class="soft">${t("busy")}</span> ${percent(model.utilization)}
        <meter aria-label=${t("busy")} min="0" max="1" high="0.9" value=${model.utilization} /></div>
    </div>
    <div class="arrow" aria-hidden="true">→</div>
    <div class="stage">
      <div class="soft">${t("stage.out")}</div>
      <div class="big">${rate(published)} <small class="soft">${t("per.second")}</small></div>
      <${Queue} name="queue.post" queue=${model.queues.post} />
      <${Sessions} model=${model} role="pub" />
    </div>
  </div>`;
};
