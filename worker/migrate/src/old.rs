//! pyboot's matching loops: how many results a message gave.
//!
//! In the first two generations one process had all models, and the last result alone was published. In the last one each
//! model has a process, and each device that matches gives a result. An exception that is not a syntax error ended the thread.

mod device;

use crds::node::Node;

use crate::generation::{self, Generation};
use crate::python::Value;
use crate::{entries, items};

use device::{Device, Verdict};

/// The models with their devices, in order.
#[derive(Debug)]
pub(crate) struct Old {
    generation: Generation,
    funcs: Vec<Vec<Device>>,
}

/// What one model did with a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fate {
    /// How many results could be published, if that is known.
    pub(crate) results: Option<usize>,
    /// Why it is not known.
    pub(crate) unknown: Option<String>,
    /// The exception that ended the thread, or the whole subscription.
    pub(crate) raised: Option<&'static str>,
    /// The model was called, but a later model's result was published instead.
    pub(crate) replaced: bool,
}

impl Fate {
    fn results(count: usize) -> Self {
        Self {
            results: Some(count),
            ..Self::default()
        }
    }

    fn unknown(why: String) -> Self {
        Self {
            unknown: Some(why),
            ..Self::default()
        }
    }
}

impl Old {
    /// Reads the tree of the old configuration.
    pub(crate) fn read(tree: &Node, generation: Generation, lines: &[&str]) -> Self {
        let funcs = items(tree.get("funcs"))
            .iter()
            .map(|func| match generation {
                Generation::Flat => vec![Device::flat(func, lines)],
                Generation::Expressions => generation::devices(func)
                    .map(|one| Device::expressions(one, lines))
                    .collect(),
                Generation::Attributes => generation::devices(func)
                    .map(|one| Device::attributes(one, lines))
                    .collect(),
            });
        Self {
            generation,
            funcs: funcs.collect(),
        }
    }

    /// What each model did with a message.
    pub(crate) fn fates(&self, payload: &[u8]) -> Vec<Fate> {
        let all = |fate: Fate| vec![fate; self.funcs.len()];
        let Ok(text) = std::str::from_utf8(payload) else {
            return all(Fate {
                raised: Some("UnicodeDecodeError"),
                ..Fate::results(0)
            });
        };
        // `json.loads` of a text takes no mark, and no zeros of another encoding.
        let decoded = if text.starts_with('\u{feff}') || text.contains('\0') {
            None
        } else {
            match payload::decode(payload) {
                Ok(message) => Some(Value::of(&message)),
                Err(payload::InvalidJson::TooDeep) => {
                    return all(Fate::unknown(
                        "it has more levels than are compared".to_owned(),
                    ));
                }
                Err(_) => None,
            }
        };
        match (self.generation, decoded) {
            (Generation::Attributes, None) => all(Fate::results(0)),
            (Generation::Attributes, Some(message)) => self
                .funcs
                .iter()
                .map(|devices| own_process(devices, &message))
                .collect(),
            // pyboot took an empty dict for a message that is not JSON.
            (_, decoded) => self.one_process(&decoded.unwrap_or_else(|| Value::Dict([].into()))),
        }
    }

    fn one_process(&self, message: &Value) -> Vec<Fate> {
        let mut fates = vec![Fate::results(0); self.funcs.len()];
        let mut last = None;
        for (index, devices) in self.funcs.iter().enumerate() {
            for device in devices {
                match device.verdict(message) {
                    Verdict::Matches => {
                        if let Some(before) = last.replace(index) {
                            fates[before].replaced = before != index;
                        }
                        fates[index].replaced = false;
                    }
                    Verdict::Differs => {}
                    Verdict::Raised(raised) => {
                        let mut fates = vec![Fate::results(0); self.funcs.len()];
                        fates[index].raised = Some(raised.name());
                        return fates;
                    }
                    Verdict::Unknown(why) => return vec![Fate::unknown(why); self.funcs.len()],
                }
            }
        }
        if let Some(last) = last {
            fates[last].results = Some(1);
        }
        fates
    }
}

fn own_process(devices: &[Device], message: &Value) -> Fate {
    let mut results = 0;
    for device in devices {
        match device.verdict(message) {
            Verdict::Matches => results += 1,
            Verdict::Differs => {}
            Verdict::Raised(raised) => {
                return Fate {
                    raised: Some(raised.name()),
                    ..Fate::results(results)
                };
            }
            Verdict::Unknown(why) => return Fate::unknown(why),
        }
    }
    Fate::results(results)
}

/// A field, null or not.
fn field<'a>(node: &'a Node, name: &str) -> Option<&'a Node> {
    entries(node)
        .iter()
        .find(|(key, _, _)| key == name)
        .map(|(_, _, node)| node)
}
