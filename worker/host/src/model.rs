//! The imported model.

use frame::{CallField, Extra, LoadField};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};

use crate::context::Context;

/// Most messages that `handler_batch` gets at once: all that a worker has in flight.
const MAX_BATCH: usize = 256;

/// A model that is ready to be called.
pub(crate) struct Model<'py> {
    handler: Bound<'py, PyAny>,
    /// `handler_batch`, if the model defines one.
    batch_handler: Option<Bound<'py, PyAny>>,
    /// Most messages that it gets at once.
    max_batch: usize,
    helper: Bound<'py, PyModule>,
    name: Bound<'py, PyString>,
    decodes_json: bool,
    encodes_json: bool,
    /// The last topic and device: most messages share few.
    topic: (String, Bound<'py, PyString>),
    device: (String, Bound<'py, PyString>),
}

/// The helper's texts for an exception: one line, and the traceback.
pub(crate) fn describe(
    py: Python<'_>,
    helper: &Bound<'_, PyModule>,
    error: PyErr,
) -> (String, String) {
    let name = error
        .get_type(py)
        .name()
        .map_or_else(|_| "exception".to_owned(), |name| name.to_string());
    helper
        .call_method1(intern!(py, "describe"), (error.into_value(py),))
        .and_then(|texts| texts.extract())
        .unwrap_or((name, String::new()))
}

impl<'py> Model<'py> {
    /// Imports `index.py` in `directory`.
    pub(crate) fn load(
        helper: &Bound<'py, PyModule>,
        name: &str,
        directory: &str,
        wheels: &str,
        databases: &str,
        extra: Extra<'_>,
    ) -> PyResult<Self> {
        let py = helper.py();
        let text = |wanted: LoadField| {
            let mut fields = extra.iter();
            let found = fields.find(|(kind, _)| *kind == wanted as u8);
            found.map_or_else(String::new, |(_, text)| {
                String::from_utf8_lossy(text).into()
            })
        };
        let (decode, encode) = (text(LoadField::Decode), text(LoadField::Encode));
        let settings = (text(LoadField::Version), &decode, &encode);
        helper.call_method1(intern!(py, "configure"), settings)?;
        let batch = text(LoadField::Batch);
        let (handler, batch_handler) = helper
            .call_method1(
                intern!(py, "load"),
                (name, directory, wheels, databases, !batch.is_empty()),
            )?
            .extract()?;
        let empty = PyString::new(py, "");
        Ok(Self {
            handler,
            batch_handler,
            max_batch: batch.parse().unwrap_or(MAX_BATCH),
            helper: helper.clone(),
            name: PyString::new(py, name),
            decodes_json: decode.is_empty(),
            encodes_json: encode.is_empty(),
            topic: (String::new(), empty.clone()),
            device: (String::new(), empty),
        })
    }

    /// The context of a message.
    pub(crate) fn context(
        &mut self,
        topic: &str,
        device: &str,
        received_at: f64,
        payload: &[u8],
        extra: Extra<'_>,
    ) -> PyResult<Bound<'py, Context>> {
        let py = self.handler.py();
        let mut delivery = 0;
        let mut others = Vec::new();
        for (kind, field) in extra.iter() {
            if kind == CallField::Delivery as u8 {
                delivery = field.first().copied().unwrap_or_default();
            } else {
                others.push((kind, field.to_owned()));
            }
        }
        Bound::new(
            py,
            Context {
                topic: remembered(&mut self.topic, topic).unbind(),
                device: remembered(&mut self.device, device).unbind(),
                model: self.name.clone().unbind(),
                helper: self.helper.clone().unbind(),
                received_at,
                payload: PyBytes::new(py, payload).unbind(),
                delivery,
                extra: others,
            },
        )
    }

    /// Whether messages are JSON.
    pub(crate) fn decodes_json(&self) -> bool {
        self.decodes_json
    }

    /// Whether results become JSON.
    pub(crate) fn encodes_json(&self) -> bool {
        self.encodes_json
    }

    /// Whether it takes several messages at once.
    pub(crate) fn takes_batches(&self) -> bool {
        self.batch_handler.is_some()
    }

    /// Most messages that `handler_batch` gets at once.
    pub(crate) fn max_batch(&self) -> usize {
        self.max_batch
    }

    /// Calls `handler_batch(events, contexts)`; its results, one for each event.
    pub(crate) fn call_batch(
        &self,
        events: &[Bound<'py, PyAny>],
        contexts: &[Bound<'py, Context>],
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let Some(handler) = &self.batch_handler else {
            return Ok(Vec::new());
        };
        let py = handler.py();
        let arguments = (PyList::new(py, events)?, PyList::new(py, contexts)?);
        let results = handler.call1(arguments)?;
        let checked = (results, events.len());
        let results = self
            .helper
            .call_method1(intern!(py, "batch_results"), checked)?;
        results.extract()
    }

    /// Calls `handler(event, context)`.
    pub(crate) fn call(
        &self,
        event: Bound<'py, PyAny>,
        context: Bound<'py, Context>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let result = self.handler.call1((event, context))?;
        // Only the types of most results are known not to be asynchronous.
        if result.is_none() || result.is_exact_instance_of::<PyDict>() {
            return Ok(result);
        }
        let py = result.py();
        if result.get_type().hasattr(intern!(py, "__await__"))? {
            return self.helper.call_method1(intern!(py, "awaited"), (result,));
        }
        Ok(result)
    }
}

fn remembered<'py>(last: &mut (String, Bound<'py, PyString>), text: &str) -> Bound<'py, PyString> {
    if last.0 != text {
        *last = (text.to_owned(), PyString::new(last.1.py(), text));
    }
    last.1.clone()
}
