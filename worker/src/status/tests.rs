//! The document at `/status`, whole: tools read it, so its keys and their order are frozen.

use crds::Reason;
use hosts::HostStatus;
use message::{Delivery, Level, Settled};

use super::*;

const CONFIG: &str = include_str!("../../../tests/fixtures/seed/config.yaml");
const GOLDEN: &str = include_str!("golden.json");

/// Whether a host runs; the rest is fixed.
#[derive(Debug)]
struct Fixed(bool);

impl Probe for Fixed {
    fn hosts(&self) -> Vec<HostStatus> {
        vec![HostStatus {
            pid: Some(7),
            host: Some(hosts::HostKind::Native),
            python: Some("cpython 3.11.7".to_owned()),
            sandbox: Some(hosts::SandboxStatus {
                mode: crds::validated::SandboxMode::Enforce,
                missing: vec![hosts::Part::Signals],
            }),
            resident_bytes: Some(1 << 20),
            restarts: 2,
            batch_failures: 1,
            batch_error: Some("ValueError: no".to_owned()),
            quarantined: vec!["设备2".to_owned()],
        }]
    }

    fn runs(&self) -> bool {
        self.0
    }

    fn queues(&self) -> Queues {
        Queues {
            pre: Level {
                depth: 3,
                capacity: 100,
            },
            host: 4,
            post: Level {
                depth: 5,
                capacity: 200,
            },
        }
    }

    fn utilization(&self) -> f64 {
        0.5
    }
}

fn session(role: &'static str, ready: bool) -> SessionView {
    SessionView {
        rule: 0,
        role,
        broker: "broker:1883".to_owned(),
        topic: "in/#".to_owned(),
        client_id: format!("edgemodel-{role}"),
        ready,
        error: (!ready).then(|| "unable to reach broker:1883: refused".to_owned()),
        granted_qos: None,
        warnings: Vec::new(),
    }
}

/// The seed's configuration.
pub(crate) fn example_runtime() -> ValidatedRuntime {
    crds::load(CONFIG, "seed").unwrap()
}

/// The state of a worker with it.
pub(crate) fn example() -> Arc<Shared> {
    Shared::new(&example_runtime())
}

#[test]
fn the_document_is_as_frozen() {
    let shared = example();
    let model = &shared.models()[0];
    model.set_probe(Box::new(Fixed(true)));
    model.add_session(session("sub", true));
    model.add_session(session("pub", false));
    model.set_digests(&shared.metrics, Some("md5".to_owned()), None);
    let refused = ModelState::Refused {
        reason: Reason::DownloadFailed,
        message: "no such host".to_owned(),
        retrying: true,
    };
    model.set_state(&shared.metrics, refused);
    model.set_state(&shared.metrics, ModelState::Serving);
    for settled in Settled::ALL {
        Delivery::open(&model.ledger, None).settle(settled);
    }
    let _open = Delivery::open(&model.ledger, None);

    let mut document = shared.document(Audience::Authenticated);
    document["version"] = "VERSION".into();
    document["started"] = "STARTED".into();
    document["models"][0]["lastErrors"][0]["at"] = "AT".into();
    let text = serde_json::to_string_pretty(&document).unwrap() + "\n";
    assert_eq!(text, GOLDEN, "{text}");

    let public = shared.document(Audience::Anyone).to_string();
    assert!(
        !public.contains("clientId") && !public.contains("edgemodel-sub"),
        "{public}"
    );
    assert!(public.contains("in/#"), "{public}");
}

#[test]
fn a_worker_is_ready_when_a_model_serves_and_its_sessions_are_up() {
    let serving = || ModelState::Serving;
    let refused = |retrying| ModelState::Refused {
        reason: Reason::HostCrashed,
        message: String::new(),
        retrying,
    };
    for (states, ready_session, expected) in [
        ([ModelState::Loading, serving()], true, false),
        ([serving(), serving()], true, true),
        ([serving(), serving()], false, false),
        ([serving(), refused(true)], true, true),
        ([refused(false), refused(true)], true, false),
    ] {
        let text = format!("{states:?}, session ready: {ready_session}");
        let shared = example();
        for (model, state) in std::iter::zip(shared.models(), states) {
            model.set_state(&shared.metrics, state);
        }
        shared.models()[0].add_session(session("sub", ready_session));
        assert_eq!(shared.ready(), expected, "{text}");
        shared.stop();
        assert!(!shared.ready(), "{text}, stopping");
    }
}

/// It said so for 50 s, while each host died at its start.
#[test]
fn a_worker_is_not_ready_while_a_model_has_no_process() {
    let shared = example();
    for model in shared.models() {
        model.set_state(&shared.metrics, ModelState::Serving);
    }
    for runs in [true, false, true] {
        shared.models()[0].set_probe(Box::new(Fixed(runs)));
        assert_eq!(shared.ready(), runs);
    }
}
