//! What an answer means, from its status line and headers alone.

use reqwest::StatusCode;
use reqwest::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, HeaderMap, HeaderName, LOCATION,
};

/// What an answer is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The whole zip from its start, or as much as comes of it.
    Whole {
        /// Its size as it is sent, if the server tells.
        size: Option<u64>,
        coding: Coding,
    },
    /// What follows the bytes that are there.
    Rest {
        /// Size of the whole zip, if the server tells.
        size: Option<u64>,
    },
    /// It is elsewhere.
    Elsewhere(String),
    /// The server says no.
    No(StatusCode),
    /// It is encoded in this way.
    Encoded(String),
}

/// How a body is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Plain,
    Gzip,
}

/// Judges an answer when `have` bytes are there.
pub(super) fn judge(status: StatusCode, headers: &HeaderMap, have: u64) -> Answer {
    let coding = match text(headers, &CONTENT_ENCODING).map(str::trim) {
        None | Some("" | "identity") => Coding::Plain,
        Some(name)
            if ["gzip", "x-gzip"]
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known)) =>
        {
            Coding::Gzip
        }
        Some(other) => return Answer::Encoded(other.to_owned()),
    };
    let length = || text(headers, &CONTENT_LENGTH)?.parse().ok();
    match status {
        // A proxy that changed the headers, not the zip: the digest proves it.
        StatusCode::OK | StatusCode::NON_AUTHORITATIVE_INFORMATION => Answer::Whole {
            size: length(),
            coding,
        },
        StatusCode::PARTIAL_CONTENT => match text(headers, &CONTENT_RANGE).and_then(range) {
            Some((start, size)) if start == have && have > 0 && coding == Coding::Plain => {
                Answer::Rest { size }
            }
            // Nothing was asked for in part: some servers answer so all the same.
            Some((0, size)) => Answer::Whole { size, coding },
            _ => Answer::No(status),
        },
        StatusCode::MOVED_PERMANENTLY
        | StatusCode::FOUND
        | StatusCode::SEE_OTHER
        | StatusCode::TEMPORARY_REDIRECT
        | StatusCode::PERMANENT_REDIRECT => match text(headers, &LOCATION) {
            Some(location) => Answer::Elsewhere(location.to_owned()),
            None => Answer::No(status),
        },
        _ => Answer::No(status),
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// Where a `Content-Range` starts, and the size of the whole.
fn range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, size) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.trim().parse().ok()?, size.trim().parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn judged(status: u16, headers: &[(&'static str, &'static str)], have: u64) -> Answer {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect();
        judge(StatusCode::from_u16(status).unwrap(), &headers, have)
    }

    #[test]
    fn an_answer_is_the_whole_the_rest_elsewhere_or_a_no() {
        let whole = |size, coding| Answer::Whole { size, coding };
        let no = |status| Answer::No(StatusCode::from_u16(status).unwrap());
        let elsewhere = Answer::Elsewhere("/b".to_owned());
        for (status, headers, have, expected) in [
            (
                200,
                &[("content-length", "7")][..],
                0,
                whole(Some(7), Coding::Plain),
            ),
            (200, &[], 5, whole(None, Coding::Plain)),
            (203, &[], 0, whole(None, Coding::Plain)),
            (
                200,
                &[("content-encoding", "gzip")],
                0,
                whole(None, Coding::Gzip),
            ),
            (
                200,
                &[("content-encoding", "X-GZIP")],
                0,
                whole(None, Coding::Gzip),
            ),
            (
                200,
                &[("content-encoding", "identity")],
                0,
                whole(None, Coding::Plain),
            ),
            (
                200,
                &[("content-encoding", "br")],
                0,
                Answer::Encoded("br".to_owned()),
            ),
            (
                206,
                &[("content-range", "bytes 5-9/10")],
                5,
                Answer::Rest { size: Some(10) },
            ),
            (
                206,
                &[("content-range", "bytes 5-9/*")],
                5,
                Answer::Rest { size: None },
            ),
            (
                206,
                &[("content-range", "bytes 0-9/10")],
                0,
                whole(Some(10), Coding::Plain),
            ),
            (
                206,
                &[("content-range", "bytes 0-9/10")],
                5,
                whole(Some(10), Coding::Plain),
            ),
            (206, &[("content-range", "bytes 4-9/10")], 5, no(206)),
            (
                206,
                &[
                    ("content-range", "bytes 5-9/10"),
                    ("content-encoding", "gzip"),
                ],
                5,
                no(206),
            ),
            (206, &[], 5, no(206)),
            (302, &[("location", "/b")], 0, elsewhere),
            (307, &[], 0, no(307)),
            (304, &[("location", "/b")], 0, no(304)),
            (204, &[], 0, no(204)),
            (404, &[], 0, no(404)),
        ] {
            assert_eq!(
                judged(status, headers, have),
                expected,
                "{status} {headers:?} {have}"
            );
        }
    }
}
