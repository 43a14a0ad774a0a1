//! What answers of stores mean.

use super::*;

const DATE: &str = "Wed, 21 Oct 2015 07:28:00 GMT";

fn error(code: &str) -> String {
    format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>m</Message></Error>")
}

/// The answer of a store whose clock is `skew` seconds ahead of this machine's.
fn refusal(status: u16, code: &str, skew: i64, signed: bool) -> Refusal {
    let store = Timestamp::from_second(1_445_412_480).unwrap();
    let now = Timestamp::from_second(store.as_second() - skew).unwrap();
    let status = StatusCode::from_u16(status).unwrap();
    Refusal::new(
        status,
        Some(DATE),
        error(code).as_bytes(),
        now.try_into().unwrap(),
        signed,
    )
}

#[test]
fn e1_what_a_store_says_has_a_reason_and_a_remedy() {
    use Reason::{AccessDenied, DownloadFailed, ModelNotFound};
    for (status, code, signed, reason, remedy) in [
        (
            403,
            "RequestTimeTooSkewed",
            true,
            DownloadFailed,
            "; set this machine's clock",
        ),
        (
            403,
            "InvalidAccessKeyId",
            true,
            AccessDenied,
            "; check accessKeyFile",
        ),
        (
            403,
            "SignatureDoesNotMatch",
            true,
            AccessDenied,
            "; check secretKeyFile",
        ),
        (
            400,
            "ExpiredToken",
            true,
            AccessDenied,
            "; renew the three files",
        ),
        (
            400,
            "InvalidToken",
            true,
            AccessDenied,
            "; renew the three files",
        ),
        (
            403,
            "AccessDenied",
            true,
            AccessDenied,
            "; check modelAddress, and that the access key",
        ),
        (
            404,
            "NoSuchBucket",
            true,
            ModelNotFound,
            "; check the bucket in modelAddress",
        ),
        (
            301,
            "PermanentRedirect",
            true,
            ModelNotFound,
            "; check modelS3.region",
        ),
        (307, "", true, ModelNotFound, "; check modelS3.region"),
        (
            307,
            "TemporaryRedirect",
            false,
            ModelNotFound,
            "; check modelS3.region",
        ),
        (
            400,
            "AuthorizationHeaderMalformed",
            true,
            ModelNotFound,
            "; check modelS3.region",
        ),
        (
            400,
            "AuthorizationQueryParametersError",
            true,
            ModelNotFound,
            "; check modelS3.region",
        ),
    ] {
        let refusal = refusal(status, code, 0, signed);
        assert_eq!(refusal.reason(), Some(reason), "{status} {code}");
        let said = refusal.remedy().unwrap();
        assert!(said.starts_with(remedy), "{status} {code}: {said}");
        let shown = if code.is_empty() {
            String::new()
        } else {
            format!(" ({code})")
        };
        assert_eq!(refusal.to_string(), shown);
    }
}

#[test]
fn e1_without_more_to_say_the_status_alone_counts() {
    for (status, code, signed) in [
        (404, "NoSuchKey", true),
        (403, "AccessDenied", false),
        (503, "SlowDown", true),
        (401, "Unauthorized", true),
    ] {
        let refusal = refusal(status, code, 0, signed);
        assert_eq!((refusal.reason(), refusal.remedy()), (None, None), "{code}");
    }
}

/// Amazon and MinIO answer a signature of another time with `AccessDenied`, as if a right were missing.
#[test]
fn e1_a_clock_that_differs_is_found_by_the_stores_date() {
    for (skew, is_clock) in [
        (0, false),
        (900, false),
        (-900, false),
        (901, true),
        (-901, true),
        (-315_360_000, true),
    ] {
        let refusal = refusal(403, "AccessDenied", skew, true);
        assert_eq!(refusal.cause == Some(Cause::Clock), is_clock, "{skew}");
    }
    // Without a signature the clock does not matter, and a missing object is missing at any time.
    assert_eq!(refusal(403, "AccessDenied", 5000, false).cause, None);
    assert_eq!(refusal(404, "NoSuchKey", 5000, true).cause, None);
    for date in [
        None,
        Some(""),
        Some("yesterday"),
        Some("Wed, 99 Oct 2015 07:28:00 GMT"),
    ] {
        let body = error("AccessDenied");
        let refusal = Refusal::new(
            StatusCode::FORBIDDEN,
            date,
            body.as_bytes(),
            SystemTime::now(),
            true,
        );
        assert_eq!(refusal.cause, Some(Cause::Permission), "{date:?}");
    }
}

#[test]
fn e1_only_a_word_of_what_a_store_says_is_shown() {
    let said = |text: &str| code(text.as_bytes());
    assert_eq!(said(&error("NoSuchKey")).as_deref(), Some("NoSuchKey"));
    let long = error(&"a".repeat(65));
    for text in [
        "",
        "<Code>",
        "<Code></Code>",
        "<Code>a b</Code>",
        "<Code>\u{1b}[31m</Code>",
        &long,
    ] {
        assert_eq!(said(text), None, "{text}");
    }
}
