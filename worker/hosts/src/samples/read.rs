//! Reads a model's samples: strictly, since a sample that is misread would check nothing.

mod context;
mod event;

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use jiter::{Jiter, JsonValue};
use payload::{json_text, with_stand_ins};

use super::Sample;
use super::text::cut;
use context::read_context;
use event::{event_of, read_format, read_payload};

/// The folder beside `index.py`.
pub const FOLDER: &str = "samples";

/// Most files, samples and bytes: all of them run each time that a worker starts.
const MAX_FILES: usize = 100;
const MAX_SAMPLES: usize = 1000;
const MAX_BYTES: u64 = 16 << 20;

/// The fault of a file that no decoder of JSON reads.
const NO_TEXT: &str = "it is neither UTF-8 nor UTF-16 nor UTF-32";

const KEYS: [&str; 6] = [
    "event",
    "payload",
    "decode",
    "result",
    "tolerance",
    "context",
];

/// Why samples cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or the folder cannot be read.
    #[error("failed to read {file}: {error}")]
    Read {
        /// Which, from the model's folder.
        file: String,
        /// The system's error.
        error: io::Error,
    },
    /// A file is something else.
    #[error(
        "{file} is not a sample: {fault}; write {{\"event\": ..., \"result\": ...}} or a list of these, or keep \
         files that are not samples in another folder"
    )]
    Invalid {
        /// Which, from the model's folder.
        file: String,
        /// What is wrong with it.
        fault: String,
    },
    /// A file's samples are of another format than messages.
    #[error(
        "{file} has samples with \"decode\": {decode:?}, and the configuration has decode: {configured}; correct the one \
         that is wrong"
    )]
    Format {
        /// Which, from the model's folder.
        file: String,
        /// The samples' format.
        decode: &'static str,
        /// That of `funcs[].decode`.
        configured: &'static str,
    },
    /// There is too much.
    #[error("{FOLDER}/ holds more than {limit} {what}; leave some out")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
}

/// The samples of the model in `directory`, in the order of their files' names; none if it brings none.
///
/// # Errors
/// A file cannot be read or is not a sample, or there are too many.
pub fn read(directory: &Path) -> Result<Vec<Sample>, Error> {
    let mut samples = Vec::new();
    let mut left = MAX_BYTES;
    for file in files(directory)? {
        let text = bytes(&directory.join(&file), left).map_err(|error| Error::Read {
            file: file.clone(),
            error,
        })?;
        let size = text.len() as u64;
        left = left.checked_sub(size).ok_or(Error::TooLarge {
            what: "bytes",
            limit: MAX_BYTES,
        })?;
        let found = json_text(&text)
            .ok_or_else(|| NO_TEXT.to_owned())
            .and_then(|text| parse(&file, &text))
            .map_err(|fault| Error::Invalid { file, fault })?;
        samples.extend(found);
        if samples.len() > MAX_SAMPLES {
            return Err(Error::TooLarge {
                what: "samples",
                limit: MAX_SAMPLES as u64,
            });
        }
    }
    Ok(samples)
}

/// The files of samples, from the model's folder, sorted.
fn files(directory: &Path) -> Result<Vec<String>, Error> {
    let failed = |error| Error::Read {
        file: FOLDER.to_owned(),
        error,
    };
    let entries = match fs::read_dir(directory.join(FOLDER)) {
        Ok(entries) => entries,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(Vec::new());
        }
        Err(error) => return Err(failed(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        let json = path
            .extension()
            .is_some_and(|extension| extension == "json");
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // macOS keeps what other file systems cannot hold in a second file, `._name`.
        let clutter = name.starts_with("._");
        if !json || clutter || !entry.file_type().map_err(failed)?.is_file() {
            continue;
        }
        files.push(format!("{FOLDER}/{name}"));
        if files.len() > MAX_FILES {
            return Err(Error::TooLarge {
                what: "files",
                limit: MAX_FILES as u64,
            });
        }
    }
    files.sort();
    Ok(files)
}

/// The file's bytes, at most one more than `limit`.
fn bytes(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?
        .take(limit + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// One sample or a list of them.
fn parse(file: &str, text: &str) -> Result<Vec<Sample>, String> {
    let decodable = with_stand_ins(text);
    let mut jiter = Jiter::new(decodable.as_bytes()).with_allow_inf_nan();
    let mut samples = Vec::new();
    let first = jiter.peek().map_err(|error| error.description(&jiter))?;
    if first == jiter::Peek::Array {
        let mut more = jiter.known_array();
        while at(&jiter, more)?.is_some() {
            let name = format!("{file}[{}]", samples.len());
            let place = |fault| format!("[{}]: {fault}", samples.len());
            let found = sample(&mut jiter, file, name, text).and_then(|sample| {
                same_format(samples.first(), &sample)?;
                Ok(sample)
            });
            samples.push(found.map_err(place)?);
            more = jiter.array_step();
        }
    } else {
        samples.push(sample(&mut jiter, file, file.to_owned(), text)?);
    }
    let end = jiter.finish();
    at(&jiter, end)?;
    Ok(samples)
}

/// One process runs them all.
fn same_format(first: Option<&Sample>, sample: &Sample) -> Result<(), String> {
    match first {
        Some(first) if first.decode != sample.decode => {
            Err("decode is not that of the first sample; use one file for each format".to_owned())
        }
        _ => Ok(()),
    }
}

/// `text` is what the file says where the decoder needs stand-ins.
fn sample(jiter: &mut Jiter<'_>, file: &str, name: String, text: &str) -> Result<Sample, String> {
    let (mut event, mut result, mut tolerance, mut context) = (None, None, None, None);
    let (mut payload, mut decode) = (None, None);
    let mut key = key_of(jiter, true)?;
    while let Some(found) = key {
        let again = match found.as_str() {
            "event" => event.replace(slice(jiter, text)?.to_owned()).is_some(),
            "payload" => payload
                .replace(read_payload(slice(jiter, text)?)?)
                .is_some(),
            "decode" => decode.replace(read_format(&value(jiter)?)?).is_some(),
            "result" => result.replace(value(jiter)?).is_some(),
            "tolerance" => {
                let tolerated = match value(jiter)? {
                    JsonValue::Int(0) => 0.0,
                    JsonValue::Int(int @ 1..) => f64::from(u32::try_from(int).unwrap_or(u32::MAX)),
                    JsonValue::Float(float) if float.is_finite() && float >= 0.0 => float,
                    _ => return Err("tolerance is not a number from 0 on".to_owned()),
                };
                tolerance.replace(tolerated).is_some()
            }
            "context" => context.replace(read_context(&value(jiter)?)?).is_some(),
            other => return Err(unknown(other, &KEYS)),
        };
        if again {
            return Err(format!("{found:?} is there twice"));
        }
        key = key_of(jiter, false)?;
    }
    let missing = |key| format!("{key:?} is missing");
    let (event, decode) = event_of(event, payload, decode)?;
    Ok(Sample {
        name,
        file: file.to_owned(),
        event,
        decode,
        result: result.ok_or_else(|| missing("result"))?,
        tolerance,
        context: context.unwrap_or_default(),
    })
}

/// The next value as it is written.
fn slice<'t>(jiter: &mut Jiter<'_>, text: &'t str) -> Result<&'t [u8], String> {
    let start = jiter.current_index();
    let skipped = jiter.next_skip();
    at(jiter, skipped)?;
    let slice = text.as_bytes().get(start..jiter.current_index());
    Ok(slice.unwrap_or_default().trim_ascii())
}

fn key_of(jiter: &mut Jiter<'_>, first: bool) -> Result<Option<String>, String> {
    let key = if first {
        jiter.next_object()
    } else {
        jiter.next_key()
    };
    let key = key.map(|key| key.map(ToOwned::to_owned));
    at(jiter, key)
}

fn value(jiter: &mut Jiter<'_>) -> Result<JsonValue<'static>, String> {
    let value = jiter.next_value_owned();
    at(jiter, value)
}

/// An error with its line and column.
fn at<T>(jiter: &Jiter<'_>, result: jiter::JiterResult<T>) -> Result<T, String> {
    result.map_err(|error| error.description(jiter))
}

fn unknown(key: &str, known: &[&str]) -> String {
    let key = cut(key);
    let meant = crds::nearest(&key, known.iter().copied());
    let meant = meant.map_or_else(String::new, |meant| format!("; did you mean {meant:?}?"));
    format!("{key:?} is not known{meant}")
}

#[cfg(test)]
mod tests;
