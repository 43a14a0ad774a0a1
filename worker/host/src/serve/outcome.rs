//! What a call came to.

use frame::Reply;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView};

use crate::encode::{self, encode};
use crate::model::{Model, describe};

/// A call's outcome, with what it holds.
pub(super) enum Outcome<'py> {
    /// The JSON is in the buffer that was given.
    Json,
    Raw(Bound<'py, PyAny>),
    Empty,
    InvalidJson(String),
    Exception(String, String),
    Unserializable(String),
    Held,
}

impl<'py> Outcome<'py> {
    /// What a model's result is; JSON goes into the buffer.
    pub(super) fn of(
        helper: &Bound<'py, PyModule>,
        model: &Model<'py>,
        result: PyResult<Bound<'py, PyAny>>,
        json: &mut Vec<u8>,
    ) -> Self {
        let py = helper.py();
        json.clear();
        match result {
            Err(error) => {
                let (message, traceback) = describe(py, helper, error);
                Self::Exception(message, traceback)
            }
            Ok(result) if result.is_none() => Self::Empty,
            Ok(result) if is_bytes(&result) => match py.get_type::<PyBytes>().call1((result,)) {
                Ok(bytes) => Self::Raw(bytes),
                Err(error) => Self::Unserializable(unserializable(py, helper, error)),
            },
            Ok(result) if !model.encodes_json() => match encode_other(helper, result) {
                Ok(bytes) => Self::Raw(bytes),
                Err(error) => Self::Unserializable(unserializable(py, helper, error)),
            },
            Ok(result) => match encode(&result, helper, json) {
                Ok(()) => Self::Json,
                Err(encode::Error::TooDeep) => Self::Unserializable(encode::TOO_DEEP.to_owned()),
                Err(encode::Error::Python(error)) => {
                    Self::Unserializable(unserializable(py, helper, error))
                }
            },
        }
    }

    /// As it is written, with the JSON of the buffer.
    pub(super) fn reply<'a>(&'a self, json: &'a [u8]) -> PyResult<Reply<'a>> {
        Ok(match self {
            Self::Json => Reply::Result(json),
            Self::Raw(bytes) => Reply::Result(bytes.cast::<PyBytes>()?.as_bytes()),
            Self::Empty => Reply::Empty,
            Self::Held => Reply::Held,
            Self::InvalidJson(message) => Reply::InvalidJson(message),
            Self::Exception(message, traceback) => Reply::Exception { message, traceback },
            Self::Unserializable(message) => Reply::Unserializable(message),
        })
    }
}

/// A result in the format that is configured.
fn encode_other<'py>(
    helper: &Bound<'py, PyModule>,
    result: Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = helper.py();
    let simpler = helper.getattr(intern!(py, "simpler"))?;
    let formats = helper.getattr(intern!(py, "formats"))?;
    formats.call_method1(intern!(py, "encode_other"), (result, simpler))
}

fn is_bytes(result: &Bound<'_, PyAny>) -> bool {
    result.is_exact_instance_of::<PyBytes>()
        || result.is_exact_instance_of::<PyByteArray>()
        || result.is_exact_instance_of::<PyMemoryView>()
}

/// Why a result cannot be written as JSON.
fn unserializable(py: Python<'_>, helper: &Bound<'_, PyModule>, error: PyErr) -> String {
    let text = helper.call_method1(intern!(py, "unserializable"), (error.value(py),));
    text.and_then(|text| text.extract())
        .unwrap_or_else(|_| describe(py, helper, error).0)
}
