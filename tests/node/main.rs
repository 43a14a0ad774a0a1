//! A real node: kubelet, containerd, kube-proxy and Prometheus beside a real API server, with a broker and a model
//! server, in namespaces of their own. See docs/node.md.
//!
//! `node` runs the scenarios one after the other, `node NAME...` those whose names begin so, `node up` only brings
//! the sample up for people to look at.

#![expect(clippy::print_stdout, reason = "it tells people what happens")]

mod bed;
mod load;
mod report;
mod sandbox;
mod scenarios;
mod up;

use std::process::ExitCode;

use bed::Bed;
use sandbox::Sandbox;

fn main() -> anyhow::Result<ExitCode> {
    // What cargo and people hand to test programs, such as `--nocapture`, means nothing here.
    let arguments: Vec<_> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    match Sandbox::from_environment() {
        None => runtime.block_on(sandbox::run(&arguments)),
        Some(sandbox) => runtime.block_on(inside(&sandbox, &arguments)),
    }
}

async fn inside(sandbox: &Sandbox, arguments: &[String]) -> anyhow::Result<ExitCode> {
    let work = async {
        let bed = Bed::start(sandbox).await?;
        if arguments == ["up"] {
            up::serve(bed).await?;
            return Ok(ExitCode::SUCCESS);
        }
        scenarios::run(bed, arguments).await
    };
    tokio::select! {
        done = work => done,
        () = sandbox.told_to_end() => Ok(ExitCode::SUCCESS),
    }
}
