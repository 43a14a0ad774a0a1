//! Models that write to real database servers, which restart meanwhile.

use std::collections::HashSet;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use crds::validated::Qos;
use tests::database::{DatabaseServer, Kind, PASSWORD, USER};
use tests::python::databases;
use tests::site::{IN, Site, message};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// Writes each reading once, however often its message comes.
const WRITER: &str = "
import sqlalchemy
insert = sqlalchemy.text('INSERT')
def handler(event, context):
    value = event['telemetry']['RC_cylinder1_1P_d_dispPeak']
    with context.database('plant').begin() as connection:
        connection.execute(insert, {'v': value})
    return value
";

/// Runs a statement as the model's user would and prints its rows; address and credentials come by standard input.
const STATEMENT: &str = "
import json, sys, sqlalchemy
url, username, password, statement = json.load(sys.stdin)
url = sqlalchemy.engine.url.make_url(url).set(username=username, password=password)
engine = sqlalchemy.create_engine(url)
with engine.begin() as connection:
    result = connection.execute(sqlalchemy.text(statement))
    print(json.dumps([list(row) for row in result] if result.returns_rows else []))
engine.dispose()
";

/// Messages in all, at 500 a second.
const MESSAGES: u64 = 4000;
const PACE: Duration = Duration::from_millis(2);

async fn statement(
    server: &DatabaseServer,
    text: &str,
) -> anyhow::Result<Vec<Vec<serde_json::Value>>> {
    let mut child = Command::new(databases()?)
        .args(["-I", "-c", STATEMENT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let input = serde_json::json!([server.url(), USER, PASSWORD, text]).to_string();
    let mut stdin = child.stdin.take().context("it is piped")?;
    stdin.write_all(input.as_bytes()).await?;
    drop(stdin);
    let output = child.wait_with_output().await?;
    anyhow::ensure!(output.status.success(), "{text} failed");
    Ok(serde_json::from_slice(&output.stdout)?)
}

async fn rows(server: &DatabaseServer) -> anyhow::Result<HashSet<u64>> {
    let rows = statement(server, "SELECT v FROM readings").await?;
    let values = rows.iter().filter_map(|row| row.first()?.as_u64());
    Ok(values.collect())
}

/// The configuration with the server for its first model, whose credentials are in files.
fn with_server(
    config: &str,
    server: &DatabaseServer,
    folder: &std::path::Path,
    python: &str,
) -> String {
    let (url, folder) = (server.url(), folder.display());
    let databases = format!(
        "databases:\n- {{name: plant, url: '{url}', usernameFile: {folder}/user, passwordFile: {folder}/password}}\nmqtts:"
    );
    let func = format!(
        "- databases: [plant]\n  python: {python}\n  retry: {{attempts: 100, backoff: 100ms}}\n  devices:"
    );
    config
        .replacen("mqtts:", &databases, 1)
        .replacen("- devices:", &func, 1)
        .replacen("- pub:\n", "- pub:\n    deadLetterTopic: dead\n", 1)
}

async fn site(
    server: &DatabaseServer,
    insert: &str,
    password: &str,
) -> anyhow::Result<(Site, tempfile::TempDir)> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("user"), USER)?;
    std::fs::write(folder.path().join("password"), password)?;
    let python = databases()?;
    let python = python.to_str().context("its path is a text")?;
    let model = WRITER.replace("INSERT", insert);
    let site = Site::with(&model, |config| {
        with_server(&config, server, folder.path(), python)
    })
    .await?;
    Ok((site, folder))
}

/// A result is published, and its message acknowledged, only after its row was committed; none is lost over the restart.
async fn rows_outlive_restarts(kind: Kind, insert: &str) -> anyhow::Result<()> {
    let mut server = DatabaseServer::start(kind).await?;
    statement(&server, "CREATE TABLE readings (v INTEGER PRIMARY KEY)").await?;
    let (mut site, _folder) = site(&server, insert, PASSWORD).await?;
    let mut pace = tokio::time::interval(PACE);
    let mut published = HashSet::new();
    for value in 0..MESSAGES {
        pace.tick().await;
        site.device
            .send(IN, message(value), Qos::AtLeastOnce)
            .await?;
        if value == MESSAGES / 4 {
            // At least some are through; the next ones run into the crash.
            published.insert(site.result().await?.as_u64().context("a number")?);
            server.crash().await?;
        }
        if value == MESSAGES / 2 {
            server.restart().await?;
        }
    }
    while published.len() < usize::try_from(MESSAGES)? {
        let result = site.result().await?;
        published.insert(result.as_u64().with_context(|| result.to_string())?);
    }
    let written = rows(&server).await?;
    let missing: Vec<_> = published.difference(&written).collect();
    assert!(missing.is_empty(), "published without a row: {missing:?}");
    assert_eq!(written.len(), published.len());
    let metrics = site.worker.get("/metrics").await?.1;
    let retries = metrics
        .lines()
        .find(|line| line.starts_with("edgemodel_model_retries_total{"));
    assert!(
        retries.is_some_and(|line| !line.ends_with(" 0")),
        "nothing was tried again: {metrics}"
    );
    let (status, log) = site.worker.stop().await?;
    assert!(status.success());
    let shown = format!("{metrics}{log:?}");
    assert!(!shown.contains(PASSWORD), "{shown}");
    Ok(())
}

#[tokio::test]
async fn a3_rows_in_postgresql_outlive_its_crash_at_500_messages_a_second() -> anyhow::Result<()> {
    let insert = "INSERT INTO readings (v) VALUES (:v) ON CONFLICT DO NOTHING";
    rows_outlive_restarts(Kind::Postgresql, insert).await
}

#[tokio::test]
async fn a3_rows_in_mariadb_outlive_its_crash_at_500_messages_a_second() -> anyhow::Result<()> {
    let insert = "INSERT IGNORE INTO readings (v) VALUES (:v)";
    rows_outlive_restarts(Kind::Mariadb, insert).await
}

/// The server counts clients that left without a word.
#[tokio::test]
async fn connections_are_closed_in_order_when_the_worker_stops() -> anyhow::Result<()> {
    let server = DatabaseServer::start(Kind::Mariadb).await?;
    statement(&server, "CREATE TABLE readings (v INTEGER PRIMARY KEY)").await?;
    let (mut site, _folder) =
        site(&server, "INSERT INTO readings (v) VALUES (:v)", PASSWORD).await?;
    site.measure(7).await?;
    assert_eq!(site.result().await?, 7);
    site.worker.stop().await?;
    let aborted = statement(&server, "SHOW GLOBAL STATUS LIKE 'Aborted_clients'").await?;
    assert_eq!(aborted[0][1], "0");
    assert_eq!(rows(&server).await?, [7].into());
    Ok(())
}

/// pyboot's interface, with the driver's own placeholders.
#[tokio::test]
async fn a3_db_pool_util_reads_and_writes_in_both_servers() -> anyhow::Result<()> {
    for (kind, db_type) in [(Kind::Postgresql, "postgresql"), (Kind::Mariadb, "mysql")] {
        let server = DatabaseServer::start(kind).await?;
        let model = format!(
            "
from pyboot.utils.db.dbpool import DbPoolUtil
pool = DbPoolUtil(db_type='{db_type}')
def handler(event, context):
    pool.execute_iud('CREATE TABLE r (k VARCHAR(9), v INTEGER)')
    counts = [pool.execute_iud('INSERT INTO r VALUES (%s, %s)', ('a', 1)),
              pool.execute_many_iud('INSERT INTO r VALUES (%s, %s)', [('b', 2), ('c', 3)])]
    return counts + [pool.execute_query('SELECT v FROM r WHERE k = %s', True, ('c',)),
                     pool.execute_query_single('SELECT count(*) FROM r')[0]]
"
        );
        let python = databases()?;
        let mut pool = tests::pool::TestPool::with(&model, |options| {
            options.python.clone_from(&python);
            // A busy machine takes long to import SQLAlchemy.
            options.timeout = Duration::from_mins(1);
            options.databases = [hosts::Database {
                name: "plant".to_owned(),
                url: server.url(),
                username: Some(USER.to_owned()),
                password: Some(PASSWORD.to_owned()),
            }]
            .into();
        })
        .await?;
        let result = pool.call("0").await?;
        assert_eq!(result, "[1,2,[{\"v\":3}],3]", "{kind:?}: {}", server.log()?);
        pool.drain().await;
    }
    Ok(())
}

/// What a driver says of a refused password goes into dead letters and logs.
#[tokio::test]
async fn a_refused_password_is_in_no_error() -> anyhow::Result<()> {
    for (kind, insert) in [
        (Kind::Postgresql, "SELECT :v"),
        (Kind::Mariadb, "SELECT :v"),
    ] {
        let server = DatabaseServer::start(kind).await?;
        let wrong = "canary-wrong-9d2e";
        let (site, _folder) = site(&server, insert, wrong).await?;
        let Site {
            mut device, worker, ..
        } = site;
        device.send(IN, message(1), Qos::AtLeastOnce).await?;
        worker
            .until(|_| {
                worker
                    .log()
                    .iter()
                    .any(|line| line.to_string().contains("Call failed, trying again"))
            })
            .await?;
        let shown = format!("{:?}{}", worker.log(), worker.get("/status").await?.1);
        assert!(shown.contains("password"), "{shown}");
        assert!(
            !shown.contains(wrong) && !shown.contains(PASSWORD),
            "{shown}"
        );
    }
    Ok(())
}
