//! What to do when a model meets the limits of its sandbox. The model gets the system's error; the log says what else there is.

use std::sync::atomic::{AtomicBool, Ordering};

use crds::validated::SandboxMode;
use message::Outcome;

use crate::options::Options;

/// Logs what to do if a model failed over its sandbox; once, as `told` remembers.
pub(crate) fn tell(outcome: &Outcome, options: &Options, told: &AtomicBool) {
    let Outcome::Failed(failure) = outcome else {
        return;
    };
    if options.sandbox.mode == SandboxMode::Off {
        return;
    }
    let remedy = hint(&failure.message).filter(|_| !told.swap(true, Ordering::Relaxed));
    if let Some(remedy) = remedy {
        let (model, error) = (&options.model, &failure.message);
        tracing::warn!(
            model,
            error,
            remedy,
            "Model may have met the limits of its sandbox"
        );
    }
}

/// What an exception's text says that the sandbox is likely to have refused, with the remedy.
pub(crate) fn hint(message: &str) -> Option<&'static str> {
    /// Parts of texts by the system, by SQLite and by Python.
    const HINTS: [(&str, &str); 4] = [
        (
            "[Errno 13] Permission denied",
            "if its sandbox refused the file, add the file or its folder to funcs[].sandbox.read or write",
        ),
        (
            "unable to open database file",
            "if its sandbox refused the file, add its folder to funcs[].sandbox.write",
        ),
        (
            "attempt to write a readonly database",
            "if its sandbox refused the file, add its folder to funcs[].sandbox.write",
        ),
        (
            "[Errno 1] Operation not permitted",
            "its sandbox refuses some system calls and, with network: none, connections; see funcs[].sandbox",
        ),
    ];
    let found = HINTS.iter().find(|(text, _)| message.contains(text));
    found.map(|(_, remedy)| *remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_sandbox_may_have_refused_has_a_remedy() {
        for (message, expected) in [
            (
                "PermissionError: [Errno 13] Permission denied: '/data/x'",
                Some("sandbox.read or write"),
            ),
            (
                "OperationalError: unable to open database file",
                Some("sandbox.write"),
            ),
            (
                "PermissionError: [Errno 1] Operation not permitted",
                Some("network: none"),
            ),
            ("ValueError: no", None),
        ] {
            let found = hint(message);
            assert_eq!(found.is_some(), expected.is_some(), "{message}");
            assert!(
                found
                    .unwrap_or_default()
                    .contains(expected.unwrap_or_default()),
                "{message}"
            );
        }
    }
}
