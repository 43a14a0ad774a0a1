//! Old versions in the models directory: `edgemodel models`, and what a worker deletes by itself.

use packages::{InstallOptions, Installed, Store};
use tests::site::{Models, file_url};

use crate::cli::edgemodel;
use crate::model::func;

/// Installs a version of the model `m`.
async fn install(models: &Models, store: &Store, version: u8) -> anyhow::Result<Installed> {
    let packed = models.pack("m", &format!("VERSION = {version}\n"))?;
    let func = func(&file_url(&packed.path)?, &packed)?;
    Ok(store.install(&func, &InstallOptions::default()).await?)
}

/// The digests that `edgemodel models` lists with these arguments.
fn listed(models: &Models, arguments: &[&str]) -> anyhow::Result<Vec<String>> {
    let directory = models.installed().display().to_string();
    let common = ["--models-dir", &directory, "--json"];
    let arguments: Vec<_> = ["models"]
        .iter()
        .chain(arguments)
        .chain(&common)
        .copied()
        .collect();
    let output = edgemodel(&arguments, "")?;
    let text = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{text}");
    let list: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout)?;
    let digest = |version: &serde_json::Value| version["sha256"].as_str().map(str::to_owned);
    Ok(list.iter().filter_map(digest).collect())
}

#[tokio::test]
async fn three_versions_of_a_model_stay_and_those_in_use() -> anyhow::Result<()> {
    let models = Models::new()?;
    let store = Store::open(&models.installed())?;
    let digest = |installed: &Installed| installed.sha256.map(|sha256| sha256.to_string());
    let served = install(&models, &store, 0).await?;
    let mut installed = Vec::new();
    for version in 1..=4 {
        // What is not held is not in use.
        installed.extend(digest(&install(&models, &store, version).await?));
    }
    let mut expected: Vec<_> = installed.iter().skip(1).rev().cloned().collect();
    expected.extend(digest(&served));
    assert_eq!(listed(&models, &["ls"])?, expected);

    let doomed = &expected[1..3];
    let dry = listed(&models, &["prune", "--keep", "1", "--dry-run"])?;
    assert_eq!(dry, doomed);
    assert_eq!(listed(&models, &["prune", "--keep", "1"])?, doomed);
    let left = [expected[0].clone(), expected[3].clone()];
    assert_eq!(listed(&models, &["ls"])?, left);
    assert!(served.directory.join("index.py").is_file());
    drop(served);
    assert_eq!(listed(&models, &["prune", "--keep", "1"])?, expected[3..]);
    Ok(())
}

#[test]
fn a_models_directory_that_is_missing_is_named_and_not_made() -> anyhow::Result<()> {
    let models = Models::new()?;
    let directory = models.installed().display().to_string();
    let output = edgemodel(&["models", "ls", "--models-dir", &directory], "")?;
    assert_eq!(output.status.code(), Some(1));
    let expected = format!("error: {directory} isn't a folder; set --models-dir\n");
    assert_eq!(String::from_utf8(output.stderr)?, expected);
    assert!(!models.installed().exists());
    Ok(())
}
