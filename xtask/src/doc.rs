//! The documentation of the code: every crate of the workspace with its private items, and a front page over them.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use serde_json::Value;

/// Runs `cargo doc`, in which warnings are errors, and writes `target/doc/index.html`.
pub(crate) fn build() -> anyhow::Result<()> {
    let flags = std::env::var("RUSTDOCFLAGS").unwrap_or_default();
    // The model host is built alone; see Cargo.toml.
    let status = cargo(std::env::vars_os())
        .args(["doc", "--locked", "--workspace", "--exclude", "host"])
        .args(["--no-deps", "--document-private-items"])
        .env("RUSTDOCFLAGS", format!("{flags} -D warnings"))
        .status()
        .context("failed to run cargo doc")?;
    anyhow::ensure!(status.success(), "cargo doc failed: {status}");
    let metadata = metadata()?;
    let target = metadata["target_directory"]
        .as_str()
        .context("no target_directory")?;
    let folder = Path::new(target).join("doc");
    let page = front_page(&metadata, |library| folder.join(library).is_dir());
    let file = folder.join("index.html");
    std::fs::write(&file, page).with_context(|| format!("failed to write {}", file.display()))
}

/// Cargo in `variables` without those that `cargo run` sets: build scripts that depend on them, such as ring's, would run
/// again in each direction, and all crates above would be compiled again.
fn cargo(variables: impl Iterator<Item = (OsString, OsString)>) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    for (name, _) in variables {
        let of_a_package = [
            "CARGO_PKG_",
            "CARGO_MANIFEST_",
            "CARGO_BIN_",
            "CARGO_CRATE_",
        ];
        let name_text = name.to_string_lossy();
        if of_a_package
            .iter()
            .any(|start| name_text.starts_with(start))
        {
            cargo.env_remove(&name);
        }
    }
    cargo
}

fn metadata() -> anyhow::Result<Value> {
    let output = cargo(std::env::vars_os())
        .args(["metadata", "--locked", "--no-deps", "--format-version", "1"])
        .output()
        .context("failed to run cargo metadata")?;
    anyhow::ensure!(output.status.success(), "cargo metadata failed");
    serde_json::from_slice(&output.stdout).context("cargo metadata printed no JSON")
}

/// Lists the libraries that are documented, in the order of the workspace's members, each with its description.
fn front_page(metadata: &Value, documented: impl Fn(&str) -> bool) -> String {
    let mut page = String::from(
        "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>edgemodel</title>\n\
         <link rel=\"icon\" href=\"data:,\">\n\
         <body style=\"font: 16px/1.5 sans-serif; max-width: 50em; margin: 2em auto\">\n\
         <h1>edgemodel</h1>\n\
         <p>The crates of the workspace. docs/ARCHITECTURE.md shows how they work together.</p>\n<dl>\n",
    );
    let packages = metadata["packages"].as_array().into_iter().flatten();
    for package in packages {
        let targets = package["targets"].as_array().into_iter().flatten();
        let library = targets
            .filter(|target| target["kind"][0] == "lib")
            .filter_map(|target| target["name"].as_str())
            .find(|name| documented(name));
        let Some(library) = library else { continue };
        let description = package["description"].as_str().unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = writeln!(
            page,
            "<dt><a href=\"{library}/index.html\">{library}</a></dt><dd>{}</dd>",
            escaped(description)
        );
    }
    page.push_str("</dl>\n");
    page
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn cargo_does_not_take_its_caller_for_the_package_that_it_builds() {
        let variables = ["CARGO_PKG_NAME", "CARGO_HOME", "CARGO_MANIFEST_DIR", "PATH"];
        let variables = variables.map(|name| (name.into(), "of xtask".into()));
        let cargo = cargo(variables.into_iter());
        let removed: Vec<_> = cargo
            .get_envs()
            .map(|(name, value)| (name.to_str(), value))
            .collect();
        let expected = ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME"].map(|name| (Some(name), None));
        assert_eq!(removed, expected);
    }

    #[test]
    fn the_front_page_lists_libraries_that_are_documented() {
        let metadata = json!({ "packages": [
            { "description": "types & <rules>", "targets": [{ "kind": ["lib"], "name": "crds" }] },
            { "description": "left out", "targets": [{ "kind": ["cdylib"], "name": "host" }] },
            { "description": "not built", "targets": [{ "kind": ["lib"], "name": "fuzz" }] },
        ]});
        let page = front_page(&metadata, |library| library != "fuzz");
        let line = "<dt><a href=\"crds/index.html\">crds</a></dt><dd>types &amp; &lt;rules></dd>";
        assert!(page.contains(line), "{page}");
        assert_eq!(page.matches("<dt>").count(), 1, "{page}");
    }
}
