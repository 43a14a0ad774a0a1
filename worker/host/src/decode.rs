//! Messages from JSON.

use jiter::{PythonParse, StringCacheMode};
use pyo3::prelude::*;

/// The message as `json.loads` gives it, or what is wrong with it and where.
pub(crate) fn decode<'py>(py: Python<'py>, payload: &[u8]) -> Result<Bound<'py, PyAny>, String> {
    let parser = PythonParse {
        allow_inf_nan: true,
        cache_mode: StringCacheMode::Keys,
        ..PythonParse::default()
    };
    parser
        .python_parse(py, payload)
        .map_err(|error| error.description(payload))
}
