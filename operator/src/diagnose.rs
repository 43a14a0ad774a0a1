//! Why the API server refused a Service, as far as its port is the cause.

use k8s_openapi::api::core::v1::Service;
use kube::api::ListParams;
use kube::{Api, Client, ResourceExt as _};

use crate::api::{self, Failure};
use crate::desired::{Identity, Port};
use crate::outcome::{ApplyError, Outcomes, Part, PortHolder};

/// Objects of others that are read at a time.
const PAGE: u32 = 250;

/// What a refusal says about a port.
#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    /// It is not among those that there are.
    OutOfRange(String),
    /// Another Service has it.
    Taken,
}

/// Says of each port that was refused why that is, where the port is the cause.
pub async fn ports(client: &Client, identity: &Identity, ports: &[Port], outcomes: &mut Outcomes) {
    for (part, error) in outcomes.errors_mut() {
        let Part::Port(index) = part else {
            continue;
        };
        let port = ports[index].out_port;
        *error = match error.failure().and_then(refusal) {
            None => continue,
            Some(Refusal::OutOfRange(range)) => ApplyError::PortOutOfRange { port, range },
            Some(Refusal::Taken) => {
                let holder = holder(client, identity, port).await;
                ApplyError::PortTaken { port, holder }
            }
        };
    }
}

fn refusal(failure: &Failure) -> Option<Refusal> {
    let text = failure.to_string();
    if let Some((_, range)) = text.split_once("The range of valid ports is ") {
        let end = range.find(|c: char| !(c.is_ascii_digit() || c == '-'));
        let range = &range[..end.unwrap_or(range.len())];
        return Some(Refusal::OutOfRange(range.to_owned()));
    }
    let taken = text.contains("provided port is already allocated");
    taken.then_some(Refusal::Taken)
}

/// Which Service has `port`, as far as the operator may read: everywhere, or where the runtime is.
async fn holder(client: &Client, identity: &Identity, port: u16) -> PortHolder {
    let named = |service: Service| PortHolder::Service {
        name: service.name_any(),
        namespace: service.namespace().unwrap_or_default(),
    };
    let everywhere: Api<Service> = Api::all(client.clone());
    if let Ok(found) = holder_in(&everywhere, port).await {
        return found.map_or(PortHolder::NoService, named);
    }
    let here: Api<Service> = Api::namespaced(client.clone(), &identity.namespace);
    let found = holder_in(&here, port).await.ok().flatten();
    found.map_or(PortHolder::Hidden, named)
}

/// The search is paginated: a cluster may have thousands of Services.
async fn holder_in(services: &Api<Service>, port: u16) -> Result<Option<Service>, Failure> {
    let mut query = ListParams::default().limit(PAGE);
    loop {
        let page = api::call(services.list(&query)).await?;
        let next = page.metadata.continue_.filter(|token| !token.is_empty());
        if let Some(service) = page.items.into_iter().find(|service| holds(service, port)) {
            return Ok(Some(service));
        }
        let Some(next) = next else {
            return Ok(None);
        };
        query.continue_token = Some(next);
    }
}

/// Whether the API server has given `port` to this Service, for its traffic or for the checks of a load balancer.
fn holds(service: &Service, port: u16) -> bool {
    let Some(spec) = &service.spec else {
        return false;
    };
    let ports = spec.ports.iter().flatten().map(|one| one.node_port);
    let mut ports = ports.chain([spec.health_check_node_port]).flatten();
    ports.any(|one| one == i32::from(port))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(message: &str, expected: Option<&Refusal>) {
        let status = kube::core::Status::failure(message, "");
        assert_eq!(
            refusal(&Failure::Refused(Box::new(status))).as_ref(),
            expected
        );
    }

    #[test]
    fn a_refusal_says_what_is_wrong_with_the_port() {
        let range = |range: &str| Some(Refusal::OutOfRange(range.to_owned()));
        let message = "nodePort: Invalid value: 38080: provided port is not in the valid range. The range of valid \
                       ports is 30000-32767";
        check(message, range("30000-32767").as_ref());
        check(
            &format!("{message}, and more"),
            range("30000-32767").as_ref(),
        );
        let message = "nodePort: Invalid value: 31000: provided port is already allocated";
        check(message, Some(&Refusal::Taken));
        check("exceeded quota: services.nodeports=1", None);
    }

    #[track_caller]
    fn holder(ports: &serde_json::Value, expected: bool) {
        let service = json!({ "metadata": {}, "spec": { "ports": ports } });
        let service: Service = serde_json::from_value(service).unwrap();
        assert_eq!(holds(&service, 31_000), expected, "{ports}");
    }

    #[test]
    fn a_service_holds_a_port_if_any_of_its_ports_does() {
        holder(&json!([{ "port": 80, "nodePort": 31_000 }]), true);
        holder(
            &json!([{ "port": 80 }, { "port": 81, "nodePort": 31_000 }]),
            true,
        );
        holder(&json!([{ "port": 31_000 }]), false);
        holder(&json!([]), false);
    }

    /// It comes from the same range, and `kubectl get services` doesn't show it.
    #[test]
    fn a_load_balancers_health_check_holds_a_port() {
        let spec =
            json!({ "healthCheckNodePort": 31_000, "ports": [{ "port": 80, "nodePort": 30_001 }] });
        let service: Service =
            serde_json::from_value(json!({ "metadata": {}, "spec": spec })).unwrap();
        assert!(holds(&service, 31_000));
    }
}
