//! The second argument of `handler`.

use frame::{CallField, DUPLICATE, RETAINED, SAMPLE};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString};

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
    /// The message as it came.
    #[pyo3(get)]
    pub(crate) payload: Py<PyBytes>,
    /// Quality of service and flags, as they are in a Call.
    pub(crate) delivery: u8,
    /// The further fields of the Call, if MQTT 5 says something of the message.
    pub(crate) extra: Vec<(u8, Vec<u8>)>,
}

/// What another process makes it of.
type Fields<'py> = (
    Py<PyString>,
    Py<PyString>,
    Py<PyString>,
    f64,
    Py<PyBytes>,
    Bound<'py, PyList>,
    Bound<'py, PyAny>,
);

#[pymethods]
impl Context {
    /// When the message came, as an aware `datetime` in UTC.
    #[getter]
    fn received_at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let name = intern!(py, "received_at");
        self.helper.bind(py).call_method1(name, (self.received_at,))
    }

    /// The digest of the model.
    #[getter]
    fn version<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let formats = self.helper.bind(py).getattr(intern!(py, "formats"))?;
        formats.getattr(intern!(py, "version"))
    }

    /// The quality of service that the message came with.
    #[getter]
    fn qos(&self) -> u8 {
        self.delivery & 3
    }

    /// Whether the broker had kept it, so that newer ones may have come before it.
    #[getter]
    fn retained(&self) -> bool {
        self.delivery & RETAINED != 0
    }

    /// Whether it may be a repetition.
    #[getter]
    fn duplicate(&self) -> bool {
        self.delivery & DUPLICATE != 0
    }

    /// Whether it is a golden sample.
    #[getter]
    fn sample(&self) -> bool {
        self.delivery & SAMPLE != 0
    }

    /// What MQTT 5 says of it.
    #[getter]
    fn properties<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let name = intern!(py, "properties");
        self.helper.bind(py).call_method1(name, (self.fields(py)?,))
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
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Fields<'py>)> {
        let kind = self.helper.bind(py).getattr(intern!(py, "Context"))?;
        let [topic, device, model] =
            [&self.topic, &self.device, &self.model].map(|text| text.clone_ref(py));
        let payload = self.payload.clone_ref(py);
        let (extra, version) = (self.fields(py)?, self.version(py)?);
        let received_at = self.received_at;
        Ok((
            kind,
            (topic, device, model, received_at, payload, extra, version),
        ))
    }

    fn __repr__(&self) -> String {
        format!(
            "Context(topic={}, device={}, model={})",
            self.topic, self.device, self.model
        )
    }
}

impl Context {
    /// The further fields of the Call, as the portable host has them.
    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let delivery = (
            CallField::Delivery as u8,
            PyBytes::new(py, &[self.delivery]),
        );
        let others = self.extra.iter();
        let others = others.map(|(kind, field)| (*kind, PyBytes::new(py, field)));
        PyList::new(
            py,
            std::iter::once(delivery).chain(others).collect::<Vec<_>>(),
        )
    }
}
