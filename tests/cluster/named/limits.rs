//! Sizes: many objects of others, the largest runtime.

use futures_util::{StreamExt as _, TryStreamExt as _};
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use serde_json::json;
use tests::faults::Plan;
use tests::operator::cluster;

use super::{ready, start};
use crate::operator::{Site, runtime};

/// More than one page of a list.
const OBJECTS: usize = 600;

/// EN-11: nothing that may be large is read in one piece.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_of_what_others_have_are_read_in_pages() -> anyhow::Result<()> {
    let (site, plan) = start("en11").await?;
    let services = site.objects("services")?;
    // The last by name has the port.
    futures_util::stream::iter(0..OBJECTS)
        .map(async |number| {
            // The API server gives out addresses one after the other, under a lock that every other Service waits for.
            let spec = if number + 1 == OBJECTS {
                json!({ "type": "NodePort", "ports": [{ "port": 80, "nodePort": 31_221 }] })
            } else {
                json!({ "clusterIP": "None", "ports": [{ "port": 80 }] })
            };
            let metadata = json!({ "name": format!("other-{number:04}") });
            let service = json!({ "metadata": metadata, "spec": spec });
            let service = serde_json::from_value(service)?;
            services.create(&PostParams::default(), &service).await?;
            anyhow::Ok(())
        })
        .buffer_unordered(32)
        .try_collect::<()>()
        .await?;
    site.put(&runtime("plant", &["alpha"], &[("monitor", 8080, 31_221)]))
        .await?;
    let found = site
        .until("plant", |status| {
            status["expose"][0]["reason"] == "PortTaken"
        })
        .await?;
    let message = found["status"]["expose"][0]["message"].to_string();
    let holder = format!("other-{:04}", OBJECTS - 1);
    assert!(message.contains(&holder), "{message}");
    let whole: Vec<_> = plan.whole_lists().iter().map(ToString::to_string).collect();
    assert!(whole.is_empty(), "not in pages: {whole:?}");
    // They would hold ports that other tests take.
    for object in services.list(&ListParams::default()).await? {
        let name = kube::ResourceExt::name_any(&object);
        if name == holder {
            services
                .delete(&name, &kube::api::DeleteParams::default())
                .await?;
        }
    }
    Ok(())
}

/// EN-12: the largest runtime that admission lets in, whatever its characters take in YAML.
#[tokio::test]
async fn the_largest_runtime_runs() -> anyhow::Result<()> {
    // A debug build may need longer to reconcile these than a leader of several replicas lives.
    let site = Site::with(cluster().await?, "en12", &Plan::new()).await?;
    let runtimes = site.objects("edgemodelruntimes")?;
    for (name, character) in [
        ("plain", 'a'),
        ("wide", '设'),
        ("emoji", '😀'),
        ("control", '\u{1}'),
    ] {
        let mut large = runtime(name, &["alpha", "beta"], &[]);
        let value = character.to_string().repeat(1024);
        let device = |number: usize| {
            let attributes = (0..8).map(|_| {
                json!({ "attrName": "", "attrValue": value, "attrExpression": "in data_to_dict" })
            });
            json!({ "deviceName": format!("{number:03}"), "deviceAttr": attributes.collect::<Vec<_>>() })
        };
        // 8 × (1024 + 15 + 20) + 3 + 15 each, of 200,000.
        let devices: Vec<_> = (0..23).map(device).collect();
        large["spec"]["funcs"][0]["devices"] = devices.into();
        let parameters = PatchParams::apply("user").force();
        runtimes
            .patch(name, &parameters, &Patch::Apply(&large))
            .await?;
        site.until(name, ready).await?;
    }
    // One more device is refused, in words.
    let mut larger = runtime("larger", &["alpha"], &[]);
    let value = "a".repeat(1024);
    let attributes: Vec<_> = (0..8)
        .map(|_| json!({ "attrName": "", "attrValue": value, "attrExpression": "in data_to_dict" }))
        .collect();
    let devices = (0..24).map(
        |number| json!({ "deviceName": format!("{number:03}"), "deviceAttr": attributes.clone() }),
    );
    larger["spec"]["funcs"][0]["devices"] = devices.collect();
    let refused = site.put(&larger).await.unwrap_err().to_string();
    assert!(
        refused.contains("divide the models among several runtimes"),
        "{refused}"
    );
    Ok(())
}
