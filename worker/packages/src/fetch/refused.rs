//! Reads why an S3 store refuses a request.

use std::time::{Duration, SystemTime};

use reqwest::Response;
use reqwest::header::DATE;

use crate::s3::Refusal;

/// As much of an answer as is read.
const MOST: usize = 8 << 10;

/// How long it may take.
const TIME: Duration = Duration::from_secs(5);

/// Why a store refused a request that was made just now, `signed` or not.
pub(super) async fn read(mut response: Response, signed: bool) -> Refusal {
    let now = SystemTime::now();
    let status = response.status();
    let date = response.headers().get(DATE).cloned();
    let mut body = Vec::new();
    let read = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend(chunk.iter().take(MOST - body.len()));
            if body.len() == MOST {
                break;
            }
        }
    };
    // What came within the time will do.
    let _ = tokio::time::timeout(TIME, read).await;
    let date = date.as_ref().and_then(|date| date.to_str().ok());
    Refusal::new(status, date, &body, now, signed)
}
