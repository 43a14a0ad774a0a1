//! Plain scalars, against PyYAML.

use anyhow::Context as _;
use crds::pyyaml::{Scalar, resolve};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use tests::long::long;

/// Parts of scalars that mean something other than text, and of some that nearly do.
const PARTS: &[&str] = &[
    "0",
    "1",
    "7",
    "8",
    "9",
    "59",
    "60",
    "1234567890",
    "_",
    "__",
    ".",
    ":",
    "-",
    "+",
    "e",
    "E",
    "e+",
    "E-1",
    "0x",
    "0b",
    "0o",
    "a",
    "fF",
    "x",
    " ",
    "\t",
    "T",
    "t",
    "Z",
    "2024-01-31",
    "2024-1-3",
    "2024-13-31",
    "10:20:30",
    "1:2:3",
    ".5",
    "+08:00",
    "true",
    "No",
    "ON",
    "off",
    "y",
    "null",
    "~",
    ".inf",
    ".NaN",
    "=",
    "<<",
    "设",
    "\u{85}",
    "\u{2028}",
    "\u{1f}",
];

fn scalar(random: &mut StdRng) -> String {
    let count = random.random_range(0..6);
    let parts = (0..count).map(|_| PARTS.choose(random).copied().unwrap_or_default());
    parts.collect()
}

fn ours(written: &str) -> Value {
    match resolve(written) {
        Scalar::Nothing => json!(["nothing"]),
        Scalar::Bool(value) => json!(["bool", if value { "True" } else { "False" }]),
        Scalar::Number(text) => json!(["number", text]),
        Scalar::Time => json!(["time"]),
        Scalar::Text(text) => json!(["text", text]),
    }
}

/// `EDGEMODEL_LONG=migrate` tries 300,000 of them.
#[test]
fn plain_scalars_are_what_pyyaml_makes_of_them() -> anyhow::Result<()> {
    let count = if long("migrate").is_some() {
        300_000
    } else {
        10_000
    };
    let mut random = StdRng::seed_from_u64(super::SEED);
    let scalars: Vec<_> = (0..count).map(|_| scalar(&mut random)).collect();
    let lines = scalars.iter().map(|written| json!(written).to_string());
    let answers = super::python("pyyaml_scalars.py", lines.collect())
        .context("PyYAML is needed: `apt-get install python3-yaml` or `pip install pyyaml`")?;
    assert_eq!(answers.len(), count);
    let (mut special, mut refused) = (0, 0);
    for (written, theirs) in scalars.iter().zip(&answers) {
        let ours = ours(written);
        if theirs[0] == "refused" {
            refused += 1;
            continue;
        }
        assert_eq!(ours, *theirs, "{written:?}");
        special += usize::from(ours[0] != "text");
    }
    // Otherwise the random scalars would try little.
    assert!(
        special * 10 > count,
        "{special} of {count} are not texts, {refused} refused"
    );
    Ok(())
}
