//! What a message says where models look for their devices: how it names a device that no model has.

use std::collections::HashMap;

use crds::ValidatedRuntime;
use crds::validated::{Format, Place};
use jiter::JsonValue;

use crate::explain::{message, subject};
use crate::matcher::name_of;

/// Places of each model that are looked at: the first that its conditions and `deviceKey` name.
const PLACES: usize = 4;

/// The places in messages where models look for their devices.
#[derive(Debug)]
pub struct Naming(Vec<(Format, Vec<Place>)>);

impl Naming {
    /// Those of all models.
    pub fn of(runtime: &ValidatedRuntime) -> Self {
        let mut formats: Vec<(Format, Vec<Place>)> = Vec::new();
        for func in &runtime.funcs {
            let conditions = func.devices.iter().flat_map(|device| &device.conditions);
            let places = conditions.map(|condition| &condition.expression.place);
            let mut found: Vec<Place> = Vec::new();
            for place in func.device_key.iter().chain(places) {
                if found.len() == PLACES {
                    break;
                }
                if place.is_in_message() && !found.contains(place) {
                    found.push(place.clone());
                }
            }
            match formats
                .iter_mut()
                .find(|(format, _)| *format == func.decode)
            {
                Some((_, places)) => {
                    found.retain(|place| !places.contains(place));
                    places.extend(found);
                }
                None => formats.push((func.decode, found)),
            }
        }
        Self(formats)
    }

    /// The texts and whole numbers at these places, each after its place.
    pub fn said(&self, payload: &[u8]) -> Vec<String> {
        let mut said = Vec::new();
        let mut decoded: HashMap<&Place, String> = HashMap::new();
        for (format, places) in &self.0 {
            let Ok(Some(message)) = message(*format, payload) else {
                continue;
            };
            for place in places {
                if let Some(name) = name(place, &message)
                    && decoded.insert(place, name.clone()).as_ref() != Some(&name)
                {
                    said.push(format!("{place} = {name}"));
                }
            }
        }
        said
    }
}

fn name(place: &Place, message: &JsonValue<'static>) -> Option<String> {
    name_of(place, subject(None, Some(message)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: &str = include_str!("../../../tests/fixtures/seed/config.yaml");

    #[test]
    fn an_unknown_device_is_named_as_the_known_ones_are() {
        let naming = Naming::of(&crds::load(SEED, "seed").unwrap());
        for (payload, expected) in [
            (
                r#"{"deviceInfo": {"deviceName": "设备9"}, "secret": 1}"#,
                vec!["data_to_dict['deviceInfo']['deviceName'] = 设备9"],
            ),
            (r#"{"deviceInfo": {"deviceName": ["x"]}}"#, vec![]),
            (r#"{"deviceInfo": {"deviceName": ""}}"#, vec![]),
            ("not JSON", vec![]),
        ] {
            assert_eq!(naming.said(payload.as_bytes()), expected, "{payload}");
        }
        let long = format!(
            r#"{{"deviceInfo": {{"deviceName": "{}"}}}}"#,
            "x".repeat(300)
        );
        assert!(naming.said(long.as_bytes()).is_empty());
    }
}
