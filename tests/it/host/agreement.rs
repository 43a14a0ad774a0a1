//! Both hosts in one interpreter: the same events for the same messages, the same bytes for the same results.

use std::process::Command;

use tests::long::long;

/// With `EDGEMODEL_LONG=hosts` 200,000 of each, from another seed each time.
#[test]
fn both_hosts_read_and_write_random_values_alike() -> anyhow::Result<()> {
    let (seed, count) = match long("hosts") {
        Some(_) => (rand::random::<u32>(), 200_000),
        None => (1, 5_000),
    };
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/python");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../worker/host/python");
    let output = Command::new(hosts::python(None)?)
        .args(["-B", &format!("{fixtures}/hosts_agree.py")])
        .arg(hosts::library()?)
        .args([folder, &seed.to_string(), &count.to_string()])
        .output()?;
    let (told, error) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "seed {seed}: {told}{error}");
    assert!(told.contains(&format!("{count} messages")) && told.contains(" 0 differences"));
    Ok(())
}
