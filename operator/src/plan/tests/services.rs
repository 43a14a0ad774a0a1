//! Services: ports that are swapped, and those that make room.

use super::*;

fn service(name: &str, node_port: u16) -> Observed {
    let body = json!({
        "metadata": {}, "spec": { "type": "NodePort", "ports": [{ "port": 80, "nodePort": node_port }] },
    });
    object(Kind::Service, name, body)
}

fn ports(ports: Vec<Port>) -> Desired {
    Desired {
        ports,
        ..desired(Vec::new())
    }
}

#[test]
fn a_port_is_applied_once_and_then_kept() {
    let wanted = ports(vec![port("a", 31_000)]);
    plans(&wanted, &observed(Vec::new()), &["apply Service a"]);
    plans(
        &wanted,
        &observed(vec![service("a", 31_000)]),
        &["keep Service a"],
    );
}

#[test]
fn a_port_that_moves_to_a_free_one_is_not_released_first() {
    let there = observed(vec![service("a", 31_000)]);
    plans(
        &ports(vec![port("a", 31_001)]),
        &there,
        &["apply Service a"],
    );
}

#[test]
fn ports_that_are_swapped_are_released_first() {
    let there = observed(vec![service("a", 31_000), service("b", 31_001)]);
    let release = [
        "release a",
        "release b",
        "apply Service a",
        "apply Service b",
    ];
    plans(
        &ports(vec![port("a", 31_001), port("b", 31_000)]),
        &there,
        &release,
    );
}

#[test]
fn in_a_chain_only_what_another_waits_for_is_released() {
    let there = observed(vec![service("a", 31_000), service("b", 31_001)]);
    let release = ["release b", "apply Service a", "apply Service b"];
    plans(
        &ports(vec![port("a", 31_001), port("b", 31_002)]),
        &there,
        &release,
    );
}

#[test]
fn a_released_service_has_no_port_on_the_nodes() {
    let there = observed(vec![service("a", 31_000), service("b", 31_001)]);
    let wanted = ports(vec![port("a", 31_001), port("b", 31_000)]);
    let steps = plan(&identity(), &wanted, &there);
    let Action::ReleasePort(write) = &steps[0].action else {
        panic!("{steps:?}");
    };
    assert_eq!(write.body["spec"]["type"], "ClusterIP");
    assert_eq!(write.body["spec"]["ports"], json!([{ "port": 80 }]));
    assert_eq!(write.body["metadata"]["uid"], "uid of a");
}

#[test]
fn a_service_that_is_being_deleted_is_not_released() {
    let mut going = service("a", 31_000);
    going.body["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    let there = observed(vec![going, service("b", 31_001)]);
    let wanted = ports(vec![port("a", 31_001), port("b", 31_000)]);
    let steps = ["release b", "block WaitingForDeletion", "apply Service b"];
    plans(&wanted, &there, &steps);
}

#[test]
fn a_renamed_port_is_freed_before_its_successor_wants_it() {
    let there = observed(vec![service("before", 31_000)]);
    let steps = ["delete Service before", "apply Service after"];
    plans(&ports(vec![port("after", 31_000)]), &there, &steps);
}

#[test]
fn a_port_of_the_node_has_no_step() {
    let of_node = Port {
        service: None,
        out_port: 31_000,
    };
    let there = observed(vec![service("a", 31_000)]);
    plans(&ports(vec![of_node]), &there, &["delete Service a"]);
}

#[test]
fn the_service_of_the_workers_stays_as_long_as_there_are_models() {
    let headless = || {
        object(
            Kind::Service,
            "workers",
            json!({ "metadata": {}, "spec": { "clusterIP": "None" } }),
        )
    };
    let kept = desired(vec![blocked()]);
    plans(&kept, &observed(vec![headless()]), &[]);
    let gone = desired(Vec::new());
    plans(
        &gone,
        &observed(vec![headless()]),
        &["delete Service workers"],
    );
}
