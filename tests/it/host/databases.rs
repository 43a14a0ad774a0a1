//! Databases of the configuration, in a model's process.

use std::path::Path;

use anyhow::Context as _;
use hosts::{Database, Options};
use tests::pool::TestPool;

fn database(name: &str, url: &str) -> Database {
    let users = !url.starts_with("sqlite:");
    Database {
        name: name.to_owned(),
        url: url.to_owned(),
        username: users.then(|| "plant".to_owned()),
        password: users.then(|| "canary".to_owned()),
    }
}

fn give(options: &mut Options, databases: &[(&str, &str)]) {
    let databases = databases.iter();
    options.databases = databases.map(|(name, url)| database(name, url)).collect();
    // A busy machine takes long to import SQLAlchemy.
    options.timeout = std::time::Duration::from_mins(1);
}

async fn with(model: &str, databases: &[(&str, &str)]) -> anyhow::Result<TestPool> {
    super::with(model, |options| give(options, databases)).await
}

fn sqlite(folder: &Path) -> String {
    format!("sqlite:///{}", folder.join("plant.db").display())
}

/// Leaves no write-ahead log behind: SQLite deletes it when the last connection is closed.
#[tokio::test]
async fn a3_sqlite_needs_no_library_and_is_closed_at_stop() -> anyhow::Result<()> {
    let model = "
def handler(event, context):
    database = context.database('plant')
    if event == 0:
        database.execute('PRAGMA journal_mode=WAL')
        database.execute('CREATE TABLE r (v INTEGER)')
    with database:
        database.execute('INSERT INTO r VALUES (?)', (event,))
    same = database is context.database('plant')
    return [type(database).__module__, same, database.execute('SELECT count(*) FROM r').fetchone()[0]]
";
    let folder = tempfile::tempdir()?;
    let url = sqlite(folder.path());
    let mut pool = with(model, &[("plant", &url)]).await?;
    assert_eq!(pool.call("0").await?, "[\"sqlite3\",true,1]");
    assert_eq!(pool.call("1").await?, "[\"sqlite3\",true,2]");
    let log = folder.path().join("plant.db-wal");
    assert!(log.exists());
    pool.drain().await;
    assert!(!log.exists());
    Ok(())
}

#[tokio::test]
async fn a3_an_engine_of_sqlalchemy_is_pooled_and_checks_its_connections() -> anyhow::Result<()> {
    let model = "
import sqlalchemy
def handler(event, context):
    engine = context.database('plant')
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text('CREATE TABLE IF NOT EXISTS r (v INTEGER)'))
        connection.execute(sqlalchemy.text('INSERT INTO r VALUES (:v)'), {'v': event})
        count = connection.execute(sqlalchemy.text('SELECT count(*) FROM r')).scalar()
    remote = context.database('remote')
    return [isinstance(engine, sqlalchemy.engine.Engine), engine is context.database('plant'), engine.pool._pre_ping,
            count, str(remote.url), remote.url.password]
";
    let folder = tempfile::tempdir()?;
    let url = sqlite(folder.path());
    let remote = "postgresql+pg8000://h:5432/d";
    let python = tests::python::databases()?;
    let mut pool = super::with(model, |options| {
        give(options, &[("plant", &url), ("remote", remote)]);
        options.python = python;
    })
    .await?;
    assert_eq!(
        pool.call("5").await?,
        "[true,true,true,1,\"postgresql+pg8000://plant:***@h:5432/d\",\"canary\"]"
    );
    pool.drain().await;
    Ok(())
}

#[tokio::test]
async fn a3_what_is_missing_is_said_with_its_remedy() -> anyhow::Result<()> {
    let model = "
def handler(event, context):
    return str(context.database(event))
";
    let mut pool = with(model, &[("plant", "postgresql+pg8000://h/d")]).await?;
    let said = pool.call("\"plan\"").await?;
    assert!(
        said.contains(
            "the model has no database 'plan', it has 'plant'; name it in funcs[].databases"
        ),
        "{said}"
    );
    let said = pool.call("\"plant\"").await?;
    assert!(
        said.contains("SQLAlchemy is not there") && said.contains("wheels/"),
        "{said}"
    );
    let mut pool = with(model, &[]).await?;
    let said = pool.call("\"plant\"").await?;
    assert!(
        said.contains("the model has no databases; define 'plant' in databases"),
        "{said}"
    );
    let python = tests::python::databases()?;
    let mut pool = super::with(model, |options| {
        give(
            options,
            &[("pg", "postgresql://h/d"), ("taos", "taos://h/d")],
        );
        options.python = python;
    })
    .await?;
    let said = pool.call("\"pg\"").await?;
    assert!(
        said.contains("its driver 'psycopg") && said.contains("write postgresql+pg8000://"),
        "{said}"
    );
    let said = pool.call("\"taos\"").await?;
    assert!(
        said.contains("sqlalchemy.dialects:taos") && said.contains("wheels/"),
        "{said}"
    );
    Ok(())
}

/// Environment and command line of a process are read by others of its user, and handed on to what it starts.
#[tokio::test]
async fn credentials_are_neither_in_environment_nor_command_line_nor_errors() -> anyhow::Result<()>
{
    let model = "
import os, subprocess, sys
def handler(event, context):
    if event:
        context.database('plant')
    script = 'import os, sys; sys.stdout.write(repr((dict(os.environ), sys.argv, os.listdir(\"/proc/self/fd\"))))'
    return subprocess.run([sys.executable, '-c', script], stdout=subprocess.PIPE).stdout.decode() + repr(context)
";
    let mut pool = with(model, &[("plant", "postgresql+pg8000://h/d")]).await?;
    let inherited = pool.call("0").await?;
    assert!(
        inherited.contains("PYBOOT_MODEL") && !inherited.contains("canary"),
        "{inherited}"
    );
    let pid = pool.monitor().hosts().remove(0).pid.context("it runs")?;
    for file in ["environ", "cmdline"] {
        let bytes = std::fs::read(format!("/proc/{pid}/{file}"))?;
        let text = String::from_utf8_lossy(&bytes);
        assert!(
            text.contains("python") && !text.contains("canary"),
            "{file}: {text}"
        );
    }
    let error = pool.call("1").await?;
    assert!(
        error.contains("SQLAlchemy is not there") && !error.contains("canary"),
        "{error}"
    );
    Ok(())
}

/// Two processes that read from one connection get each other's answers.
#[tokio::test]
async fn a_forked_process_has_a_connection_of_its_own() -> anyhow::Result<()> {
    let model = "
import multiprocessing
def child(queue, context, parent):
    connection = context.database('plant')
    queue.put([id(connection) != parent, connection.execute('SELECT 5').fetchone()[0]])
def handler(event, context):
    connection = context.database('plant')
    fork = multiprocessing.get_context('fork')
    queue = fork.SimpleQueue()
    process = fork.Process(target=child, args=(queue, context, id(connection)))
    process.start()
    result = queue.get()
    process.join()
    return result + [connection.execute('SELECT 6').fetchone()[0]]
";
    let folder = tempfile::tempdir()?;
    let url = sqlite(folder.path());
    let mut pool = with(model, &[("plant", &url)]).await?;
    assert_eq!(pool.call("0").await?, "[true,5,6]");
    Ok(())
}

/// A3: pyboot's own interface, made when the model is imported.
#[tokio::test]
async fn a3_db_pool_util_works_on_the_same_definitions() -> anyhow::Result<()> {
    let model = "
from pyboot.utils.db.dbpool import DbPoolUtil
pool = DbPoolUtil(db_type='sqlite')
missing = DbPoolUtil('config/pdbc.properties')
class Rows:
    seen = []
    @classmethod
    def take(cls, row):
        cls.seen.append(row[0])
def handler(event, context):
    if event == 'fail':
        return pool.execute_iud('INSERT INTO nowhere VALUES (1)')
    if event == 'missing':
        return missing.execute_query('SELECT 1')
    if event == 'type':
        return DbPoolUtil(db_type='hbase')
    pool.execute_iud('CREATE TABLE r (k TEXT, v INTEGER)')
    counts = [pool.execute_iud('INSERT INTO r VALUES (?, ?)', ('a', 1)),
              pool.execute_many_iud('INSERT INTO r VALUES (?, ?)', [('b', v) for v in range(6000)])]
    try:
        pool.execute_many_iud('INSERT INTO r VALUES (?, ?)', [('c', 1)] * 5000 + [('c',)])
    except Exception as error:
        counts.append(type(error).__name__)
    pool.loop_row(Rows, 'take', 'SELECT v FROM r WHERE v > 5997')
    return counts + [pool.execute_query('SELECT count(*) AS n FROM r', True), Rows.seen,
            pool.execute_query('SELECT v FROM r WHERE k = ?', args=('a',)),
            pool.execute_query_single('SELECT k, v FROM r', dict_mark=True),
            pool.execute_query_single('SELECT v FROM r WHERE k = ?', args=('z',))]
";
    let folder = tempfile::tempdir()?;
    let url = sqlite(folder.path());
    let mut pool = with(model, &[("plant", &url)]).await?;
    assert_eq!(
        pool.call("\"\"").await?,
        "[1,6000,\"ProgrammingError\",[{\"n\":6001}],[5998,5999],[[1]],{\"k\":\"a\",\"v\":1},null]"
    );
    // What pyboot printed fails the message.
    let said = pool.call("\"fail\"").await?;
    assert_eq!(
        said,
        "exception: sqlite3.OperationalError: no such table: nowhere"
    );
    let said = pool.call("\"missing\"").await?;
    assert!(
        said.contains("no database of type 'mysql'; define it in databases"),
        "{said}"
    );
    let said = pool.call("\"type\"").await?;
    assert!(
        said.contains("use one of mysql, oracle, postgresql, sqlite, sqlserver"),
        "{said}"
    );
    let second = "sqlite://";
    let mut pool = with(
        "
from pyboot.utils.db.dbpool import DbPoolUtil
def handler(event, context):
    return DbPoolUtil(db_type='sqlite', name=event).execute_query('SELECT 7')
",
        &[("plant", &url), ("memory", second)],
    )
    .await?;
    assert_eq!(pool.call("\"memory\"").await?, "[[7]]");
    let said = pool.call("null").await?;
    assert!(
        said.contains("write DbPoolUtil(db_type='sqlite', name='memory')"),
        "{said}"
    );
    Ok(())
}
