//! Addresses of the form `s3://bucket/key`, and how their store is reached.

use percent_encoding::percent_decode_str;
use url::{Host, Url};

use super::Report;
use super::value::Field;
use crate::validated::S3Object;

const REGION: &str = "us-east-1";

/// What is wrong with `address`, which is written as `text`.
pub(super) fn fault(address: &Url, text: &str) -> Option<&'static str> {
    let bucket = address.host_str().unwrap_or_default();
    if bucket.len() < 2 || !is_word(bucket, "._-") {
        return Some("does not name a bucket");
    }
    if address.port().is_some() {
        return Some("has a port, which belongs into modelS3.endpoint");
    }
    if address.query().is_some() || address.fragment().is_some() {
        return Some("has a ? or #; write them as %3F or %23");
    }
    // In a URL they lead to another object.
    let written = percent_decode_str(text).decode_utf8_lossy();
    if written.split('/').any(|part| part == "." || part == "..") {
        return Some("has . or .. between slashes");
    }
    match key(address) {
        None => Some("has a key that is not UTF-8"),
        Some(key) if key.is_empty() => Some("does not name an object"),
        Some(_) => None,
    }
}

/// The object that `address` leads to, if it is one of S3.
pub(super) fn object(func: &Field, address: Option<&Url>, report: &mut Report) -> Option<S3Object> {
    let field = func.get("modelS3");
    let address = address?;
    if address.scheme() != "s3" {
        if let Some(field) = field {
            let remedy = "write s3://bucket/key in modelAddress, or leave modelS3 out";
            field.report(report, "modelAddress is not an s3:// address", remedy);
        }
        return None;
    }
    let given = |name: &str| field.as_ref().and_then(|field| field.get(name));
    let region = given("region").and_then(|region| self::region(&region, report));
    let region = region.unwrap_or_else(|| REGION.to_owned());
    let bucket = address.host_str()?.to_owned();
    let endpoint = match given("endpoint") {
        Some(endpoint) => self::endpoint(&endpoint, report),
        None => amazon(&region),
    };
    // Amazon's certificates have one label before the endpoint.
    let is_label = is_word(&bucket, "-") && !bucket.contains(|c: char| c.is_ascii_uppercase());
    let default = given("endpoint").is_some() || !is_label;
    let path_style = field.as_ref().and_then(|field| field.bool("pathStyle"));
    let path_style = path_style.unwrap_or(default);
    let endpoint = endpoint?;
    let fits = matches!(endpoint.host(), Some(Host::Domain(_))) && is_word(&bucket, ".-");
    if let (false, false, Some(style)) = (path_style, fits, given("pathStyle")) {
        let message = "the bucket cannot be part of the endpoint's host";
        style.report(report, message, "write true, or leave pathStyle out");
    }
    Some(S3Object {
        endpoint,
        region,
        path_style,
        bucket,
        key: key(address)?,
    })
}

/// Whether it is letters, digits and, except at its ends, characters of `others`.
fn is_word(text: &str, others: &str) -> bool {
    let outer = |c: char| c.is_ascii_alphanumeric();
    let inner = |c: char| outer(c) || others.contains(c);
    text.chars().all(inner) && text.starts_with(outer) && text.ends_with(outer)
}

fn key(address: &Url) -> Option<String> {
    let path = address.path();
    let key = percent_decode_str(path.strip_prefix('/').unwrap_or(path)).decode_utf8();
    key.ok().map(Into::into)
}

fn region(field: &Field, report: &mut Report) -> Option<String> {
    let text = field.as_text()?;
    if is_word(text, "_-") {
        return Some(text.to_owned());
    }
    field.report(
        report,
        format!("{text:?} is not a region"),
        "write it as us-east-1",
    );
    None
}

fn endpoint(field: &Field, report: &mut Report) -> Option<Url> {
    let text = field.as_text()?;
    let fault = match Url::parse(text) {
        Ok(url) if !matches!(url.scheme(), "http" | "https") => "has another scheme",
        Ok(url) if !url.username().is_empty() || url.password().is_some() => "holds credentials",
        Ok(url) if url.query().is_some() || url.fragment().is_some() => "has a ? or #",
        Ok(url) => return Some(url),
        Err(_) => "is not a URL",
    };
    // It is not repeated where it may hold a password.
    let shown = if text.contains('@') {
        "the endpoint".to_owned()
    } else {
        format!("{text:?}")
    };
    let remedy =
        "write it as https://host:9000, and put keys into files of modelCredentials or a Secret";
    field.report(report, format!("{shown} {fault}"), remedy);
    None
}

fn amazon(region: &str) -> Option<Url> {
    let end = if region.starts_with("cn-") { ".cn" } else { "" };
    Url::parse(&format!("https://s3.{region}.amazonaws.com{end}")).ok()
}

#[cfg(test)]
mod tests {
    use crate::validated::S3Object;

    const CONFIG: &str = "
mqtts: [{name: a, broker: tcp://h}]
rules: [{sub: {name: a, topic: in}, pub: {name: a, topic: out}}]
";

    fn config(address: &str, fields: &str) -> String {
        let digest = "00000000000000000000000000000000";
        format!(
            "{CONFIG}funcs: [{{modelName: m, modelMd5: '{digest}', modelAddress: '{address}', {fields}}}]\n"
        )
    }

    #[track_caller]
    fn accepts(address: &str, fields: &str) -> S3Object {
        let runtime = crate::load(&config(address, fields), "c").unwrap();
        runtime.funcs[0].s3.clone().unwrap()
    }

    #[test]
    fn e1_an_s3_address_names_bucket_and_key() {
        let object = accepts("s3://models/line%201/m%2B%C3%A4.zip", "");
        assert_eq!(
            (object.bucket.as_str(), object.key.as_str()),
            ("models", "line 1/m+ä.zip")
        );
        assert_eq!(
            object.endpoint.as_str(),
            "https://s3.us-east-1.amazonaws.com/"
        );
        assert!(!object.path_style);
        let object = accepts("s3://models/m.zip", "modelS3: {region: cn-north-1}");
        assert_eq!(
            object.endpoint.as_str(),
            "https://s3.cn-north-1.amazonaws.com.cn/"
        );
        let object = accepts(
            "s3://models/m.zip",
            "modelS3: {endpoint: 'http://127.0.0.1:9000'}",
        );
        assert!(object.path_style);
        let object = accepts(
            "s3://models/m.zip",
            "modelS3: {endpoint: 'https://oss-cn-hangzhou.aliyuncs.com', pathStyle: false}",
        );
        assert!(!object.path_style);
        for bucket in ["my.models", "my_models", "Models"] {
            let object = accepts(&format!("S3://{bucket}/m..zip"), "");
            assert!(object.path_style && object.bucket == bucket, "{object:?}");
        }
    }

    #[test]
    fn e1_an_s3_address_is_refused_with_value_and_remedy() {
        for (address, fields, expected) in [
            (
                "s3://m_/k",
                "",
                "funcs[0].modelAddress: \"s3://m_/k\" does not name a bucket; write it as",
            ),
            ("s3:///k", "", "\"s3:///k\" does not name a bucket"),
            ("s3://models", "", "\"s3://models\" does not name an object"),
            (
                "s3://models/",
                "",
                "\"s3://models/\" does not name an object",
            ),
            (
                "s3://models:9000/k",
                "",
                "has a port, which belongs into modelS3.endpoint",
            ),
            (
                "s3://models/k?a",
                "",
                "has a ? or #; write them as %3F or %23",
            ),
            ("s3://models/%ff", "", "has a key that is not UTF-8"),
            (
                "s3://models/a/../k",
                "",
                "\"s3://models/a/../k\" has . or .. between slashes",
            ),
            (
                "s3://models/a%2F%2e%2E%2Fk",
                "",
                "has . or .. between slashes",
            ),
            ("s3://models/./k", "", "has . or .. between slashes"),
            (
                "s3://key:canary@models/k",
                "",
                "the address holds credentials; put them into files",
            ),
            (
                "https://h/k",
                "modelS3: {}",
                "funcs[0].modelS3: modelAddress is not an s3:// address; write",
            ),
            (
                "s3://models/k",
                "modelS3: {endpoint: 'minio:9000'}",
                "funcs[0].modelS3.endpoint: \"minio:9000\" has another scheme; write it as https://host:9000",
            ),
            (
                "s3://models/k",
                "modelS3: {endpoint: 'https://u:canary@h'}",
                "modelS3.endpoint: the endpoint holds credentials; write",
            ),
            (
                "s3://models/k",
                "modelS3: {endpoint: 'https://10.0.0.1', pathStyle: false}",
                "funcs[0].modelS3.pathStyle: the bucket cannot be part of the endpoint's host; write true",
            ),
            (
                "s3://line_1/k",
                "modelS3: {pathStyle: false}",
                "funcs[0].modelS3.pathStyle: the bucket cannot be part of the endpoint's host; write true",
            ),
            (
                "s3://models/k",
                "modelS3: {region: 'us east'}",
                "modelS3.region: \"us east\" is not a region",
            ),
        ] {
            refuses(address, fields, expected);
        }
    }

    #[test]
    fn e1_an_s3_address_takes_keys_and_only_keys() {
        for (address, fields, expected) in [
            (
                "s3://models/k",
                "modelCredentials: {tokenFile: /t}",
                "funcs[0].modelCredentials: an s3:// address takes no tokenFile; give accessKeyFile and secretKeyFile",
            ),
            (
                "https://h/k",
                "modelCredentials: {accessKeyFile: /a, secretKeyFile: /s}",
                "funcs[0].modelCredentials: accessKeyFile is for s3:// addresses; ",
            ),
            (
                "s3://models/k",
                "modelCredentials: {accessKeyFile: /a}",
                "funcs[0].modelCredentials: accessKeyFile is given without secretKeyFile; give secretKeyFile, too",
            ),
            (
                "s3://models/k",
                "modelCredentials: {sessionTokenFile: /a}",
                "sessionTokenFile is given without accessKeyFile",
            ),
            (
                "s3://models/k",
                "modelS3: {endpoint: 'http://h'}, modelCredentials: {caFile: /c}",
                "funcs[0].modelCredentials: modelS3.endpoint does not use TLS; use https:// in it",
            ),
        ] {
            refuses(address, fields, expected);
        }
    }

    #[track_caller]
    fn refuses(address: &str, fields: &str, expected: &str) {
        let problems = crate::load(&config(address, fields), "c").expect_err(address);
        let text = problems.to_string();
        assert!(text.contains(expected), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(!text.contains("canary"), "{text}");
    }
}
