//! What a model logs is one record each in the worker's log.

use tests::eventually;
use tests::log::{Line, Log};
use tests::pool::TestPool;

/// The line with a message, once it is there.
async fn line(log: &Log, message: &str) -> anyhow::Result<Line> {
    eventually(async || {
        let lines = log.lines();
        Ok(lines
            .into_iter()
            .find(|line| line.get("message") == message))
    })
    .await
}

async fn pool() -> anyhow::Result<TestPool> {
    let model = "
import logging, threading
from pyboot.logger import log
logging.basicConfig(level=logging.DEBUG, format='%(message)s')
def handler(event, context):
    context.logger.error('bad %s', event, extra={'sensor': '设备2', 'values': [1, 2.5], 'odd': {1, 2}, 'what': object})
    try:
        {}['missing']
    except KeyError:
        logging.exception('no such key')
    log.warning('of pyboot')
    context.logger.debug('small')
    thread = threading.Thread(target=lambda: logging.info('of a thread'))
    thread.start()
    thread.join()
    thread = threading.Thread(target=lambda: context.logger.info('of a thread that knows'))
    thread.start()
    thread.join()
    print('printed')
    return isinstance(context.logger, logging.Logger) and context.logger.name
";
    super::start(model).await
}

/// A11: level, device, topic, traceback and extras, each in its field.
#[tokio::test]
async fn a11_a_record_has_level_device_topic_traceback_and_extras() -> anyhow::Result<()> {
    let log = Log::new();
    let mut pool = pool().await?;
    assert_eq!(pool.call("7").await?, "\"industry\"");
    let error = line(&log, "bad 7").await?;
    assert_eq!(error.level, "ERROR");
    assert_eq!(error.get("model"), "industry");
    assert_eq!(error.get("logger"), "industry");
    assert_eq!((error.get("device"), error.get("topic")), ("d", "in/设备"));
    let extra: serde_json::Value = serde_json::from_str(error.get("extra"))?;
    assert_eq!(
        extra,
        serde_json::json!({"sensor": "设备2", "values": [1, 2.5], "odd": [1, 2], "what": "<class 'object'>"})
    );
    assert_eq!(error.get("traceback"), "");

    let exception = line(&log, "no such key").await?;
    assert_eq!(
        (&*exception.level, exception.get("logger")),
        ("ERROR", "root")
    );
    assert_eq!(exception.get("device"), "d");
    let traceback = exception.get("traceback");
    assert!(
        traceback.starts_with("Traceback (most recent call last):\n"),
        "{traceback}"
    );
    assert!(
        traceback.trim_end().ends_with("KeyError: 'missing'"),
        "{traceback}"
    );

    let pyboot = line(&log, "of pyboot").await?;
    assert_eq!(
        (&*pyboot.level, pyboot.get("logger"), pyboot.get("topic")),
        ("WARN", "pyboot", "in/设备")
    );
    assert_eq!(line(&log, "small").await?.level, "DEBUG");
    // Which message another thread works on is not known, unless it logs by a message's context.
    let thread = line(&log, "of a thread").await?;
    assert_eq!((&*thread.level, thread.get("device")), ("INFO", ""));
    assert_eq!(
        line(&log, "of a thread that knows").await?.get("device"),
        "d"
    );
    assert_eq!(line(&log, "printed").await?.get("stream"), "stdout");
    Ok(())
}

/// Records come from any process that the model starts, too.
#[tokio::test]
async fn a11_a_process_of_the_model_logs_records() -> anyhow::Result<()> {
    let model = "
import multiprocessing
def work():
    from pyboot.logger import log
    log.error('of a process', extra={'number': 5})
def handler(event, context):
    process = multiprocessing.get_context('spawn').Process(target=work)
    process.start()
    process.join()
    return process.exitcode
";
    let log = Log::new();
    let mut pool = super::start(model).await?;
    assert_eq!(pool.call("7").await?, "0");
    let record = line(&log, "of a process").await?;
    assert_eq!(
        (&*record.level, record.get("extra")),
        ("ERROR", "{\"number\":5}")
    );
    Ok(())
}

/// A record is bounded, however much a model puts into it.
#[tokio::test]
async fn a_long_record_is_cut_and_what_is_no_record_is_text() -> anyhow::Result<()> {
    let model = "
import os
def handler(event, context):
    context.logger.info('设' * 100000, extra={'x' * 10000 + str(n): 'y' * 10000 for n in range(1000)})
    os.write(2, b'\\x1e{\"level\": 40}\\n')
    os.write(2, b'\\x1e' + b'z' * 1000000 + b'\\n')
    context.logger.info('after')
";
    let log = Log::new();
    let mut pool = super::start(model).await?;
    assert_eq!(pool.call("7").await?, "None");
    line(&log, "after").await?;
    let lines = log.lines();
    let long = lines
        .iter()
        .find(|line| line.get("message").starts_with('设'));
    let length = long.map(|line| line.get("message").chars().count());
    assert_eq!(length, Some(8192));
    let text = |line: &&Line| line.get("message").starts_with('\u{1e}');
    let texts: Vec<_> = lines
        .iter()
        .filter(text)
        .map(|line| line.get("message").len())
        .collect();
    assert_eq!(texts, [14, 4096]);
    Ok(())
}
