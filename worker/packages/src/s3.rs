//! Objects of an S3 store: their addresses, and requests that are signed for them (AWS Signature Version 4, in the query).

mod refusal;

use std::time::Duration;

use crds::validated::S3Object;
use rusty_s3::actions::{GetObject, S3Action as _};
use rusty_s3::{Bucket, BucketError, Credentials, UrlStyle};
use url::Url;

pub(crate) use refusal::Refusal;

/// How long a signature is valid. A clock at an edge may be slow; one that is fast is refused after 15 minutes.
const VALID: Duration = Duration::from_hours(1);

/// An object, and the keys to sign requests for it with.
pub(crate) struct Object {
    bucket: Bucket,
    key: String,
    keys: Option<Credentials>,
}

impl std::fmt::Debug for Object {
    /// Never shows the keys.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Object").finish_non_exhaustive()
    }
}

impl Object {
    /// An object; without keys its requests are not signed.
    ///
    /// # Errors
    /// The bucket cannot be part of the endpoint's host.
    pub(crate) fn new(object: &S3Object, keys: Option<Credentials>) -> Result<Self, BucketError> {
        let style = if object.path_style {
            UrlStyle::Path
        } else {
            UrlStyle::VirtualHost
        };
        let (bucket, region) = (object.bucket.clone(), object.region.clone());
        Ok(Self {
            bucket: Bucket::new(object.endpoint.clone(), style, bucket, region)?,
            key: object.key.clone(),
            keys,
        })
    }

    /// Its address, without a signature.
    pub(crate) fn address(&self) -> Url {
        self.bucket.object_url(&self.key)
    }

    /// The address of a request for it, signed now. Its query is not to be shown: it stands for the keys for a while.
    pub(crate) fn signed(&self) -> Url {
        GetObject::new(&self.bucket, self.keys.as_ref(), &self.key).sign(VALID)
    }

    /// Whether its requests are signed.
    pub(crate) fn has_keys(&self) -> bool {
        self.keys.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(endpoint: &str, path_style: bool, key: &str) -> Object {
        let object = S3Object {
            endpoint: endpoint.parse().unwrap(),
            region: "eu-west-1".to_owned(),
            path_style,
            bucket: "models".to_owned(),
            key: key.to_owned(),
        };
        Object::new(&object, Some(Credentials::new("access", "canary"))).unwrap()
    }

    #[test]
    fn e1_a_bucket_is_in_the_path_or_the_host() {
        let shown = |endpoint, style, key| object(endpoint, style, key).address().to_string();
        assert_eq!(
            shown("https://minio:9000", true, "line 1/m+ä?.zip"),
            "https://minio:9000/models/line%201/m%2B%C3%A4%3F.zip"
        );
        assert_eq!(
            shown("https://s3.eu-west-1.amazonaws.com", false, "m.zip"),
            "https://models.s3.eu-west-1.amazonaws.com/m.zip"
        );
        assert_eq!(
            shown("https://gateway/s3/", true, "/m.zip"),
            "https://gateway/s3/models//m.zip"
        );
    }

    #[test]
    fn e1_a_signature_has_the_access_key_and_never_the_secret() {
        let object = object("https://minio:9000", true, "m.zip");
        let signed = object.signed();
        let query = signed.query().unwrap();
        assert!(query.contains("X-Amz-Credential=access%2F"), "{query}");
        assert!(
            query.contains("%2Feu-west-1%2Fs3%2Faws4_request"),
            "{query}"
        );
        assert!(!format!("{signed} {object:?}").contains("canary"));
    }
}
