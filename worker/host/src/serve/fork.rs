//! A child that a model forked must never write to the worker.

use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// Set in such a child.
static FORKED: AtomicBool = AtomicBool::new(false);

#[pyfunction]
fn forked() {
    FORKED.store(true, Ordering::Relaxed);
}

/// Notes from now on that a process is a fork.
pub(super) fn watch(py: Python<'_>) -> PyResult<()> {
    let arguments = pyo3::types::PyDict::new(py);
    arguments.set_item("after_in_child", wrap_pyfunction!(forked, py)?)?;
    py.import("os")?
        .call_method("register_at_fork", (), Some(&arguments))?;
    Ok(())
}

/// Ends a process that a model forked and that came back from the model's code.
pub(super) fn end_if_forked(py: Python<'_>) -> PyResult<()> {
    if FORKED.load(Ordering::Relaxed) {
        py.import("os")?.call_method1("_exit", (0,))?;
        return Err(PyRuntimeError::new_err("os._exit came back"));
    }
    Ok(())
}
