//! Names, addresses, topics, expressions and digests.

use super::{SEED, accepts, rejects};
use crate::Reason;
use crate::validate::load;

#[test]
fn rejects_expressions_that_are_code() {
    rejects(
        "== data_to_dict['deviceInfo']['deviceName']",
        "== __import__('os').system('id')",
        "'_' is not allowed at character 4; write data_to_dict after the operator",
    );
}

#[test]
fn rejects_results_that_come_back_as_telemetry() {
    let from =
        "topic: cloud/edge-data-access-a60c2306-1644570929743-e54d4620-8b1a-11ec-9969-df2a36238047";
    rejects(from, "topic: cloud/#", "so results would loop");
    rejects(from, "topic: $share/g/cloud/+", "so results would loop");
    accepts(from, "topic: $share/g/site/+/#");
}

#[test]
fn accepts_every_form_of_broker_address() {
    let from = "tcp://192.168.241.1:1883";
    for (to, host, port, path) in [
        ("mqtts://broker", "broker", 8883, ""),
        ("'tcp://[::1]:80'", "::1", 80, ""),
        ("ws://broker", "broker", 80, "/mqtt"),
        ("wss://broker:9/a/b", "broker", 9, "/a/b"),
    ] {
        let runtime = load(&SEED.replacen(from, to, 1), "c.yaml").unwrap();
        let url = &runtime.mqtts[0].broker;
        assert_eq!(
            (url.host.as_str(), url.port, url.path.as_str()),
            (host, port, path)
        );
    }
}

#[test]
fn rejects_credentials_in_addresses_without_showing_them() {
    let problems = load(&SEED.replacen("tcp://192", "tcp://u:secret@192", 1), "c").unwrap_err();
    let text = problems.to_string();
    assert!(
        text.contains("belong in auth") && !text.contains("secret"),
        "{text}"
    );
}

#[test]
fn rejects_a_broker_that_no_entry_names_with_the_nearest() {
    let name = "name: mosquitto-20336454-5413-4e2f-b52e-b945291359c7\n    timeout";
    rejects(
        name,
        "name: mosquito-20336454\n    timeout",
        "rules[0].pub.name: there is no broker \"mosquito-20336454\"; use one of the names in mqtts: mosquitto-2",
    );
    rejects(
        name,
        "name: mosquito-20336454-5413-4e2f-b52e-b945291359c7\n    timeout",
        "did you mean \"mosquitto-20336454-5413-4e2f-b52e-b945291359c7\"?",
    );
    // The names that rules use are not blamed for the mistake in another line.
    let problems = load(&SEED.replacen("mqtts:", "mqts:", 1), "c").unwrap_err();
    let paths: Vec<_> = problems.list.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(paths, ["mqtts", "mqts"]);
}

#[test]
fn rejects_topics_that_no_broker_would_take() {
    let publish =
        "topic: cloud/edge-pyboot-e060ff31-1644570929743-e54d4620-8b1a-11ec-9969-df2a36238047";
    for (to, expected) in [
        ("topic: ''", "\"\" is empty"),
        (
            "topic: a/+",
            "has a wildcard, which only subscriptions take",
        ),
        (
            "topic: $SYS/a",
            "starts with $, which belongs to the broker",
        ),
        ("topic: \"a\\0\"", "has a control character"),
        (
            "topic: a\n    deadLetterTopic: a",
            "is the topic of the results",
        ),
    ] {
        rejects(publish, to, expected);
    }
    accepts(publish, "topic: a\n    deadLetterTopic: b");
    let subscribe =
        "topic: cloud/edge-data-access-a60c2306-1644570929743-e54d4620-8b1a-11ec-9969-df2a36238047";
    for (to, expected) in [
        ("topic: a/#/b", "# before the end"),
        ("topic: a+/b", "not a whole level"),
        ("topic: $share/g", "is not of the form $share/group/filter"),
        (
            "topic: $share/+/a",
            "is not of the form $share/group/filter",
        ),
    ] {
        rejects(subscribe, to, expected);
    }
}

#[test]
fn rejects_addresses_of_models_and_ports_that_cannot_be() {
    let address = "http://10.200.60.18:9000/group1/M00/49/04/Csg8EmGdnIyAVJdVAAHaY0adxNc829.zip";
    rejects(address, "ftp://h/a.zip", "has a scheme that is not known");
    rejects(address, "file://a.zip", "is not an absolute path");
    rejects(address, "a.zip", "is not a URL");
    accepts(address, "file:///a.zip");
    for port in [
        "udp://:1",
        "http://h:80",
        "http://:0",
        "http://:70000",
        "8080",
    ] {
        rejects(
            "http://:8080",
            &format!("'{port}'"),
            "is not a protocol and port",
        );
    }
    accepts("http://:8080", "tcp://0.0.0.0:2901");
}

#[test]
fn a_model_without_a_digest_is_refused_unless_it_is_a_file() {
    let digest = "  modelMd5: pZ4DJ+YhYM9ppHD+VhLi+A==\n";
    let text = SEED.replacen(digest, "", 1);
    let refusal = load(&text, "c").unwrap().funcs[0]
        .digest
        .clone()
        .unwrap_err();
    assert_eq!(refusal.reason, Reason::DigestMissing);
    let address = "http://10.200.60.18:9000/group1/M00/49/04/Csg8EmGdnIyAVJdVAAHaY0adxNc829.zip";
    let runtime = load(&text.replacen(address, "file:///a.zip", 1), "c").unwrap();
    assert!(runtime.funcs[0].digest.is_ok());
}
