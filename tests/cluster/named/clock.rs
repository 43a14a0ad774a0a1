//! EN-08: the wall clock of the operator's machine jumps by an hour, both ways.

use std::ffi::OsString;

use anyhow::Context as _;
use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, ResourceExt as _};
use operator::lease;
use tests::control_plane::Kubelet;
use tests::operator::{Operator, cluster};

use super::{brief, plant, ready};
use crate::operator::Site;
use crate::process::{Process, Start};

/// Renewals after a jump: together they take longer than the lease.
const RENEWALS: usize = 8;

#[tokio::test]
async fn a_lease_is_neither_lost_nor_stolen_when_clocks_jump() -> anyhow::Result<()> {
    let control_plane = cluster().await?;
    let namespace = control_plane.namespace("en08").await?;
    let folder = tempfile::tempdir()?;
    let clock = folder.path().join("clock");
    std::fs::write(&clock, "+0")?;
    let kubeconfig = control_plane.kubeconfig();
    let mut start = Start::candidate(&kubeconfig, &namespace, "jumping");
    start.arguments.push("--lease-duration=4".to_owned());
    start.environment = vec![
        ("LD_PRELOAD", tests::faketime()?.into()),
        ("FAKETIME_TIMESTAMP_FILE", clock.clone().into()),
        ("FAKETIME_NO_CACHE", OsString::from("1")),
        ("FAKETIME_DONT_FAKE_MONOTONIC", OsString::from("1")),
    ];
    let mut jumping = Process::start(start).await?;
    jumping.until_leading().await?;
    // The other goes by the clock of this machine.
    let other = brief(&namespace, "other");
    let site = Site {
        control_plane,
        kubelet: Kubelet::start(control_plane.client()?, Some(&namespace)),
        operator: Operator::alone(control_plane.client()?, other),
        namespace,
    };
    let leases = Api::<Lease>::namespaced(control_plane.client()?, &site.namespace);
    for (digest, offset) in [(1, "+0"), (2, "+1h"), (3, "-1h"), (4, "+0")] {
        std::fs::write(&clock, offset)?;
        site.put(&plant(digest)).await?;
        site.until("plant", ready).await?;
        for _ in 0..RENEWALS {
            renewed(&leases).await?;
        }
        let lease = leases.get(lease::NAME).await?.spec.unwrap_or_default();
        assert_eq!(
            lease.holder_identity.as_deref(),
            Some("jumping"),
            "{offset}"
        );
        assert_eq!(lease.lease_transitions, Some(0), "{offset}");
    }
    assert_eq!(jumping.ended()?, None, "{}", jumping.log());
    Ok(())
}

/// Waits for the next change of the lease.
async fn renewed(leases: &Api<Lease>) -> anyhow::Result<()> {
    let before = leases.get(lease::NAME).await?.resource_version();
    tests::eventually(async || {
        let now = leases.get(lease::NAME).await?.resource_version();
        Ok((now != before).then_some(()))
    })
    .await
    .context("the lease was not renewed")
}
