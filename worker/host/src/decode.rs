//! Messages from JSON.

mod depth;

use jiter::{PythonParse, StringCacheMode};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::model::describe;

/// The message as `funcs[].decode` says, JSON as `json.loads` gives it, or what is wrong with it and where.
pub(crate) fn decode<'py>(
    py: Python<'py>,
    helper: &Bound<'py, PyModule>,
    is_json: bool,
    payload: &[u8],
) -> Result<Bound<'py, PyAny>, String> {
    let parser = PythonParse {
        allow_inf_nan: true,
        cache_mode: StringCacheMode::Keys,
        ..PythonParse::default()
    };
    if is_json
        && let Ok(event) = parser.python_parse(py, payload)
        && !depth::is_too_deep(payload)
    {
        return Ok(event);
    }
    // `json.loads` takes more: UTF-16, a byte order mark, lone surrogates. And its words for what is wrong are those of the
    // portable host.
    let payload = PyBytes::new(py, payload);
    let event = helper.call_method1(intern!(py, "decode"), (payload,));
    event.map_err(|error| {
        let text = helper.call_method1(intern!(py, "not_json"), (error.value(py),));
        text.and_then(|text| text.extract())
            .unwrap_or_else(|_| describe(py, helper, error).0)
    })
}
