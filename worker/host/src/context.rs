//! The second argument of `handler`.

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
    /// A `logging.Logger`.
    #[pyo3(get)]
    pub(crate) logger: Py<PyAny>,
    /// Seconds since 1970.
    pub(crate) received_at: f64,
    /// Makes a `datetime` of that.
    pub(crate) to_datetime: Py<PyAny>,
}

#[pymethods]
impl Context {
    /// When the message came, as an aware `datetime` in UTC.
    #[getter]
    fn received_at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.to_datetime.bind(py).call1((self.received_at,))
    }

    fn __repr__(&self) -> String {
        format!(
            "Context(topic={}, device={}, model={})",
            self.topic, self.device, self.model
        )
    }
}
