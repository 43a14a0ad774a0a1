//! What every host does, for the host that the module is named after.

mod asynchronous;
mod batches;
mod crashes;
mod databases;
mod formats;
mod imports;
mod loading;
mod logging;
mod nesting;
mod poison;
mod processes;
mod pyboot;
mod retries;
mod sandbox;
mod shadows;
mod utilization;
mod values;

use crds::validated::HostChoice;
use hosts::Options;
use tests::pool::TestPool;

/// A model that is one file.
async fn start(index: &str) -> anyhow::Result<TestPool> {
    with(index, |_| {}).await
}

/// The same with changed options.
async fn with(index: &str, change: impl FnOnce(&mut Options)) -> anyhow::Result<TestPool> {
    TestPool::with(index, |options| {
        options.host = if module_path!().ends_with("::native") {
            HostChoice::Native
        } else {
            HostChoice::Portable
        };
        change(options);
    })
    .await
}
