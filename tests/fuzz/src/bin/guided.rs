//! The program that libFuzzer drives, on the target of `EDGEMODEL_FUZZ_TARGET`; see `tests/fuzz/guided`.

#![no_main]

use std::sync::LazyLock;

static TARGET: LazyLock<fuzz::Target> = LazyLock::new(|| {
    let name = std::env::var("EDGEMODEL_FUZZ_TARGET").unwrap_or_default();
    let mut targets = fuzz::TARGETS.into_iter();
    targets
        .find(|target| target.name == name)
        .expect("EDGEMODEL_FUZZ_TARGET names a target")
});

libfuzzer_sys::fuzz_target!(|input: &[u8]| (TARGET.run)(input));
