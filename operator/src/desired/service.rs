//! Services: one for each exposed port, and one without an address of its own for the workers.

use crds::cluster::ExposeMode;
use crds::contract::HTTP_PORT;
use crds::validated::{ExposeProtocol, ValidatedExpose};
use serde_json::{Value, json};

use super::{Child, Identity, labels, names};
use crate::kind::Kind;

/// The Service of an exposed port; none where the port is the node's.
pub(super) fn of_port(
    identity: &Identity,
    mode: ExposeMode,
    entry: &ValidatedExpose,
) -> Option<Child> {
    let kind = match mode {
        ExposeMode::HostPort => return None,
        ExposeMode::NodePort => "NodePort",
        ExposeMode::ClusterIP => "ClusterIP",
    };
    let mut port = json!({
        "name": match entry.protocol {
            ExposeProtocol::Http => "http",
            ExposeProtocol::Tcp => "tcp",
        },
        "protocol": "TCP",
        "port": entry.port,
        "targetPort": entry.port,
    });
    if kind == "NodePort" {
        port["nodePort"] = entry.out_port.into();
    }
    let name = names::service(&identity.name, &entry.name);
    let annotations = json!({ labels::NAME: entry.name });
    let body = json!({
        "type": kind,
        "selector": labels::selector(identity),
        "ports": [port],
    });
    Some(service(identity, name, &annotations, &body))
}

/// The headless Service by which workers find each other, ready or not.
pub(super) fn of_workers(identity: &Identity, host_network: bool) -> Child {
    let name = names::workers(&identity.name);
    let body = json!({
        "type": "ClusterIP",
        "clusterIP": "None",
        "publishNotReadyAddresses": true,
        "selector": labels::selector(identity),
        "ports": [{
            "name": "http",
            "protocol": "TCP",
            "port": HTTP_PORT,
            // By name: workers in their node's network each have a port of their own.
            "targetPort": if host_network { json!("metrics") } else { json!(HTTP_PORT) },
        }],
    });
    service(identity, name, &json!({}), &body)
}

fn service(identity: &Identity, name: String, annotations: &Value, spec: &Value) -> Child {
    let labels = labels::common(identity);
    let body = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": labels::metadata(identity, &name, &labels, annotations),
        "spec": spec,
    });
    Child::new(Kind::Service, name, body)
}

/// `service` without its port on the nodes, which another Service of the runtime is to have.
pub fn released(service: &Child) -> Child {
    let mut body = service.body.clone();
    body["spec"]["type"] = "ClusterIP".into();
    if let Some(ports) = body["spec"]["ports"].as_array_mut() {
        for port in ports.iter_mut().filter_map(Value::as_object_mut) {
            port.remove("nodePort");
        }
    }
    Child::new(Kind::Service, service.name.clone(), body)
}

/// The port of a Service on the nodes.
pub fn node_port(service: &Value) -> Option<u16> {
    let port = service["spec"]["ports"][0]["nodePort"].as_u64()?;
    u16::try_from(port).ok()
}
