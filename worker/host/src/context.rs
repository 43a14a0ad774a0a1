//! The second argument of `handler`.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// Where a message came from.
#[pyclass(frozen, name = "Context", module = "_edgemodel_host")]
#[derive(Debug)]
pub(crate) struct Context {
    /// The topic.
    #[pyo3(get)]
    pub(crate) topic: Py<PyString>,
    /// The first of the model's devices that matched.
    #[pyo3(get)]
    pub(crate) device: Py<PyString>,
    /// The model's name.
    #[pyo3(get)]
    pub(crate) model: Py<PyString>,
    /// The helper, which has loggers and dates.
    pub(crate) helper: Py<PyModule>,
    /// Seconds since 1970.
    pub(crate) received_at: f64,
}

#[pymethods]
impl Context {
    /// When the message came, as an aware `datetime` in UTC.
    #[getter]
    fn received_at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let name = intern!(py, "received_at");
        self.helper.bind(py).call_method1(name, (self.received_at,))
    }

    /// A `logging.Logger` with the model's name, whose lines are in the worker's log.
    #[getter]
    fn logger<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let name = intern!(py, "logger");
        self.helper.bind(py).call_method1(name, (&self.model,))
    }

    fn __repr__(&self) -> String {
        format!(
            "Context(topic={}, device={}, model={})",
            self.topic, self.device, self.model
        )
    }
}
