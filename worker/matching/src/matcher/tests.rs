use super::*;

mod walk;

const SEED: &str = include_str!("../../../../tests/fixtures/seed/config.yaml");
const MESSAGE: &str = include_str!("../../../../tests/fixtures/seed/sample-message.json");

fn devices(text: &str) -> Vec<ValidatedDevice> {
    crds::load(text, "test")
        .unwrap()
        .funcs
        .swap_remove(0)
        .devices
}

fn found(matcher: &mut Matcher, payload: &str) -> Option<String> {
    matcher
        .find(payload.as_bytes())
        .unwrap()
        .map(|name| name.to_string())
}

#[test]
fn the_seeds_message_belongs_to_the_seeds_device() {
    let mut matcher = Matcher::new(&devices(SEED));
    assert_eq!(found(&mut matcher, MESSAGE), Some("设备2".to_owned()));
    assert_eq!(matcher.misses(), Misses::default());
}

/// pyboot let the last attribute alone decide.
#[test]
fn all_conditions_of_a_device_must_hold() {
    let mut matcher = Matcher::new(&devices(SEED));
    let other_name = MESSAGE.replace("\"deviceName\": \"设备2\"", "\"deviceName\": \"设备3\"");
    let other_point = MESSAGE.replace("RC_cylinder1_1P_d_dispPeak", "other");
    assert_ne!(other_name, MESSAGE);
    assert_eq!(found(&mut matcher, &other_name), None);
    assert_eq!(found(&mut matcher, &other_point), None);
}

#[test]
fn the_first_device_of_the_configuration_wins() {
    let mut all = devices(SEED);
    all.push(all[0].clone());
    all[1].name = "second".to_owned();
    all[0].conditions.remove(0);
    // The first now has no equality and is tried after the index, and still comes first.
    assert_eq!(
        found(&mut Matcher::new(&all), MESSAGE),
        Some("设备2".to_owned())
    );
    all.swap(0, 1);
    assert_eq!(
        found(&mut Matcher::new(&all), MESSAGE),
        Some("second".to_owned())
    );
}

#[test]
fn what_python_would_refuse_is_no_match_and_is_counted() {
    let mut matcher = Matcher::new(&devices(SEED));
    assert_eq!(found(&mut matcher, "{}"), None);
    assert_eq!(found(&mut matcher, "[1]"), None);
    assert_eq!(
        matcher.misses(),
        Misses {
            missing_key: 1,
            wrong_type: 1
        }
    );
}

#[test]
fn a_payload_that_is_not_json_is_an_error() {
    let mut matcher = Matcher::new(&devices(SEED));
    let deep = "[".repeat(10_000);
    for payload in ["", "{", "{} {}", "{'a':1}", "[01]", deep.as_str()] {
        assert!(matcher.find(payload.as_bytes()).is_err(), "{payload:.10}");
    }
    assert!(matcher.find(b"\"\xff\"").is_err());
    assert!(
        matcher
            .find(b"[NaN, -Infinity, 123456789012345678901234567890]")
            .is_ok()
    );
}
