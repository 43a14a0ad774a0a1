//! Which version of a model is served, and which were before, over whole reconciles.

use serde_json::{Value, json};

use super::bed::{Bed, two_models};

const FIRST: &str = "md5:ASNFZ4mrze8BI0VniavN7w==";
const SECOND: &str = "md5://///////////////////w==";

fn status(bed: &Bed) -> Value {
    bed.api.all("edgemodelruntimes")[0]["status"].clone()
}

/// The model whose digest changes.
fn model(bed: &Bed) -> Value {
    status(bed)["models"][1].clone()
}

impl Bed {
    /// A pod of the model's present template, which is ready since this time.
    fn put_ready(&self, name: &str, since: &str) {
        let ready = json!({ "conditions": [{ "type": "Ready", "status": "True", "lastTransitionTime": since }] });
        self.put_pod(name, &self.deployment("edgemodel-test"), ready);
        self.api
            .change("pods", name, |pod| pod["spec"]["nodeName"] = "n7".into());
    }

    fn end_pod(&self, name: &str) {
        self.api.change("pods", name, |pod| {
            pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
        });
    }

    async fn deploy(&self, md5: char) {
        let md5 = md5.to_string().repeat(32);
        self.respec(|spec| spec["funcs"][1]["modelMd5"] = md5.into());
        self.reconcile_after(0).await;
    }
}

#[tokio::test]
async fn what_is_served_is_what_ready_pods_were_made_for() {
    let bed = Bed::new(&two_models(|_| {}));
    bed.reconcile_after(0).await;
    assert_eq!(model(&bed)["wanted"], FIRST);
    assert!(model(&bed)["serving"].is_null());
    assert_eq!(status(&bed)["servingSummary"], "-,-");
    bed.put_ready("one", "2026-01-01T00:00:10Z");
    bed.reconcile_after(0).await;
    let serving = json!({ "digest": FIRST, "since": "2026-01-01T00:00:10Z", "node": "n7" });
    assert_eq!(model(&bed)["serving"], serving);
    assert_eq!(status(&bed)["servingSummary"], "-,ASNFZ4mrze8B");
    assert_eq!(status(&bed)["nodesSummary"], "n7");

    // Its configuration stays as long as the pod, so what it serves is known after the spec has changed.
    bed.deploy('f').await;
    assert_eq!(model(&bed)["wanted"], SECOND);
    assert_eq!(model(&bed)["serving"], serving);
    bed.put_ready("two", "2026-01-01T00:01:00Z");
    bed.reconcile_after(0).await;
    assert_eq!(model(&bed)["serving"], serving);
    bed.end_pod("one");
    bed.reconcile_after(0).await;
    assert_eq!(model(&bed)["serving"]["digest"], SECOND);
    assert_eq!(
        model(&bed)["history"],
        json!([{
            "digest": FIRST, "since": "2026-01-01T00:00:10Z", "until": "2026-01-01T00:01:00Z", "ended": "Replaced",
        }])
    );
    bed.api.writes();
    bed.reconcile_after(0).await;
    assert!(
        bed.api.writes().is_empty(),
        "a report that says nothing new"
    );
}

/// The pods of the spec before serve on, whatever is wrong with the new one.
#[tokio::test]
async fn a_model_that_is_blocked_is_served_as_before() {
    let bed = Bed::new(&two_models(|_| {}));
    bed.reconcile_after(0).await;
    bed.put_ready("one", "2026-01-01T00:00:10Z");
    bed.reconcile_after(0).await;
    let serving = model(&bed)["serving"].clone();
    bed.respec(|spec| spec["funcs"][1]["modelMd5"] = "none".into());
    bed.reconcile_after(0).await;
    let blocked = model(&bed);
    assert_eq!(blocked["reason"], "InvalidDigest");
    assert_eq!(blocked["serving"], serving);
    assert!(blocked["wanted"].is_null() && !serving.is_null());
    bed.respec(|spec| spec["mqtts"] = json!([]));
    bed.reconcile_after(0).await;
    assert_eq!(model(&bed)["reason"], "InvalidSpec");
    assert_eq!(model(&bed)["serving"], serving);
}
