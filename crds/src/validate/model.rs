//! Models and their devices.

use std::collections::HashSet;
use std::time::Duration;

use super::database::{self, Known};
use super::value::Field;
use super::{Report, model_server, s3, sandbox, source_position};
use crate::Reason;
use crate::expression::{self, Expression, Operator, Path, Place, Step};
use crate::runtime::{HostChoice, OnFull};
use crate::validated::{
    Condition, Digests, Format, Operand, Refusal, ValidatedBatch, ValidatedDevice, ValidatedFunc,
    ValidatedRetry,
};

const TIMEOUT: Duration = Duration::from_secs(10);
const START_TIMEOUT: Duration = Duration::from_mins(1);
const QUEUE_SIZE: usize = 1000;
const ATTEMPTS: u16 = 3;
const MAX_BATCH: u16 = 256;
const BACKOFF: Duration = Duration::from_secs(1);

pub(super) fn func(
    field: &Field,
    names: &mut HashSet<String>,
    databases: &Known<'_>,
    report: &mut Report,
) -> Option<ValidatedFunc> {
    let name = field.unique_name("modelName", names, report);
    let address = address(field, report);
    let s3 = s3::object(field, address.as_ref(), report);
    let credentials = model_server::credentials(field, address.as_ref(), s3.as_ref(), report);
    let credentials_secret = model_server::credentials_secret(field, report);
    let decode = format(field, "decode");
    let devices: Vec<_> = field
        .items("devices")
        .iter()
        .filter_map(|device| self::device(device, decode, report))
        .collect();
    let device_key = device_key(field, decode, report);
    let timeout = field.duration("timeout", TIMEOUT, report);
    let databases = database::used(field, databases, report);
    let retry = field.get("retry").map(|retry| self::retry(&retry, report));
    let batch = field.get("batch").map(|batch| self::batch(&batch, report));
    let sandbox = sandbox::sandbox(field, report);
    let start_timeout = field.duration("startTimeout", START_TIMEOUT, report);
    let address = address?;
    Some(ValidatedFunc {
        name: name?,
        digest: digests(field, &address),
        address,
        s3,
        credentials,
        credentials_secret,
        devices,
        device_key,
        decode,
        encode: format(field, "encode"),
        hosts: field.number("hosts").unwrap_or(1),
        timeout,
        start_timeout,
        retry,
        batch,
        python: field.text("python"),
        host: match field.text("host").as_deref() {
            Some("native") => HostChoice::Native,
            Some("portable") => HostChoice::Portable,
            _ => HostChoice::Auto,
        },
        sandbox,
        databases,
        pre_queue_size: field.number("preQueueSize").unwrap_or(QUEUE_SIZE),
        post_queue_size: field.number("postQueueSize").unwrap_or(QUEUE_SIZE),
        on_full: match field.text("onFull").as_deref() {
            Some("dropOldest") => OnFull::DropOldest,
            Some("dropNewest") => OnFull::DropNewest,
            _ => OnFull::Block,
        },
    })
}

fn retry(field: &Field, report: &mut Report) -> ValidatedRetry {
    ValidatedRetry {
        attempts: field.number("attempts").unwrap_or(ATTEMPTS),
        backoff: field.duration("backoff", BACKOFF, report),
    }
}

fn batch(field: &Field, report: &mut Report) -> ValidatedBatch {
    let wait = field.duration("wait", Duration::ZERO, report);
    ValidatedBatch {
        max: field.number("max").unwrap_or(MAX_BATCH),
        wait: (!wait.is_zero()).then_some(wait),
    }
}

fn address(field: &Field, report: &mut Report) -> Option<url::Url> {
    let address = field.get("modelAddress")?;
    let text = address.as_text()?;
    let fault = match url::Url::parse(text) {
        Err(_) => "is not a URL",
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            let remedy = "put them into files and name these in modelCredentials, or into a Secret and name it in \
                          modelCredentialsSecretRef";
            address.report(report, "the address holds credentials", remedy);
            return None;
        }
        Ok(url) if matches!(url.scheme(), "http" | "https") => return Some(url),
        Ok(url) if url.scheme() == "s3" => match s3::fault(&url, text) {
            None => return Some(url),
            Some(fault) => fault,
        },
        Ok(url) if url.scheme() == "file" && url.to_file_path().is_ok() => return Some(url),
        Ok(url) if url.scheme() == "file" => "is not an absolute path",
        Ok(_) => "has a scheme that is not known",
    };
    let remedy = "write it as http://host/model.zip, https://host/model.zip, s3://bucket/model.zip or file:///path/model.zip";
    // The address is not repeated where it may hold a password.
    let shown = if text.contains('@') {
        "the address".to_owned()
    } else {
        format!("{text:?}")
    };
    address.report(report, format!("{shown} {fault}"), remedy);
    None
}

/// A digest that cannot be read refuses its model alone: pyboot's sample configuration has one.
fn digests(field: &Field, address: &url::Url) -> Result<Digests, Refusal> {
    let invalid = |name: &str, text: &str, error: &dyn std::fmt::Display| Refusal {
        reason: Reason::InvalidDigest,
        message: format!(
            "{}.{name}: {text:?} is {error}; write the zip's digest in that form",
            field.path
        ),
    };
    let md5 = field.text("modelMd5");
    let md5 = md5
        .map(|text| {
            text.parse()
                .map_err(|error| invalid("modelMd5", &text, &error))
        })
        .transpose()?;
    let sha256 = field.text("modelSha256");
    let sha256 = sha256
        .map(|text| {
            text.parse()
                .map_err(|error| invalid("modelSha256", &text, &error))
        })
        .transpose()?;
    if md5.is_none() && sha256.is_none() && address.scheme() != "file" {
        return Err(Refusal {
            reason: Reason::DigestMissing,
            message: format!(
                "{}: a model from the network needs a digest; add modelSha256 or modelMd5",
                field.path
            ),
        });
    }
    Ok(Digests { md5, sha256 })
}

fn format(field: &Field, name: &str) -> Format {
    match field.text(name).as_deref() {
        Some("text") => Format::Text,
        Some("bytes") => Format::Bytes,
        Some("cbor") => Format::Cbor,
        Some("msgpack") => Format::Msgpack,
        Some("csv") => Format::Csv,
        _ => Format::Json,
    }
}

fn device_key(field: &Field, decode: Format, report: &mut Report) -> Option<Place> {
    let key = field.get("deviceKey")?;
    let text = key.as_text()?;
    let place = parsed(&key, text, expression::parse_place(text), report)?;
    in_bytes(&key, &place, decode, report);
    Some(place)
}

/// Bytes have no places.
fn in_bytes(field: &Field, place: &Place, decode: Format, report: &mut Report) {
    if decode == Format::Bytes && place.is_in_message() {
        let remedy = "use topic or topic[n], or another decode";
        field.report(
            report,
            "decode is bytes, in which there are no places",
            remedy,
        );
    }
}

fn device(field: &Field, decode: Format, report: &mut Report) -> Option<ValidatedDevice> {
    let name = field.name("deviceName", report);
    let attributes = field.items("deviceAttr");
    let mut conditions: Vec<_> = attributes
        .iter()
        .filter_map(|attribute| condition(attribute, decode, report))
        .collect();
    let name = name?;
    if attributes.is_empty() && matches!(decode, Format::Text | Format::Bytes | Format::Csv) {
        let remedy = "add a deviceAttr, such as one on topic[1]";
        let message = "has no attributes, and decode gives no deviceInfo to match on";
        field.report(report, message, remedy);
    }
    if attributes.is_empty() {
        let key = |text: &str| Step::Key(text.to_owned());
        conditions.push(Condition {
            name: "deviceName".to_owned(),
            value: Operand::Text(name.clone()),
            expression: Expression {
                operator: Operator::Equal,
                place: Place::Message(Path(vec![key("deviceInfo"), key("deviceName")])),
            },
        });
    }
    Some(ValidatedDevice { name, conditions })
}

fn condition(field: &Field, decode: Format, report: &mut Report) -> Option<Condition> {
    let expression = field.get("attrExpression")?;
    let text = expression.as_text()?;
    let parsed = parsed(&expression, text, expression::parse(text), report);
    if let Some(Expression { place, .. }) = &parsed {
        in_bytes(&expression, place, decode, report);
    }
    let value = operand(field, parsed.as_ref(), report);
    Some(Condition {
        name: field.text("attrName").unwrap_or_default(),
        value: value?,
        expression: parsed?,
    })
}

fn operand(field: &Field, expression: Option<&Expression>, report: &mut Report) -> Option<Operand> {
    let value = field.get("attrValue")?;
    let text = value.as_text()?;
    let kind = field.get("attrType");
    let Some(kind) = kind.filter(|kind| kind.as_text() == Some("number")) else {
        return Some(Operand::Text(text.to_owned()));
    };
    if expression.is_some_and(|expression| !expression.place.is_in_message()) {
        let remedy = "leave attrType out";
        kind.report(
            report,
            "the topic is a text, which no number equals",
            remedy,
        );
    }
    let number = text.parse();
    if number.is_err() {
        let remedy =
            "write a whole number of up to 18 digits, or one with a fraction, such as 5 or 2.5";
        value.report(report, format!("{text:?} is not a number"), remedy);
    }
    number.ok().map(Operand::Number)
}

/// What a text parses to; a mistake is reported with its place in the text.
fn parsed<T>(
    field: &Field,
    text: &str,
    parsed: Result<T, expression::ParseError>,
    report: &mut Report,
) -> Option<T> {
    let error = match parsed {
        Ok(parsed) => return Some(parsed),
        Err(error) => error,
    };
    let message = format!(
        "{} cannot be read: {} at character {}",
        field.node.value,
        error.message,
        error.offset + 1
    );
    let start = field.node.position;
    let position = source_position::within(&report.lines, start, text, error.offset);
    report.add(&field.path, position, message, error.remedy);
    None
}
