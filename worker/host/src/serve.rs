//! The host's loop: frames in, calls, frames out.

mod fork;
mod outcome;

use std::time::{Duration, Instant};

use frame::{Decoder, Reply, Request, Response, Secret};
use pyo3::exceptions::PyOSError;
use pyo3::intern;
use pyo3::prelude::*;

use crate::channel::Channel;
use crate::context::Context;
use crate::decode::decode;
use crate::helper;
use crate::model::{Model, describe};
use crate::progress::ProgressPage;

use outcome::Outcome;

/// Replies are held back while more calls wait, but not longer than this.
const HELD_BACK: Duration = Duration::from_millis(1);

/// Nor when they are larger than this together.
const HELD_BYTES: usize = 64 << 10;

/// Serves the worker until it closes the connection.
pub(crate) fn run(py: Python<'_>) -> PyResult<()> {
    let (mut channel, page) = Channel::open()?;
    let page = ProgressPage::open(&page)?;
    let helper = helper(py)?;
    fork::watch(py)?;
    let mut host = Host {
        helper: &helper,
        running: py.import("edgemodel_support.running")?,
        page,
        decoder: Decoder::default(),
        output: Vec::new(),
        result: Vec::new(),
        held_since: None,
        replied: false,
        holds: false,
        holding: false,
    };
    let Some(mut model) = host.load(py, &mut channel)? else {
        return Ok(());
    };
    let mut settled = false;
    loop {
        host.calls(py, &mut model, &mut channel)?;
        host.write(py, &mut channel)?;
        if host.replied && !std::mem::replace(&mut settled, true) {
            helper.call_method0(intern!(py, "settle"))?;
        }
        let buffer = host.decoder.buffer();
        if host.page.waiting(|| channel.read(py, buffer))? == 0 {
            return Ok(());
        }
    }
}

struct Host<'a, 'py> {
    helper: &'a Bound<'py, PyModule>,
    /// The part of the helper that knows whose call runs.
    running: Bound<'py, PyModule>,
    page: ProgressPage,
    decoder: Decoder,
    /// Frames to be written.
    output: Vec<u8>,
    /// The last result.
    result: Vec<u8>,
    held_since: Option<Instant>,
    /// Whether there was a reply.
    replied: bool,
    /// Whether nothing may come before a call that raised.
    holds: bool,
    /// Whether a call raised, and has not come again.
    holding: bool,
}

/// A call that was read and not made.
struct Call<'py> {
    id: u64,
    /// Not to be put together with others; what is held back goes on with it.
    alone: bool,
    /// The message, or why it is not JSON.
    event: Result<Bound<'py, PyAny>, String>,
    context: Bound<'py, Context>,
    /// Whether it goes out with others.
    together: bool,
}

impl<'py> Host<'_, 'py> {
    /// Waits for the first frame and imports the model; `None` when that fails, which the worker is
    /// told.
    fn load(&mut self, py: Python<'py>, channel: &mut Channel) -> PyResult<Option<Model<'py>>> {
        let loaded = loop {
            if let Some(body) = self.decoder.next_body().map_err(broken)? {
                let Request::Load {
                    model,
                    directory,
                    wheels,
                    databases: Secret(databases),
                    extra,
                    holds,
                } = Request::decode(body).map_err(broken)?
                else {
                    return Err(broken("the first frame is not a Load"));
                };
                self.holds = holds;
                break Model::load(self.helper, model, directory, wheels, databases, extra);
            }
            if channel.read(py, self.decoder.buffer())? == 0 {
                return Ok(None);
            }
        };
        fork::end_if_forked(py)?;
        let (model, message, traceback) = match loaded {
            Ok(model) => (Some(model), String::new(), String::new()),
            Err(error) => {
                let (message, traceback) = describe(py, self.helper, error);
                (None, message, traceback)
            }
        };
        let version = py.version_info();
        let python = format!("{}.{}.{}", version.major, version.minor, version.patch);
        let response = if model.is_some() {
            Response::Ready { python: &python }
        } else {
            Response::LoadFailed {
                message: &message,
                traceback: &traceback,
            }
        };
        response.encode(&mut self.output).map_err(broken)?;
        channel.write(py, &mut self.output)?;
        Ok(model)
    }

    /// Makes every call that has come whole.
    fn calls(
        &mut self,
        py: Python<'py>,
        model: &mut Model<'py>,
        channel: &mut Channel,
    ) -> PyResult<()> {
        // The decoder lends out the bodies; it goes back when they are done.
        let mut decoder = std::mem::take(&mut self.decoder);
        let mut batch = Vec::new();
        while let Some(body) = decoder.next_body().map_err(broken)? {
            let Request::Call {
                id,
                alone,
                received_at,
                topic,
                device,
                payload,
                extra,
            } = Request::decode(body).map_err(broken)?
            else {
                return Err(broken("a second Load"));
            };
            let together = model.takes_batches() && !alone;
            let call = Call {
                id,
                alone,
                event: decode(py, self.helper, model.decodes_json(), payload),
                context: model.context(topic, device, received_at, payload, extra)?,
                together,
            };
            if together {
                batch.push(call);
                if batch.len() >= model.max_batch() {
                    self.batch(py, model, std::mem::take(&mut batch))?;
                }
            } else {
                self.single(py, model, call)?;
            }
            let now = Instant::now();
            let held_since = *self.held_since.get_or_insert(now);
            if now - held_since > HELD_BACK || self.output.len() > HELD_BYTES {
                self.write(py, channel)?;
            }
        }
        self.batch(py, model, batch)?;
        self.decoder = decoder;
        Ok(())
    }

    /// Writes the replies, for which the worker may have no room while it cannot publish.
    fn write(&mut self, py: Python<'py>, channel: &mut Channel) -> PyResult<()> {
        let output = &mut self.output;
        self.page.waiting(|| channel.write(py, output))?;
        self.held_since = None;
        Ok(())
    }

    /// Makes one call.
    fn single(&mut self, py: Python<'py>, model: &Model<'py>, call: Call<'py>) -> PyResult<()> {
        if self.holding && !call.alone {
            return self.reply(py, call.id, 0, &Outcome::Held);
        }
        self.current(Some(&call.context))?;
        let since = self.page.begin(call.id, 1);
        let outcome = match call.event {
            Ok(event) => {
                let result = model.call(event, call.context);
                Outcome::of(self.helper, model, result, &mut self.result)
            }
            Err(error) => Outcome::InvalidJson(error),
        };
        let nanos = self.page.end(since);
        self.holding = self.holds && matches!(outcome, Outcome::Exception(..));
        self.reply(py, call.id, nanos, &outcome)
    }

    /// Makes calls together; if that fails, one by one, so that each gets its own outcome.
    fn batch(
        &mut self,
        py: Python<'py>,
        model: &Model<'py>,
        calls: Vec<Call<'py>>,
    ) -> PyResult<()> {
        let Some(first) = calls.first() else {
            return Ok(());
        };
        if self.holding {
            let mut ids = calls.iter().map(|call| call.id);
            return ids.try_for_each(|id| self.reply(py, id, 0, &Outcome::Held));
        }
        let events: Vec<_> = calls
            .iter()
            .filter_map(|call| call.event.clone().ok())
            .collect();
        let sound = calls.iter().filter(|call| call.event.is_ok());
        let contexts: Vec<_> = sound.map(|call| call.context.clone()).collect();
        self.current(None)?;
        let since = self.page.begin(first.id, calls.len());
        let results = model.call_batch(&events, &contexts).map(Some);
        let nanos = self.page.end(since) / calls.len() as u64;
        let results = results.or_else(|error| {
            self.batch_failed(py, error)?;
            Ok::<_, PyErr>(None)
        })?;
        let Some(results) = results else {
            return calls.into_iter().try_for_each(|mut call| {
                // What the failed batch has done to the event must not matter.
                if call.together {
                    let payload = call.context.get().payload.bind(py).as_bytes();
                    call.event = decode(py, self.helper, model.decodes_json(), payload);
                }
                self.single(py, model, call)
            });
        };
        let mut results = results.into_iter();
        for call in calls {
            let outcome = match call.event {
                Err(error) => Outcome::InvalidJson(error),
                // There is a result for each event, as was checked.
                Ok(_) => match results.next() {
                    Some(result) => Outcome::of(self.helper, model, Ok(result), &mut self.result),
                    None => Outcome::Empty,
                },
            };
            self.reply(py, call.id, nanos, &outcome)?;
        }
        Ok(())
    }

    /// Tells the worker why calls that were put together are made one by one.
    fn batch_failed(&mut self, py: Python<'py>, error: PyErr) -> PyResult<()> {
        fork::end_if_forked(py)?;
        let (message, traceback) = describe(py, self.helper, error);
        let (message, traceback) = (&*message, &*traceback);
        Response::BatchFailed { message, traceback }
            .encode(&mut self.output)
            .map_err(broken)
    }

    /// Whose call runs, for what the model logs.
    fn current(&self, context: Option<&Bound<'py, Context>>) -> PyResult<()> {
        self.running
            .setattr(intern!(self.running.py(), "current"), context)
    }

    fn reply(
        &mut self,
        py: Python<'py>,
        id: u64,
        nanos: u64,
        outcome: &Outcome<'py>,
    ) -> PyResult<()> {
        fork::end_if_forked(py)?;
        self.replied = true;
        let reply = outcome.reply(&self.result)?;
        let written = Response::Reply { id, nanos, reply }.encode(&mut self.output);
        if let Err(error) = written {
            let (size, limit) = (error.size, error.limit);
            let message = format!("the result has {size} bytes, and at most {limit} are taken");
            let reply = Reply::Unserializable(&message);
            Response::Reply { id, nanos, reply }
                .encode(&mut self.output)
                .map_err(broken)?;
        }
        Ok(())
    }
}

fn broken(reason: impl std::fmt::Display) -> PyErr {
    PyOSError::new_err(format!("the worker's frames are broken: {reason}"))
}
