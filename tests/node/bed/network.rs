//! The node's network and the folders that its programs take for granted, all in namespaces of the bed's own.

use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use tests::command::succeeded;

/// Folders whose paths programs do not let us choose: what is written there goes to the bed's folder.
const COVERED: [&str; 3] = ["/run", "/var/log", "/var/lib"];

/// Makes both.
///
/// # Errors
/// The system refuses.
pub(super) fn make(folder: &Path) -> anyhow::Result<()> {
    for covered in COVERED {
        cover(folder, covered)?;
    }
    let address = format!("{}/24", super::ADDRESS);
    for arguments in [
        &["link", "set", "lo", "up"][..],
        // Not every kernel has interfaces of the type dummy.
        &[
            "link", "add", "node0", "type", "veth", "peer", "name", "node1",
        ],
        &["address", "add", &address, "dev", "node0"],
        &["link", "set", "node0", "up"],
        &["link", "set", "node1", "up"],
        // Leads nowhere; without it there is no way to the Services' addresses, which never leave the node.
        &["route", "add", "default", "dev", "node0"],
    ] {
        run("ip", arguments)?;
    }
    std::fs::write("/proc/sys/net/ipv4/ip_forward", "1")
        .context("failed to let packets of pods through")
}

/// What is there stays to be seen below what is written.
fn cover(folder: &Path, covered: &str) -> anyhow::Result<()> {
    let layer = folder.join("covers").join(covered.replace('/', "_"));
    let (upper, work) = (layer.join("upper"), layer.join("work"));
    std::fs::create_dir_all(&upper)?;
    std::fs::create_dir_all(&work)?;
    let options = format!(
        "lowerdir={covered},upperdir={},workdir={}",
        upper.display(),
        work.display()
    );
    run(
        "mount",
        &["-t", "overlay", "overlay", "-o", &options, covered],
    )
}

/// Runs a program of the system.
///
/// # Errors
/// It fails; what it says is in the error.
pub(super) fn run(program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .with_context(|| format!("failed to run {program}"))?;
    succeeded(program, arguments, output).map(drop)
}
