//! The native model host: an extension module that a worker's child process loads into any CPython from 3.10
//! on. It imports a model, calls it for each message, and knows nothing of MQTT.
//!
//! One thread is attached to the interpreter for good; it detaches only while it waits for bytes.

mod channel;
mod context;
mod decode;
mod encode;
mod model;
mod progress;
mod serve;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// The module `_edgemodel_host`.
#[pymodule]
mod _edgemodel_host {
    use pyo3::exceptions::PyValueError;
    use pyo3::prelude::*;
    use pyo3::types::PyBytes;

    /// What a model gets of a message.
    #[pyfunction]
    fn decode<'py>(py: Python<'py>, payload: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        super::decode::decode(py, &super::helper(py)?, true, payload).map_err(PyValueError::new_err)
    }

    /// What is published of a model's result, unless it is None or bytes.
    #[pyfunction]
    fn encode<'py>(py: Python<'py>, result: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        let mut json = Vec::new();
        super::encode::encode(result, &super::helper(py)?, &mut json)?;
        Ok(PyBytes::new(py, &json))
    }

    /// Serves the worker at the other end of file descriptor 0 until it closes the connection.
    #[pyfunction]
    fn run(py: Python<'_>) -> PyResult<()> {
        super::serve::run(py)
    }
}

/// The part that is written in Python, and that the portable host has too: imports, conversions, texts of exceptions, logs.
fn helper(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    static HELPER: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let helper =
        HELPER.get_or_try_init(py, || py.import("edgemodel_support").map(Bound::unbind))?;
    Ok(helper.bind(py).clone())
}
