//! Messages from JSON.

use jiter::{JsonErrorType, PythonParse, StringCacheMode};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// What is said of a message that the worker would not have let through.
const TOO_DEEP: &str = "it has more than 200 levels of lists and objects";

/// The message as `json.loads` gives it, or what is wrong with it and where.
pub(crate) fn decode<'py>(py: Python<'py>, payload: &[u8]) -> Result<Bound<'py, PyAny>, String> {
    let parser = PythonParse {
        allow_inf_nan: true,
        cache_mode: StringCacheMode::Keys,
        ..PythonParse::default()
    };
    parser.python_parse(py, payload).or_else(|error| {
        if error.error_type == JsonErrorType::RecursionLimitExceeded {
            return Err(TOO_DEEP.to_owned());
        }
        // Other encodings and lone surrogates are rare enough for Python's own decoder.
        py.import("json")
            .and_then(|json| json.call_method1("loads", (PyBytes::new(py, payload),)))
            .map_err(|_| error.description(payload))
    })
}
