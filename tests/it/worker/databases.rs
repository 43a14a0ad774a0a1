//! Databases of the configuration, through the whole worker.

use tests::running::Running;
use tests::site::{Models, Site};

const WRITER: &str = "
def handler(event, context):
    value = event['telemetry']['RC_cylinder1_1P_d_dispPeak']
    database = context.database('plant')
    with database:
        database.execute('CREATE TABLE IF NOT EXISTS r (v INTEGER)')
        database.execute('INSERT INTO r VALUES (?)', (value,))
    if value == 13:
        context.database('remote')
    return database.execute('SELECT sum(v) FROM r').fetchone()[0]
";

/// The configuration with databases for its first model, whose credentials are in files.
fn with_databases(config: &str, folder: &std::path::Path) -> String {
    let folder = folder.display();
    let databases = format!(
        "databases:
- {{name: plant, url: 'sqlite:///{folder}/plant.db'}}
- {{name: remote, url: 'postgresql+pg8000://127.0.0.1:1/d', usernameFile: {folder}/user, passwordFile: {folder}/password}}
- {{name: other, url: 'postgresql+pg8000://127.0.0.1:1/d', usernameFile: /missing, passwordFile: /missing}}
mqtts:"
    );
    config
        .replacen("mqtts:", &databases, 1)
        .replacen("- devices:", "- databases: [plant, remote]\n  devices:", 1)
        .replacen("- pub:\n", "- pub:\n    deadLetterTopic: dead\n", 1)
}

/// No model uses `other`, so its files are not read.
#[tokio::test]
async fn a_model_writes_to_its_database_and_nothing_shows_the_password() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("user"), "plant\n")?;
    std::fs::write(folder.path().join("password"), "canary-7f3a\n")?;
    let mut site = Site::with(WRITER, |config| with_databases(&config, folder.path())).await?;
    for (value, sum) in [(7, 7), (8, 15)] {
        site.measure(value).await?;
        assert_eq!(site.result().await?, sum);
    }
    site.measure(13).await?;
    let letter = site.result().await?;
    let message = letter["message"].as_str().unwrap_or_default();
    assert!(message.contains("SQLAlchemy is not there"), "{letter}");
    let mut shown = letter.to_string();
    for path in ["/status", "/metrics", "/"] {
        shown += &site.worker.get(path).await?.1;
    }
    let (status, log) = site.worker.stop().await?;
    assert!(status.success());
    shown += &format!("{log:?}");
    assert!(shown.contains("SQLAlchemy is not there"));
    assert!(!shown.contains("canary-7f3a"), "{shown}");
    Ok(())
}

#[tokio::test]
async fn a_password_that_cannot_be_read_is_said_before_anything_starts() -> anyhow::Result<()> {
    let models = Models::new()?;
    let packed = models.pack("industry", WRITER)?;
    let address = tests::site::file_url(&packed.path)?;
    let config = tests::site::seed("tcp://127.0.0.1:1", &address, &packed)?;
    let config = with_databases(&config, models.path());
    let error = Running::start(&config, &models.installed()).await.err();
    let said = error.map(|error| error.to_string()).unwrap_or_default();
    assert!(
        said.contains("databases[1].usernameFile: failed to read"),
        "{said}"
    );
    Ok(())
}
