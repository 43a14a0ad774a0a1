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

/// What another process makes it of.
type Fields = (Py<PyString>, Py<PyString>, Py<PyString>, f64);

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
    fn logger<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let name = intern!(py, "logger");
        slf.get().helper.bind(py).call_method1(name, (slf,))
    }

    /// A database that the configuration gives to the model.
    fn database<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        let function = intern!(py, "database");
        self.helper.bind(py).call_method1(function, (name,))
    }

    /// Lets it be handed to another process, which may not have this module.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Fields)> {
        let kind = self.helper.bind(py).getattr(intern!(py, "Context"))?;
        let [topic, device, model] =
            [&self.topic, &self.device, &self.model].map(|text| text.clone_ref(py));
        Ok((kind, (topic, device, model, self.received_at)))
    }

    fn __repr__(&self) -> String {
        format!(
            "Context(topic={}, device={}, model={})",
            self.topic, self.device, self.model
        )
    }
}
