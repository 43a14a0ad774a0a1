//! What a change costs in writes, counted: as few as there are things that change, and the status.

use std::collections::BTreeMap;

use serde_json::Value;
use tests::faults::Plan;
use tests::operator::cluster;

use super::{Site, ready, runtime};

const PORT: u16 = 31_410;

/// How many writes of each kind, as `patch services`.
type Writes = BTreeMap<String, usize>;

/// A runtime that serves, and what its operator has written.
struct Counted<'a> {
    site: Site<'a>,
    plan: Plan,
}

impl Counted<'_> {
    /// What `change` makes the operator write until all is done.
    async fn of(
        &self,
        spec: &mut Value,
        change: impl FnOnce(&mut Value),
    ) -> anyhow::Result<Writes> {
        let before = self.plan.writes().len();
        change(spec);
        self.site.put(spec).await?;
        self.site.until("plant", ready).await?;
        self.site.looked(&self.plan, 2).await?;
        let mut writes = Writes::new();
        for write in self.plan.writes().into_iter().skip(before) {
            let access = write.call.access();
            let part = if access.subresource.is_empty() {
                ""
            } else {
                "/"
            };
            let key = format!(
                "{} {}{part}{}",
                access.verb.as_str(),
                access.resource,
                access.subresource
            );
            *writes.entry(key).or_default() += 1;
        }
        Ok(writes)
    }
}

fn writes<const N: usize>(wanted: [(&str, usize); N]) -> Writes {
    wanted.map(|(key, count)| (key.to_owned(), count)).into()
}

const STATUS: &str = "patch edgemodelruntimes.edgemodel.io/status";

#[tokio::test]
async fn a_change_is_written_once_and_nothing_is_written_without_one() -> anyhow::Result<()> {
    let plan = Plan::new();
    let site = Site::with(cluster().await?, "economy", &plan).await?;
    let mut plant = runtime("plant", &["alpha", "beta"], &[("monitor", 8080, PORT)]);
    site.put(&plant).await?;
    site.until("plant", ready).await?;
    site.looked(&plan, 2).await?;
    let counted = Counted { site, plan };

    assert_eq!(counted.of(&mut plant, |_| {}).await?, writes([]));
    let note = |plant: &mut Value| plant["spec"]["expose"][0]["desc"] = "for people".into();
    assert_eq!(counted.of(&mut plant, note).await?, writes([(STATUS, 1)]));
    let address = |plant: &mut Value| {
        plant["spec"]["funcs"][0]["modelAddress"] = "http://elsewhere.example/a.zip".into();
    };
    assert_eq!(
        counted.of(&mut plant, address).await?,
        writes([("patch configmaps", 1), (STATUS, 1)])
    );
    let port = |plant: &mut Value| plant["spec"]["expose"][0]["outPort"] = (PORT + 1).into();
    assert_eq!(
        counted.of(&mut plant, port).await?,
        // Workers tell the port, too.
        writes([("patch configmaps", 2), ("patch services", 1), (STATUS, 1)])
    );
    let digest = |plant: &mut Value| {
        plant["spec"]["funcs"][0]["modelMd5"] = "f".repeat(32).into();
    };
    assert_eq!(
        counted.of(&mut plant, digest).await?,
        // The configuration of before goes when no pod reads it; the status says that workers start, and that they serve.
        writes([
            ("delete configmaps", 1),
            ("patch configmaps", 1),
            ("patch deployments.apps", 1),
            (STATUS, 2),
        ])
    );
    Ok(())
}
