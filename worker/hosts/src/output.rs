//! What a model prints becomes log lines of the worker; as much as it likes, without drowning them.

use std::time::{Duration, Instant};

use message::Throttle;
use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::metrics::Metrics;

/// Lines that are logged at once, and then one each interval.
const BURST: u32 = 100;
const INTERVAL: Duration = Duration::from_millis(50);

/// A longer line is cut.
const MAX_LINE: usize = 4096;

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
            let text = String::from_utf8_lossy(line);
            tracing::info!(model, stream = name, suppressed = held_back, "{text}");
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
            let room = MAX_LINE.saturating_sub(line.len());
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
