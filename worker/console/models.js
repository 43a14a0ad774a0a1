// One model: version, hosts, sessions, last errors.

import { Data } from "./data.js";
import { count, date, mebibytes } from "./format.js";
import { t } from "./language.js";
import { stateOf } from "./pipeline.js";
import { html } from "./vendor/preact.js";

const Table = ({ label, heads, rows }) => html`<div class="scroll" tabindex="0" role="region" aria-label=${label}>
  <table>
    <thead><tr>${heads.map((head) => html`<th>${head}</th>`)}</tr></thead>
    <tbody>${rows.map((cells) => html`<tr>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody>
  </table>
</div>`;

const Hosts = ({ hosts }) => html`<h3>${t("hosts")}</h3>
  <${Table}
    label=${t("hosts")}
    heads=${["pid", "Python", t("host"), t("memory"), t("restarts"), t("quarantined")]}
    rows=${hosts.map((host) => [
      host.pid ?? "–",
      host.python ?? "–",
      host.host ?? "–",
      mebibytes(host.residentBytes),
      count(host.restarts),
      html`<${Data} text=${(host.quarantined ?? []).join(", ") || "–"} />`,
    ])}
  />`;

const Sessions = ({ sessions }) => html`<h3>${t("sessions")}</h3>
  <${Table}
    label=${t("sessions")}
    heads=${[t("role"), t("broker"), t("topic"), t("qos"), t("connection")]}
    rows=${sessions.map((session) => [
      t(`role.${session.role}`),
      session.broker,
      session.topic,
      session.grantedQos ?? "–",
      session.ready ? t("connected") : html`<${Data} text=${session.error ?? t("disconnected")} />`,
    ])}
  />`;

const Errors = ({ errors }) => html`<h3>${t("errors")}</h3>
  ${errors.length === 0 && html`<p class="soft">${t("none")}</p>`}
  ${errors.length > 0 &&
  html`<${Table}
    label=${t("errors")}
    heads=${[t("time"), t("reason"), t("message")]}
    rows=${errors.map((error) => [date(error.at), error.reason, html`<${Data} text=${error.message ?? t("authenticate")} kind="wide" />`])}
  />`}`;

const Model = ({ model }) => html`<section>
  <h2>${model.name} ${stateOf(model)}</h2>
  <dl class="facts">
    <dt>${t("address")}</dt><dd>${model.address}</dd>
    <dt>SHA-256</dt><dd><code>${model.sha256 ?? "–"}</code></dd>
    <dt>MD5</dt><dd><code>${model.md5 ?? "–"}</code></dd>
  </dl>
  ${model.hosts.length > 0 && html`<${Hosts} hosts=${model.hosts} />`}
  <${Sessions} sessions=${model.sessions} />
  <${Errors} errors=${model.lastErrors} />
</section>`;

export const Models = ({ state, only }) => {
  const models = state.models.filter((model) => !only || model.name === only);
  return html`${models.map((model) => html`<${Model} key=${model.name} model=${model} />`)}
    ${models.length === 0 && html`<section><p>${t("model.unknown", { name: only })}</p></section>`}`;
};
