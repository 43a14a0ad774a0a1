// What is wrong, each in one sentence with its remedy, the worst first.

import { or, t } from "./language.js";

const FULL = 0.9;

/** Faults of a state: `{minor, title, text, remedy}`. */
export const faultsOf = (state) => {
  const faults = [];
  for (const model of state.models) {
    const { name } = model;
    if (model.state.state === "refused") {
      const { reason, message, remedy, retrying } = model.state;
      const title = t(retrying ? "fault.refused.retrying" : "fault.refused", { name, reason });
      faults.push({ title, text: message, remedy: or(`remedy.${reason}`, remedy) });
    }
    for (const session of model.sessions) {
      if (!session.ready) {
        const title = t(`fault.session.${session.role}`, { name, broker: session.broker, topic: session.topic });
        faults.push({ title, text: session.error ?? t("fault.session.connecting"), remedy: t("fault.session.remedy") });
      }
      for (const warning of session.warnings ?? []) {
        faults.push({ minor: true, title: t("fault.broker", { name, broker: session.broker }), text: warning });
      }
    }
    const { pre, post } = model.queues;
    if (pre.capacity > 0 && pre.depth >= FULL * pre.capacity) {
      faults.push({ minor: true, title: t("fault.pre", { name }), remedy: t("fault.pre.remedy") });
    }
    if (post.capacity > 0 && post.depth >= FULL * post.capacity) {
      faults.push({ minor: true, title: t("fault.post", { name }), remedy: t("fault.post.remedy") });
    }
    for (const host of model.hosts) {
      for (const device of host.quarantined ?? []) {
        faults.push({ title: t("fault.quarantined", { name, device }), remedy: t("fault.quarantined.remedy") });
      }
      if (host.batchFailures > 0) {
        const title = t("fault.batch", { name, count: host.batchFailures });
        faults.push({ minor: true, title, text: host.batchError, remedy: t("fault.batch.remedy") });
      }
    }
  }
  for (const rule of state.rules) {
    if (rule.undecodable.count > 0) {
      const title = t("fault.undecodable", { topic: rule.subscription, count: rule.undecodable.count });
      faults.push({ minor: true, title, remedy: t("fault.undecodable.remedy") });
    }
  }
  return faults.sort((a, b) => Boolean(a.minor) - Boolean(b.minor));
};
