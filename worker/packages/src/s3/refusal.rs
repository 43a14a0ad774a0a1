//! Why an S3 store refuses a request, from its answer, and what to do about it.

use std::fmt;
use std::time::{Duration, SystemTime};

use crds::Reason;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::StatusCode;

/// Stores refuse a signature whose time differs by more.
const SKEW: Duration = Duration::from_mins(15);

/// What has to be mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// The clocks of this machine and of the store differ.
    Clock,
    /// The access key is unknown.
    AccessKey,
    /// The secret key is another one.
    SecretKey,
    /// The session token has expired.
    SessionToken,
    /// The access key may not read the object.
    Permission,
    /// There is no such bucket.
    Bucket,
    /// The bucket is in another region, or behind another endpoint.
    Region,
}

/// Why an S3 store refuses a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refusal {
    /// The store's own word, such as `NoSuchKey`.
    code: Option<String>,
    cause: Option<Cause>,
}

impl Refusal {
    /// Reads an answer to a request that was made `now`: its status, its header `Date` and the start of its body.
    pub(crate) fn new(
        status: StatusCode,
        date: Option<&str>,
        body: &[u8],
        now: SystemTime,
        signed: bool,
    ) -> Self {
        let code = code(body);
        let cause = match status {
            // Only a signature has a time. A store that answers a request of another time says so in its own way.
            StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN
                if signed && date.is_some_and(|date| is_skewed(date, now)) =>
            {
                Some(Cause::Clock)
            }
            // A store redirects to where a bucket is.
            status if status.is_redirection() => Some(Cause::Region),
            _ => code.as_deref().and_then(|code| of_code(code, signed)),
        };
        Self { code, cause }
    }

    /// What to do about it.
    pub(crate) fn remedy(&self) -> Option<&'static str> {
        Some(match self.cause? {
            Cause::Clock => {
                "; set this machine's clock: it differs from the store's by more than 15 minutes"
            }
            Cause::AccessKey => {
                "; check accessKeyFile of modelCredentials, or in a cluster the key accessKey of the Secret of \
                 modelCredentialsSecretRef, and modelS3.endpoint: the store does not know the access key"
            }
            Cause::SecretKey => {
                "; check secretKeyFile of modelCredentials, or in a cluster the key secretKey of the Secret of \
                 modelCredentialsSecretRef: it does not belong to the access key"
            }
            Cause::SessionToken => {
                "; renew the three files of modelCredentials, or in a cluster the keys accessKey, secretKey and \
                 sessionToken of the Secret of modelCredentialsSecretRef: the session token has expired or is not theirs"
            }
            Cause::Permission => {
                "; check modelAddress, and that the access key may read it (s3:GetObject): to keys that may not list \
                 the bucket, some stores answer so if the zip is missing"
            }
            Cause::Bucket => {
                "; check the bucket in modelAddress, and modelS3.endpoint and modelS3.region"
            }
            Cause::Region => {
                "; check modelS3.region and modelS3.endpoint: the bucket is in another region or behind another endpoint"
            }
        })
    }

    /// Why, in one word, where the status does not tell.
    pub(crate) fn reason(&self) -> Option<Reason> {
        match self.cause? {
            // It passes when the clock is set, mostly by itself.
            Cause::Clock => Some(Reason::DownloadFailed),
            Cause::AccessKey | Cause::SecretKey | Cause::SessionToken | Cause::Permission => {
                Some(Reason::AccessDenied)
            }
            Cause::Bucket | Cause::Region => Some(Reason::ModelNotFound),
        }
    }
}

impl fmt::Display for Refusal {
    /// The store's word in parentheses, if it gives one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.code
            .as_ref()
            .map_or(Ok(()), |code| write!(f, " ({code})"))
    }
}

fn of_code(code: &str, signed: bool) -> Option<Cause> {
    Some(match code {
        "RequestTimeTooSkewed" => Cause::Clock,
        "InvalidAccessKeyId" => Cause::AccessKey,
        "SignatureDoesNotMatch" => Cause::SecretKey,
        "ExpiredToken" | "InvalidToken" => Cause::SessionToken,
        "AccessDenied" if signed => Cause::Permission,
        "NoSuchBucket" => Cause::Bucket,
        "AuthorizationHeaderMalformed"
        | "AuthorizationQueryParametersError"
        | "IllegalLocationConstraintException"
        | "PermanentRedirect"
        | "TemporaryRedirect" => Cause::Region,
        _ => return None,
    })
}

/// Whether a store's clock, by its header `Date`, differs from this machine's.
fn is_skewed(date: &str, now: SystemTime) -> bool {
    let store = DateTimeParser::new().parse_timestamp(date);
    let now = Timestamp::try_from(now);
    let (Ok(store), Ok(now)) = (store, now) else {
        return false;
    };
    store.duration_since(now).unsigned_abs() > SKEW
}

/// What the XML of an error gives as `Code`. Only a word is taken: it is shown, and the server may send anything.
fn code(body: &[u8]) -> Option<String> {
    let body = String::from_utf8_lossy(body);
    let (_, rest) = body.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    let is_word = !code.is_empty() && code.len() <= 64;
    (is_word && code.bytes().all(|byte| byte.is_ascii_alphanumeric())).then(|| code.to_owned())
}

#[cfg(test)]
mod tests;
