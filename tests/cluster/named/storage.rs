//! ST-11: etcd is restored from an older snapshot. Resource versions go back, and a watch waits for those that it has
//! seen already.

use tests::control_plane::{ControlPlane, Kubelet};
use tests::faults::Plan;

use super::{plant, ready};
use crate::operator::{Site, runtime};

/// More than happens by itself in the time that the test waits.
const REVISIONS: u64 = 5000;

#[tokio::test]
async fn a_storage_that_is_restored_from_before_is_reconciled_anew() -> anyhow::Result<()> {
    let control_plane = ControlPlane::start(tests::operator::options()).await?;
    let mut site = Site::with(&control_plane, "st11", &Plan::new()).await?;
    site.put(&plant(1)).await?;
    site.until("plant", ready).await?;
    let snapshot = control_plane.snapshot().await?;
    for digest in 2..5 {
        site.put(&plant(digest)).await?;
    }
    site.until("plant", ready).await?;
    control_plane.age(REVISIONS).await?;
    // The operator's watches see how far it is.
    site.put(&plant(5)).await?;
    site.until("plant", ready).await?;
    let before = control_plane.revision().await?;

    control_plane.restore(&snapshot).await?;
    let after = control_plane.revision().await?;
    assert!(after + 1000 < before, "{after} is not before {before}");
    // The stand-in for the kubelets follows pods by a watch of its own, and is started again as they would be.
    site.kubelet = Kubelet::start(control_plane.client()?, Some(&site.namespace));
    site.put(&runtime("late", &["alpha"], &[])).await?;
    site.until("late", ready).await?;
    let changed = plant(6);
    site.put(&changed).await?;
    let found = site.until("plant", ready).await?;
    assert_eq!(found["spec"]["funcs"], changed["spec"]["funcs"]);
    Ok(())
}
