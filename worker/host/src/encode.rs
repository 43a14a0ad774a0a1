//! Results as JSON in UTF-8, byte for byte as `json.dumps` writes it. Built-in types are walked here; the helper makes the others simpler.

mod float;

use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

/// Deeper results are refused: they may contain themselves, and no reader would take them.
const MAX_DEPTH: usize = 200;

/// What is said of them.
pub(crate) const TOO_DEEP: &str = "the result is nested deeper than 200; does it contain itself?";

/// Why a result is not JSON.
#[derive(Debug)]
pub(crate) enum Error {
    TooDeep,
    Python(PyErr),
}

impl From<PyErr> for Error {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        match error {
            Error::TooDeep => PyValueError::new_err(TOO_DEEP),
            Error::Python(error) => error,
        }
    }
}

/// Appends `value` to `buffer`.
pub(crate) fn encode(
    value: &Bound<'_, PyAny>,
    helper: &Bound<'_, PyModule>,
    buffer: &mut Vec<u8>,
) -> Result<(), Error> {
    Encoder { helper, buffer }.value(value, 0)
}

struct Encoder<'a, 'py> {
    helper: &'a Bound<'py, PyModule>,
    buffer: &'a mut Vec<u8>,
}

impl Encoder<'_, '_> {
    fn value(&mut self, value: &Bound<'_, PyAny>, depth: usize) -> Result<(), Error> {
        // The common types first. Subclasses, such as numpy.float64 and OrderedDict, are written as
        // the type that they extend, as json.dumps does.
        if let Ok(text) = value.cast::<PyString>() {
            self.text(text)
        } else if let Ok(number) = value.cast_exact::<PyFloat>() {
            self.float(number.extract()?);
            Ok(())
        } else if let Ok(truth) = value.cast::<PyBool>() {
            let truth: &[u8] = if truth.is_true() { b"true" } else { b"false" };
            self.buffer.extend_from_slice(truth);
            Ok(())
        } else if let Ok(number) = value.cast::<PyInt>() {
            self.integer(number)
        } else if let Ok(object) = value.cast::<PyDict>() {
            self.object(object, depth)
        } else if let Ok(list) = value.cast::<PyList>() {
            self.array(list.iter(), depth)
        } else if let Ok(tuple) = value.cast::<PyTuple>() {
            self.array(tuple.iter(), depth)
        } else if value.is_none() {
            self.buffer.extend_from_slice(b"null");
            Ok(())
        } else if let Ok(number) = value.cast::<PyFloat>() {
            self.float(number.extract()?);
            Ok(())
        } else {
            // One of the types above.
            let simpler = self
                .helper
                .call_method1(intern!(value.py(), "simpler"), (value,))?;
            self.value(&simpler, depth)
        }
    }

    fn integer(&mut self, number: &Bound<'_, PyInt>) -> Result<(), Error> {
        if let Ok(number) = number.extract::<i64>() {
            let mut digits = itoa::Buffer::new();
            self.buffer
                .extend_from_slice(digits.format(number).as_bytes());
            return Ok(());
        }
        // Larger ones, by the type's own text: a subclass may print itself in another way.
        let py = number.py();
        let text = py
            .get_type::<PyInt>()
            .call_method1(intern!(py, "__repr__"), (number,))?;
        self.buffer
            .extend_from_slice(text.extract::<&str>()?.as_bytes());
        Ok(())
    }

    fn float(&mut self, number: f64) {
        if number.is_finite() {
            float::write(number, self.buffer);
        } else {
            self.buffer.extend_from_slice(b"null");
        }
    }

    fn array<'py>(
        &mut self,
        items: impl Iterator<Item = Bound<'py, PyAny>>,
        depth: usize,
    ) -> Result<(), Error> {
        if depth == MAX_DEPTH {
            return Err(Error::TooDeep);
        }
        self.buffer.push(b'[');
        for (index, item) in items.enumerate() {
            if index > 0 {
                self.buffer.push(b',');
            }
            self.value(&item, depth + 1)?;
        }
        self.buffer.push(b']');
        Ok(())
    }

    fn object(&mut self, object: &Bound<'_, PyDict>, depth: usize) -> Result<(), Error> {
        if depth == MAX_DEPTH {
            return Err(Error::TooDeep);
        }
        self.buffer.push(b'{');
        for (index, (key, item)) in object.iter().enumerate() {
            if index > 0 {
                self.buffer.push(b',');
            }
            if let Ok(key) = key.cast_exact::<PyString>() {
                self.text(key)?;
            } else {
                let py = key.py();
                let key = self.helper.call_method1(intern!(py, "key"), (key,))?;
                self.text(key.cast::<PyString>().map_err(PyErr::from)?)?;
            }
            self.buffer.push(b':');
            self.value(&item, depth + 1)?;
        }
        self.buffer.push(b'}');
        Ok(())
    }

    fn text(&mut self, text: &Bound<'_, PyString>) -> Result<(), Error> {
        if let Ok(text) = text.to_str() {
            escape(text, self.buffer);
        } else {
            // A lone surrogate has no UTF-8, but JSON's escape.
            let helper = intern!(text.py(), "text");
            let ascii = self.helper.call_method1(helper, (text,))?;
            self.buffer
                .extend_from_slice(ascii.extract::<&str>()?.as_bytes());
        }
        Ok(())
    }
}

/// Appends a JSON string (RFC 8259, section 7).
fn escape(text: &str, buffer: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    buffer.push(b'"');
    let mut plain = 0;
    for (index, byte) in text.bytes().enumerate() {
        let short = match byte {
            b'"' | b'\\' => byte,
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x08 => b'b',
            0x0C => b'f',
            0..=0x1F => 0,
            _ => continue,
        };
        buffer.extend_from_slice(&text.as_bytes()[plain..index]);
        plain = index + 1;
        buffer.push(b'\\');
        if short == 0 {
            let (high, low) = (usize::from(byte >> 4), usize::from(byte & 15));
            buffer.extend_from_slice(&[b'u', b'0', b'0', HEX[high], HEX[low]]);
        } else {
            buffer.push(short);
        }
    }
    buffer.extend_from_slice(&text.as_bytes()[plain..]);
    buffer.push(b'"');
}
