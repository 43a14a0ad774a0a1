//! Checks a running installation with the operator's own rights, for `helm test`. Writes nothing.

use std::time::Duration;

use crds::EdgeModelRuntime;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use kube::api::ListParams;
use kube::core::PartialObjectMeta;
use kube::{Api, Client};
use tokio::time::Instant;

use crate::api::{self, Failure};
use crate::lease;

/// How often the Lease is read; a leader renews it every two seconds.
const PERIOD: Duration = Duration::from_millis(500);

/// What is wrong, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The kind is not there.
    #[error(
        "CRD edgemodelruntimes.edgemodel.io: not installed; set crds.enabled to true, or apply what \
         `edgemodel-operator crd` prints"
    )]
    NoDefinition,
    /// The operator cannot see what it should serve.
    #[error(
        "runtimes {place}: {answer}; check that the namespace exists, and set rbac.create to true or give the operator's \
         account the rights of the chart's role"
    )]
    Forbidden {
        /// In which namespace.
        place: String,
        /// What the API server says.
        answer: String,
    },
    /// A call failed.
    #[error(
        "{what}: {answer}; check that the API server can be reached from this pod, and try again"
    )]
    Unanswered {
        /// What was asked for.
        what: String,
        /// What came of it.
        answer: String,
    },
    /// Nobody leads.
    #[error(
        "Lease {namespace}/{name}: {said} within {seconds} s; run `kubectl -n {namespace} get pods` and read the log of the \
         operator's pod",
        name = lease::NAME
    )]
    NoLeader {
        /// Where the Lease is.
        namespace: String,
        /// What is wrong with it.
        said: String,
        /// How long it was waited for.
        seconds: u64,
    },
}

/// All problems of an operator that serves these namespaces, or all if there are none, and is elected by a Lease in the
/// namespace `lease`, if it is.
pub async fn installation(
    client: &Client,
    namespaces: &[String],
    lease: Option<&str>,
    timeout: Duration,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    if namespaces.is_empty() {
        let all = Api::all(client.clone());
        problems.extend(runtimes(&all, "of all namespaces").await);
    }
    for namespace in namespaces {
        let there = Api::namespaced(client.clone(), namespace);
        let place = format!("of namespace {namespace:?}");
        problems.extend(runtimes(&there, &place).await);
    }
    problems.dedup();
    if let Some(namespace) = lease {
        let leases = Api::namespaced(client.clone(), namespace);
        problems.extend(leader(&leases, namespace, timeout).await);
    }
    problems
}

async fn runtimes(
    runtimes: &Api<PartialObjectMeta<EdgeModelRuntime>>,
    place: &str,
) -> Option<Problem> {
    let one = ListParams::default().limit(1);
    let failure = api::call(runtimes.list_metadata(&one)).await.err()?;
    Some(match failure {
        failure if failure.is_not_found() => Problem::NoDefinition,
        Failure::Refused(status) if matches!(status.code, 401 | 403) => Problem::Forbidden {
            place: place.to_owned(),
            answer: status.message,
        },
        failure => Problem::Unanswered {
            what: format!("runtimes {place}"),
            answer: failure.to_string(),
        },
    })
}

/// Waits until the Lease is renewed. What counts is that it changes: clocks may differ.
async fn leader(leases: &Api<Lease>, namespace: &str, timeout: Duration) -> Option<Problem> {
    let deadline = Instant::now() + timeout;
    let mut first = None;
    loop {
        let answer = api::call(leases.get_opt(lease::NAME)).await;
        let now = match answer {
            Ok(lease) => lease.and_then(|lease| lease.spec),
            Err(failure) => {
                let what = format!("Lease {namespace}/{}", lease::NAME);
                let answer = failure.to_string();
                return Some(Problem::Unanswered { what, answer });
            }
        };
        let said = missing(first.as_ref(), now.as_ref())?;
        if Instant::now() >= deadline {
            return Some(Problem::NoLeader {
                namespace: namespace.to_owned(),
                said,
                seconds: timeout.as_secs(),
            });
        }
        first = first.or(now);
        tokio::time::sleep(PERIOD).await;
    }
}

/// What a Lease lacks to show that an operator leads: it is held, and renewed since it was first seen.
fn missing(first: Option<&LeaseSpec>, now: Option<&LeaseSpec>) -> Option<String> {
    let holder = now.and_then(|now| now.holder_identity.as_deref());
    let Some(holder) = holder.filter(|holder| !holder.is_empty()) else {
        return Some("no operator took it".to_owned());
    };
    let renewed = first.is_some_and(|first| Some(first) != now);
    (!renewed).then(|| format!("its holder {holder:?} did not renew it"))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
    use k8s_openapi::jiff::Timestamp;

    use super::*;

    fn held(by: &str, second: i64) -> LeaseSpec {
        LeaseSpec {
            holder_identity: Some(by.to_owned()),
            renew_time: Timestamp::from_second(second).ok().map(MicroTime),
            ..LeaseSpec::default()
        }
    }

    #[track_caller]
    fn check(first: Option<&LeaseSpec>, now: Option<&LeaseSpec>, expected: Option<&str>) {
        assert_eq!(missing(first, now).as_deref(), expected);
    }

    #[test]
    fn a_leader_shows_itself_by_renewing_the_lease() {
        let (nobody, silent) = (
            Some("no operator took it"),
            Some("its holder \"a\" did not renew it"),
        );
        let (released, later) = (held("", 1), held("", 2));
        let (a, renewed, b) = (held("a", 1), held("a", 2), held("b", 2));
        check(None, None, nobody);
        check(Some(&released), Some(&released), nobody);
        check(Some(&a), Some(&later), nobody);
        check(None, Some(&a), silent);
        check(Some(&a), Some(&a), silent);
        check(Some(&a), Some(&renewed), None);
        check(Some(&released), Some(&renewed), None);
        check(Some(&a), Some(&b), None);
    }

    #[test]
    fn problems_name_what_is_wrong_and_the_remedy() {
        let problem = Problem::NoLeader {
            namespace: "system".to_owned(),
            said: "no operator took it".to_owned(),
            seconds: 60,
        };
        let said = "Lease system/edgemodel-operator: no operator took it within 60 s; run `kubectl -n system get pods` \
                    and read the log of the operator's pod";
        assert_eq!(problem.to_string(), said);
    }
}
