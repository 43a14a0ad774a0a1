//! What reads bytes that others wrote, as functions that panic when it breaks a promise.
//!
//! `tests/corpus.rs` runs them on the corpus and on changed pieces of it in every `make test`;
//! `bin/guided.rs` lets libFuzzer look for inputs that reach new code (`make fuzz`). An input that was
//! found goes into `corpus/<target>/` with its fix.

mod archive;
mod config;
mod expression;
mod frames;
mod payload;

/// A target: its name, which is also its folder in the corpus, and what it does with an input.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// Panics when the input makes a promise break.
    pub run: fn(&[u8]),
    /// Changed inputs in `make test`: some seconds for each target, without optimisation.
    pub iterations: u32,
}

/// All of them.
pub const TARGETS: [Target; 5] = [
    Target {
        name: "config",
        run: config::run,
        iterations: 2_000,
    },
    Target {
        name: "expression",
        run: expression::run,
        iterations: 50_000,
    },
    Target {
        name: "frames",
        run: frames::run,
        iterations: 50_000,
    },
    Target {
        name: "payload",
        run: payload::run,
        iterations: 50_000,
    },
    Target {
        name: "archive",
        run: archive::run,
        iterations: 2_000,
    },
];
