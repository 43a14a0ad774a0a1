//! What a model prints and logs becomes the worker's log; as much as it likes, without drowning it.
//!
//! What it prints is a line of text. What it logs comes as one line of JSON behind [`RECORD`], from any process that the
//! model starts; see `worker/host/python/edgemodel_support/logs.py`.

use std::time::{Duration, Instant};

use message::Throttle;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::metrics::Metrics;

/// Lines that are logged at once, and then one each interval.
const BURST: u32 = 100;
const INTERVAL: Duration = Duration::from_millis(50);

/// A longer line is cut.
const MAX_LINE: usize = 4096;

/// A longer record is cut, and logged as text then.
const MAX_RECORD: usize = 256 << 10;

/// What a record begins with: ASCII's record separator.
const RECORD: u8 = 0x1E;

/// What a model logged.
#[derive(Debug, Deserialize)]
struct LogRecord {
    /// Python's number of the level.
    level: f64,
    logger: String,
    message: String,
    device: Option<String>,
    topic: Option<String>,
    traceback: Option<String>,
    extra: Option<serde_json::Map<String, serde_json::Value>>,
}

impl LogRecord {
    /// Logs it with the model's level.
    fn log(self, model: &str, suppressed: u64) {
        let extra = self
            .extra
            .map(|extra| serde_json::Value::from(extra).to_string());
        macro_rules! log {
            ($level:ident) => {
                tracing::$level!(
                    model,
                    logger = self.logger,
                    device = self.device,
                    topic = self.topic,
                    extra,
                    traceback = self.traceback,
                    suppressed,
                    "{}",
                    self.message
                )
            };
        }
        match self.level {
            40.0.. => log!(error),
            30.0.. => log!(warn),
            20.0.. => log!(info),
            _ => log!(debug),
        }
    }
}

/// Reads a stream to its end.
pub(crate) async fn log_lines(
    mut stream: impl AsyncRead + Unpin,
    model: String,
    name: &'static str,
    metrics: Metrics,
) {
    let (logged, suppressed) = (
        metrics.output_lines("logged"),
        metrics.output_lines("suppressed"),
    );
    let mut throttle = Throttle::new(BURST, INTERVAL);
    let mut line = Vec::new();
    let mut piece = vec![0; 16 << 10];
    let mut log = |line: &mut Vec<u8>| {
        if let Some(held_back) = throttle.pass(Instant::now()) {
            logged.inc();
            let record = line.strip_prefix(&[RECORD]);
            let record = record.and_then(|json| serde_json::from_slice::<LogRecord>(json).ok());
            if let Some(record) = record {
                record.log(&model, held_back);
            } else {
                let text = String::from_utf8_lossy(&line[..line.len().min(MAX_LINE)]);
                tracing::info!(model, stream = name, suppressed = held_back, "{text}");
            }
        } else {
            suppressed.inc();
        }
        line.clear();
    };
    while let Ok(count) = stream.read(&mut piece).await
        && count > 0
    {
        for part in piece[..count].split_inclusive(|byte| *byte == b'\n') {
            let (text, ended) = match part.split_last() {
                Some((b'\n', text)) => (text, true),
                _ => (part, false),
            };
            let first = line.first().or(text.first());
            let most = if first == Some(&RECORD) {
                MAX_RECORD
            } else {
                MAX_LINE
            };
            let room = most.saturating_sub(line.len());
            line.extend_from_slice(&text[..text.len().min(room)]);
            if ended {
                log(&mut line);
            }
        }
    }
    if !line.is_empty() {
        log(&mut line);
    }
}
