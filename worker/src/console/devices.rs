//! The devices that one model has seen lately, as the console shows them.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use crds::validated::ValidatedFunc;
use message::{DeviceTally, SHOWN_DEVICES, Settled};
use serde_json::{Value, json};

use crate::audience::Audience;
use crate::status::{ModelView, without_data};

/// The devices of a model, the one seen last first; then those of the configuration that sent nothing yet.
pub(super) fn document(model: &ModelView, func: &ValidatedFunc, audience: Audience) -> Value {
    let hosts = model.hosts();
    let quarantined = hosts.iter().flat_map(|host| &host.quarantined);
    let quarantined: HashSet<_> = quarantined.map(String::as_str).collect();
    let seen = model.devices.seen(Instant::now(), SystemTime::now());
    let each = seen.devices.iter().map(|(tally, rate)| {
        let mut shown = device(tally, *rate, audience);
        shown["quarantined"] = quarantined.contains(&**tally.name()).into();
        shown
    });
    let mut shown: Vec<_> = each.collect();
    if seen.complete && func.device_key.is_none() {
        let names: HashSet<_> = seen
            .devices
            .iter()
            .map(|(tally, _)| &**tally.name())
            .collect();
        let configured = func.devices.iter().map(|device| device.name.as_str());
        let silent = configured.filter(|name| !names.contains(name));
        let room = SHOWN_DEVICES - shown.len();
        shown.extend(silent.take(room).map(|name| json!({ "name": name })));
    }
    shown.into()
}

fn device(tally: &Arc<DeviceTally>, rate: f64, audience: Audience) -> Value {
    let failed = tally.settled(Settled::Failed) + tally.settled(Settled::DeadLettered);
    let error = tally.last_error().map(|error| {
        let message = match audience {
            Audience::Authenticated => error.message.as_str(),
            Audience::Anyone => without_data(error.reason, &error.message),
        };
        json!({ "at": error.at, "reason": error.reason, "message": message })
    });
    json!({
        "name": **tally.name(),
        "seen": tally.last_seen(),
        "rate": rate,
        "received": tally.received(),
        "failed": failed,
        "last": tally.last_outcome().map(Settled::as_str),
        "error": error,
    })
}

#[cfg(test)]
mod tests {
    use message::{Delivery, Observer};

    use super::*;

    #[test]
    fn a_device_is_shown_with_what_it_did_and_silent_ones_come_last() {
        let shared = crate::status::example();
        let runtime = crate::status::example_runtime();
        let (model, func) = (&shared.models()[0], &runtime.funcs[0]);
        let mut observer = Observer::new(model.devices.clone());
        let name: Arc<str> = func.devices.last().unwrap().name.as_str().into();
        for outcome in [Settled::Published, Settled::Failed] {
            let mut delivery = Delivery::open(&model.ledger, None);
            delivery.attribute(observer.see(&name, SystemTime::now()));
            let device = delivery.device().unwrap();
            device.fail(5, "exception", "ValueError: secret");
            delivery.settle(outcome);
        }
        let shown = document(model, func, Audience::Authenticated);
        let first = &shown[0];
        assert_eq!(first["name"], *name);
        assert_eq!(
            (&first["received"], &first["failed"]),
            (&json!(2), &json!(1))
        );
        assert_eq!(
            (&first["last"], &first["quarantined"]),
            (&json!("failed"), &json!(false))
        );
        assert_eq!(first["error"]["message"], "ValueError: secret");
        assert_eq!(shown.as_array().map(Vec::len), Some(func.devices.len()));
        let silent = func.devices.iter().filter(|device| device.name != *name);
        for (index, silent) in silent.enumerate() {
            assert_eq!(shown[index + 1], json!({ "name": silent.name }));
        }
        let public = document(model, func, Audience::Anyone);
        assert_eq!(public[0]["error"]["message"], "ValueError");
    }
}
