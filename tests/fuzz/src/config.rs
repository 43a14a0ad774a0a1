//! Configurations: a problem with its place, or a runtime that the rest of the program can use.

use std::sync::Arc;

use matching::{Generator, Matcher};

/// Longer texts only take longer.
const LONGEST: usize = 16 << 10;

pub(crate) fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(&input[..input.len().min(LONGEST)]);
    let runtime = match crds::load(&text, "fuzz") {
        Ok(runtime) => runtime,
        Err(problems) => {
            assert!(!problems.list.is_empty(), "refused without a problem");
            // YAML takes a carriage return alone as the end of a line too.
            let lines = text.matches(['\n', '\r']).count() + 1;
            for problem in &problems.list {
                assert!(!problem.message.is_empty() && !problem.remedy.is_empty());
                if let Some(position) = problem.position {
                    assert!((1..=lines).contains(&position.line), "{problem:?}");
                    assert!(position.column >= 1, "{problem:?}");
                }
            }
            let shown = problems.to_string();
            assert_eq!(shown.lines().count(), problems.list.len(), "{shown}");
            return;
        }
    };
    let again = crds::load(&text, "fuzz").expect("it was accepted before");
    assert_eq!(
        format!("{again:?}"),
        format!("{runtime:?}"),
        "a second reading differs"
    );
    let (_, message): (Arc<str>, _) = Generator::new(&runtime, 1, 0.0).message();
    for func in &runtime.funcs {
        // What it finds is matching's own business, shown against CPython elsewhere.
        let _ = Matcher::of(func).find("in", &message);
    }
}
