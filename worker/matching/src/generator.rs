//! Makes messages that match, in the shape of pyboot's sample, for devices that models are for and for others.
//!
//! Deterministic: the same configuration and seed give the same messages.

use std::f64::consts::TAU;
use std::ops::Range;
use std::sync::Arc;

use crds::ValidatedRuntime;
use crds::validated::{Condition, Number, Operand, Operator, Place, Step, ValidatedDevice};
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Map, Value, json};

/// The point that pyboot's sample carries.
const SAMPLE_POINT: &str = "RC_cylinder1_1P_d_dispPeak";

/// When the first message was measured, in milliseconds since 1970: that of pyboot's sample.
const FIRST_TS: u64 = 1_585_194_439_000;

/// A message with a list that is longer than this would be larger than brokers take.
const FARTHEST: usize = 1 << 16;

/// Makes messages, one device after the other.
#[derive(Debug)]
pub struct Generator {
    devices: Vec<ValidatedDevice>,
    unmatched_share: f64,
    random: SmallRng,
    count: u64,
}

impl Generator {
    /// Messages for the devices of a configuration. `unmatched_share`, from 0 to 1, is how many of
    /// them come from devices that no model is for.
    pub fn new(runtime: &ValidatedRuntime, seed: u64, unmatched_share: f64) -> Self {
        let devices = runtime.funcs.iter().flat_map(|func| func.devices.clone());
        Self::for_devices(devices.collect(), seed, unmatched_share)
    }

    /// Messages for these devices; without any, all come from devices that no model is for.
    pub fn for_devices(devices: Vec<ValidatedDevice>, seed: u64, unmatched_share: f64) -> Self {
        Self {
            devices,
            unmatched_share,
            random: SmallRng::seed_from_u64(seed),
            count: 0,
        }
    }

    /// Begins with message `number` instead of 0.
    #[must_use]
    pub fn from_number(mut self, number: u64) -> Self {
        self.count = number;
        self
    }

    /// The number of the next message.
    pub fn number(&self) -> u64 {
        self.count
    }

    /// The next message, with the name of its device.
    pub fn message(&mut self) -> (Arc<str>, Vec<u8>) {
        let turn = usize::try_from(self.count).unwrap_or(0);
        let unmatched = self.devices.is_empty() || self.random.random_bool(self.unmatched_share);
        let (name, conditions) = if unmatched {
            (format!("device-{}", self.count % 10), Vec::new())
        } else {
            let device = &self.devices[turn % self.devices.len()];
            (device.name.clone(), device.conditions.clone())
        };
        let name: Arc<str> = name.into();
        let mut message = self.sample(&name);
        for condition in &conditions {
            satisfy(&mut message, condition);
        }
        self.count += 1;
        let text = message.to_string();
        (name, text.into_bytes())
    }

    fn sample(&mut self, device: &str) -> Value {
        let phase = TAU * f64::from(u8::try_from(self.count % 60).unwrap_or(0)) / 60.0;
        let noise = self.random.random_range(-5.0..5.0);
        let value = ((86.0 + 15.0 * phase.sin() + noise) * 10.0).round() / 10.0;
        json!({
            "deviceInfo": {
                "deviceName": device,
                "edgeDeviceName": "设备three",
                "topic": "GG2",
                "edgeCalculation": false,
                "encryption": false,
                "compression": false,
            },
            "telemetry": {
                "ts": time_of(self.count),
                SAMPLE_POINT: value,
                "OPC温度": 10_370,
                "OPC湿度": "86",
                "OPC电量": true,
            },
            "model_data": { "GS0101": "1.1", "GS0102": "1.2" },
        })
    }
}

/// The time of message `number`, its `telemetry.ts`.
pub fn time_of(number: u64) -> u64 {
    FIRST_TS + 1000 * number
}

/// The number of the first message of `numbers` whose time stands anywhere in a payload.
pub fn number_in(payload: &[u8], numbers: Range<u64>) -> Option<u64> {
    payload
        .split(|byte| !byte.is_ascii_digit())
        .filter_map(|digits| std::str::from_utf8(digits).ok()?.parse::<u64>().ok())
        .filter_map(|time| time.checked_sub(FIRST_TS))
        .filter(|since| since % 1000 == 0)
        .map(|since| since / 1000)
        .find(|number| numbers.contains(number))
}

/// A topic that a subscription gets: its filter, with wildcards filled in.
pub fn topic_for(filter: &str) -> Option<String> {
    let filter = match filter.strip_prefix("$share/") {
        Some(shared) => shared.split_once('/')?.1,
        None => filter,
    };
    Some(filter.replace(['+', '#'], "simulated"))
}

/// Changes a message so that a condition holds, where one value can do that.
fn satisfy(message: &mut Value, condition: &Condition) {
    let expression = &condition.expression;
    let mut place = message;
    let Place::Message(path) = &expression.place else {
        // The topic is the publisher's.
        return;
    };
    for step in &path.0 {
        place = match step {
            Step::Key(key) => {
                if !place.is_object() {
                    *place = Value::Object(Map::new());
                }
                &mut place[key.as_str()]
            }
            Step::Index(index) => {
                let wanted = usize::try_from(*index).unwrap_or(0);
                if wanted > FARTHEST {
                    return;
                }
                if !place.is_array() {
                    *place = Value::Array(Vec::new());
                }
                let Some(list) = place.as_array_mut() else {
                    return;
                };
                if list.len() <= wanted {
                    list.resize(wanted + 1, Value::Null);
                }
                &mut list[wanted]
            }
        };
    }
    let text = match &condition.value {
        Operand::Text(text) => text.as_str(),
        Operand::Number(number) => return satisfy_number(place, *number, expression.operator),
    };
    match expression.operator {
        Operator::Equal | Operator::LessOrEqual | Operator::GreaterOrEqual => *place = text.into(),
        Operator::NotEqual => {
            if *place == *text {
                *place = Value::Null;
            }
        }
        Operator::In => match place {
            Value::Object(object) => {
                object.entry(text).or_insert_with(|| 1.into());
            }
            Value::Array(list) => list.push(text.into()),
            _ => *place = text.into(),
        },
        Operator::NotIn => match place {
            Value::Object(object) => {
                object.remove(text);
            }
            Value::Array(list) => list.retain(|item| item != text),
            _ => *place = Value::Array(Vec::new()),
        },
        Operator::Less => *place = format!("{text}~").into(),
        Operator::Greater => *place = "".into(),
    }
}

/// The same for a number on the left.
fn satisfy_number(place: &mut Value, number: Number, operator: Operator) {
    let (equal, above, below): (Value, Value, Value) = match number {
        Number::Int(int) => (
            int.into(),
            int.saturating_add(1).into(),
            int.saturating_sub(1).into(),
        ),
        Number::Float(float) => (float.into(), (float + 1.0).into(), (float - 1.0).into()),
    };
    *place = match operator {
        Operator::Equal | Operator::LessOrEqual | Operator::GreaterOrEqual => equal,
        Operator::NotEqual => Value::Null,
        Operator::In => json!([equal]),
        Operator::NotIn => json!([]),
        Operator::Less => above,
        Operator::Greater => below,
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Matcher;

    const SEED: &str = include_str!("../../../tests/fixtures/seed/config.yaml");

    #[test]
    fn messages_of_a_configuration_s_devices_match_and_the_others_do_not() {
        let runtime = crds::load(SEED, "test").unwrap();
        let mut generator = Generator::new(&runtime, 1, 0.3);
        let mut matchers: Vec<_> = runtime.funcs.iter().map(Matcher::of).collect();
        let mut strangers = 0;
        for _ in 0..1000 {
            let (device, payload) = generator.message();
            let found: Vec<_> = matchers
                .iter_mut()
                .filter_map(|matcher| matcher.find("in", &payload).unwrap())
                .collect();
            if device.starts_with("device-") {
                assert!(found.is_empty(), "{device} is {found:?}");
                strangers += 1;
            } else {
                assert_eq!(found, [device]);
            }
        }
        assert!((200..400).contains(&strangers), "{strangers}");
    }

    #[test]
    fn every_operator_can_be_satisfied() {
        for operator in ["==", "!=", "in", "not in", "<", "<=", ">", ">="] {
            let text = SEED.replace(
                "in data_to_dict['telemetry']",
                &format!("\"{operator} data_to_dict['more'][1]['key']\""),
            );
            let runtime = crds::load(&text, "test").unwrap();
            let device = runtime.funcs[0].devices[0].clone();
            let mut matcher = Matcher::new(std::slice::from_ref(&device));
            let (_, payload) = Generator::for_devices(vec![device], 1, 0.0).message();
            let payload = String::from_utf8(payload).unwrap();
            assert!(
                matcher.find("in", payload.as_bytes()).unwrap().is_some(),
                "{operator}: {payload}"
            );
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_messages() {
        let runtime = crds::load(SEED, "test").unwrap();
        let messages = |seed| {
            let mut generator = Generator::new(&runtime, seed, 0.5);
            (0..20).map(|_| generator.message()).collect::<Vec<_>>()
        };
        assert_eq!(messages(7), messages(7));
        assert_ne!(messages(7), messages(8));
    }
}
