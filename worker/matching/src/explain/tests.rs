use super::*;

const SEED: &str = include_str!("../../../../tests/fixtures/seed/config.yaml");
const MESSAGE: &str = include_str!("../../../../tests/fixtures/seed/sample-message.json");

fn explained(message: &str) -> Explanation {
    let runtime = crds::load(SEED, "test").unwrap();
    explain(&runtime, None, message.as_bytes()).unwrap()
}

/// The last attribute that was evaluated for the first model's device says `expected`.
#[track_caller]
fn says(from: &str, to: &str, expected: &str) {
    assert!(MESSAGE.contains(from), "{from}");
    let explanation = explained(&MESSAGE.replacen(from, to, 1));
    let device = &explanation.models[0].devices[0];
    assert!(!device.matched);
    let why = device.attributes.last().unwrap().why.as_deref();
    assert_eq!(why, Some(expected));
}

#[test]
fn the_seeds_message_goes_to_the_first_model() {
    let explanation = explained(MESSAGE);
    assert_eq!(explanation.models[0].device.as_deref(), Some("设备2"));
    assert_eq!(explanation.models[1].device, None);
    assert!(explanation.models[1].refused.is_some());
    assert_eq!(explanation.models[0].devices[0].attributes.len(), 2);
}

#[test]
fn a_miss_names_the_value_and_the_nearest_key() {
    says(
        "\"deviceName\"",
        "\"devicename\"",
        "data_to_dict['deviceInfo'] has no key \"deviceName\"; the nearest is \"devicename\"",
    );
    says(
        "\"设备2\"",
        "\"设备2 \"",
        "data_to_dict['deviceInfo']['deviceName'] is \"设备2 \"; they differ in blanks",
    );
    says(
        "\"设备2\"",
        "7",
        "data_to_dict['deviceInfo']['deviceName'] is 7",
    );
    let explanation = explained("{\"deviceInfo\": []}");
    let why = explanation.models[0].devices[0].attributes[0]
        .why
        .as_deref();
    assert_eq!(
        why,
        Some("data_to_dict['deviceInfo'] is a list of 0, which has no ['deviceName']")
    );
}

#[test]
fn a_missing_point_names_the_nearest_one() {
    let explanation =
        explained(&MESSAGE.replace("RC_cylinder1_1P_d_dispPeak", "RC_cylinder1_1P_dispPeak"));
    let why = explanation.models[0].devices[0].attributes[1]
        .why
        .clone()
        .unwrap();
    let nearest =
        "; the nearest to \"RC_cylinder1_1P_d_dispPeak\" in it is \"RC_cylinder1_1P_dispPeak\"";
    assert!(why.ends_with(nearest), "{why}");
}

#[test]
fn a_topic_tells_which_rules_receive() {
    let runtime = crds::load(SEED, "test").unwrap();
    let topic = runtime.rules[0].sub_topics[0].clone();
    let receives = |topic: &str| explain(&runtime, Some(topic), b"{}").unwrap().rules[0].receives;
    assert_eq!(receives(&topic), Some(true));
    assert_eq!(receives("other"), Some(false));
}
