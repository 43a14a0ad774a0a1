//! The sample on the bed for people to look at.

use std::time::Duration;

use tests::running::get;

use crate::bed::{Bed, Prometheus, RULES, at};
use crate::scenarios::{self, Scene};

/// Brings it up, tells what to look at, and waits forever.
///
/// # Errors
/// It does not come up.
pub(crate) async fn serve(bed: Bed) -> anyhow::Result<()> {
    let scene = Scene::set(bed).await?;
    let bed = &scene.bed;
    let prometheus = Prometheus::start(bed, RULES).await?;
    // The proxy takes a moment to open a new port.
    let port = at(scene.sample.port);
    scenarios::patiently(async || Ok(get(port, "/healthz").await.ok())).await?;
    let (input, output) = scene.sample.topics();
    println!(
        "
The sample serves on a node of its own. In another terminal, as root:

  {enter} kubectl get emr,pods -A
  {enter} curl http://{address}/queue_size_metrics
  {enter} mosquitto_sub -p {broker} -v -t '{output}'
  {enter} mosquitto_pub -p {broker} -q 1 -t '{input}' -f {message}
  {enter} curl 'http://127.0.0.1:{prometheus}/api/v1/query?query=edgemodel_queue_depth'
  {enter}                                  a shell inside

Logs are in {folder}. Ctrl-C ends it and removes everything.
",
        enter = bed.folder.join("enter").display(),
        address = at(scene.sample.port),
        broker = bed.broker.port(),
        message = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/fixtures/seed/sample-message.json"
        ),
        prometheus = prometheus.port(),
        folder = bed.folder.display(),
    );
    loop {
        bed.tell_prometheus().await?;
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
}
