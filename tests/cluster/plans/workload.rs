//! What users and clusters do to a runtime.

use serde_json::{Value, json};

use super::spec::{base, expose, func, port, push, remove, with};

/// Something that is done.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    /// A runtime is applied with this spec.
    Apply(Value),
    /// The runtime is deleted.
    Delete,
    /// An annotation of the runtime is set or taken away.
    Annotate(&'static str, Option<&'static str>),
    /// The Secret `broker` is made or changed.
    Secret(&'static str),
    /// A child is deleted by somebody: kind and a part of its name.
    DeleteChild(&'static str, &'static str),
    /// A child is edited by somebody: kind, part of its name, merge patch.
    EditChild(&'static str, &'static str, Value),
    /// Waits until the runtime says so of a condition.
    Until(&'static str, &'static str),
    /// A Service in another namespace takes a port of this run, given by its number.
    Neighbour(u16),
    /// It is deleted.
    NeighbourLeaves,
    /// Waits until nothing is left of the runtime.
    UntilGone,
    /// The namespace is deleted, and gone.
    DeleteNamespace,
}

/// What is done before the operator under test comes, and then.
#[derive(Debug, Clone)]
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) before: Vec<Action>,
    pub(crate) then: Vec<Action>,
    /// The image that the operator under test gives to workers.
    pub(crate) image: &'static str,
}

pub(crate) fn all() -> Vec<Workload> {
    [
        lives(),
        models(),
        ports_and_scale(),
        others(),
        manual_edits(),
    ]
    .concat()
}

fn from(name: &'static str, before: Value, then: Vec<Action>) -> Workload {
    Workload {
        name,
        before: vec![Action::Apply(before)],
        then,
        image: "edgemodel-worker:test",
    }
}

fn change(name: &'static str, change: fn(&mut Value)) -> Workload {
    from(name, base(), vec![Action::Apply(with(change))])
}

/// Runtimes come and go.
fn lives() -> Vec<Workload> {
    vec![
        Workload {
            before: vec![],
            ..from("W01", base(), vec![Action::Apply(base())])
        },
        from("W02", base(), vec![Action::Delete, Action::UntilGone]),
        from(
            "W03",
            base(),
            vec![
                Action::Delete,
                Action::Apply(with(|spec| remove(&mut spec["funcs"], 1))),
            ],
        ),
        from(
            "W18",
            base(),
            vec![
                Action::Apply(with(|spec| push(&mut spec["funcs"], func("gamma", 3)))),
                Action::DeleteNamespace,
            ],
        ),
    ]
}

/// Models, brokers and rules change.
fn models() -> Vec<Workload> {
    vec![
        change("W04", |spec| push(&mut spec["funcs"], func("gamma", 3))),
        change("W05", |spec| remove(&mut spec["funcs"], 0)),
        change("W06", |spec| {
            spec["funcs"][0]["modelMd5"] = format!("{:032x}", 9).into();
            spec["funcs"][0]["modelAddress"] = "http://models.example/new.zip".into();
        }),
        change("W07", |spec| {
            spec["funcs"][0]["modelName"] = "renamed".into();
        }),
        from(
            "W08",
            with(|spec| {
                let mut rule = spec["rules"][0].clone();
                rule["sub"]["topic"] = "more/#".into();
                push(&mut spec["rules"], rule);
            }),
            vec![Action::Apply(with(|spec| {
                let mut rule = spec["rules"][0].clone();
                rule["sub"]["topic"] = "more/#".into();
                push(&mut spec["rules"], rule);
                spec["mqtts"][0]["broker"] = "tcp://10.0.0.2:1883".into();
            }))],
        ),
        from(
            "W09",
            with(|spec| {
                push(
                    &mut spec["mqtts"],
                    json!({ "name": "second", "broker": "tcp://10.0.0.3:1883" }),
                );
                let end = json!({ "name": "second", "topic": "in" });
                push(
                    &mut spec["rules"],
                    json!({ "sub": end, "pub": { "name": "second", "topic": "out" } }),
                );
                spec["rules"][1]["sub"]["clientId"] = "second-sub".into();
                spec["rules"][1]["pub"]["clientId"] = "second-pub".into();
            }),
            vec![Action::Apply(base())],
        ),
    ]
}

/// Ports and numbers of workers change.
fn ports_and_scale() -> Vec<Workload> {
    let two_ports = |first: u16, second: u16| {
        with(|spec| {
            push(&mut spec["expose"], expose("stream", 2901, second));
            spec["expose"][0]["outPort"] = port(first);
        })
    };
    let scaled = |class: &str| {
        with(|spec| {
            spec["funcs"][0]["autoscaling"] =
                json!({ "class": class, "minReplicas": 2, "maxReplicas": 3 });
        })
    };
    vec![
        change("W10", |spec| spec["expose"][0]["outPort"] = port(2)),
        from("W11", two_ports(1, 2), vec![Action::Apply(two_ports(2, 1))]),
        from(
            "W12",
            base(),
            vec![
                Action::Apply(with(|spec| spec["expose"] = json!([]))),
                Action::Until("Exposed", "NothingExposed"),
                Action::Apply(base()),
            ],
        ),
        from(
            "W13",
            base(),
            vec![
                Action::Apply(with(|spec| spec["funcs"][0]["replicas"] = 3.into())),
                Action::Until("Ready", "Ready"),
                Action::Apply(scaled("hpa")),
                Action::Until("Ready", "Ready"),
                Action::Apply(base()),
            ],
        ),
    ]
}

/// Secrets, neighbours, pauses and a new operator.
fn others() -> Vec<Workload> {
    let secret =
        with(|spec| spec["mqtts"][0]["credentialsSecretRef"] = json!({ "name": "broker" }));
    vec![
        Workload {
            before: vec![Action::Secret("one"), Action::Apply(secret)],
            ..from("W14", base(), vec![Action::Secret("two")])
        },
        Workload {
            before: vec![Action::Neighbour(1)],
            ..from(
                "W15",
                base(),
                vec![
                    Action::Apply(base()),
                    Action::Until("Exposed", "PortTaken"),
                    Action::NeighbourLeaves,
                ],
            )
        },
        from(
            "W16",
            base(),
            vec![
                Action::Annotate("edgemodel.io/paused", Some("true")),
                Action::Until("Reconciling", "Paused"),
                Action::Apply(with(|spec| push(&mut spec["funcs"], func("gamma", 3)))),
                Action::Annotate("edgemodel.io/paused", None),
            ],
        ),
        Workload {
            image: "edgemodel-worker:next",
            ..from("W17", base(), vec![])
        },
    ]
}

/// Others delete and edit children.
fn manual_edits() -> Vec<Workload> {
    vec![
        from(
            "W20",
            base(),
            vec![
                Action::DeleteChild("deployments.apps", "alpha"),
                Action::DeleteChild("services", "monitor"),
                Action::DeleteChild("configmaps", "beta"),
            ],
        ),
        from(
            "W21",
            base(),
            vec![
                Action::EditChild(
                    "deployments.apps",
                    "alpha",
                    json!({ "spec": { "replicas": 4 } }),
                ),
                Action::EditChild(
                    "services",
                    "monitor",
                    json!({ "spec": { "selector": { "edgemodel.io/runtime-uid": "other" } } }),
                ),
                Action::EditChild(
                    "configmaps",
                    "beta",
                    json!({ "data": { "config.yaml": "{}" } }),
                ),
            ],
        ),
    ]
}
