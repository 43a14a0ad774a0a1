//! Matching against CPython's own evaluation.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use anyhow::Context as _;
use crds::validated::{Condition, Operand, ValidatedDevice};
use matching::Matcher;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};

const CASES: usize = 120_000;
const SEED: u64 = 20_261_124;

/// Texts that are keys, values and parts of each other.
const TEXTS: [&str; 16] = [
    "",
    "a",
    "ab",
    "b",
    "86",
    "-1",
    "设备",
    "设备2",
    "é",
    "e\u{301}",
    "😀",
    "it's",
    "say \"x\"",
    "a\\n",
    "line\nend",
    "\u{7f}\u{200b}",
];
const OPERATORS: [&str; 9] = ["==", "==", "!=", "in", "not in", "<", "<=", ">", ">="];

fn text(random: &mut StdRng) -> &'static str {
    TEXTS.choose(random).copied().unwrap_or_default()
}

/// JSON text, with what only Python's json takes and with equal keys.
fn message(random: &mut StdRng, depth: u32) -> String {
    let kind = if depth == 0 {
        random.random_range(0..6)
    } else {
        random.random_range(0..12)
    };
    let parts = random.random_range(0..4);
    match kind {
        0 => "null".to_owned(),
        1 => ["true", "false"][random.random_range(0..2)].to_owned(),
        2 => [
            "86",
            "-1",
            "0",
            "1.5e3",
            "NaN",
            "-Infinity",
            "123456789012345678901234567890",
        ][random.random_range(0..7)]
        .to_owned(),
        3..=5 => quoted(random),
        6..=7 => {
            let items: Vec<_> = (0..parts).map(|_| message(random, depth - 1)).collect();
            format!("[{}]", items.join(", "))
        }
        _ => {
            let fields: Vec<_> = (0..parts)
                .map(|_| format!("{}: {}", quoted(random), message(random, depth - 1)))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
    }
}

/// A JSON string, at times with every character escaped.
fn quoted(random: &mut StdRng) -> String {
    let text = text(random);
    if random.random_bool(0.7) {
        return serde_json::Value::from(text).to_string();
    }
    let units: String = text
        .encode_utf16()
        .map(|unit| format!("\\u{unit:04X}"))
        .collect();
    format!("\"{units}\"")
}

fn expression(random: &mut StdRng) -> String {
    let mut expression = OPERATORS.choose(random).copied().unwrap_or("==").to_owned();
    expression += [" ", "  ", "\t"][random.random_range(0..3)];
    expression += "data_to_dict";
    for _ in 0..random.random_range(0..4) {
        let blank = ["", "", " ", "\n"][random.random_range(0..4)];
        let step = if random.random_bool(0.3) {
            random.random_range(-3..4).to_string()
        } else {
            let quote = ['\'', '"'][random.random_range(0..2)];
            let escaped: String = text(random).chars().map(|c| literal(c, quote)).collect();
            format!("{quote}{escaped}{quote}")
        };
        expression += &format!("[{blank}{step}{blank}]");
    }
    expression
}

fn literal(character: char, quote: char) -> String {
    match character {
        '\n' => "\\n".to_owned(),
        '\\' => "\\\\".to_owned(),
        c if c == quote => format!("\\{c}"),
        '😀' => "\\U0001F600".to_owned(),
        'é' => "\\xe9".to_owned(),
        c => c.to_string(),
    }
}

#[test]
fn matching_equals_cpythons_own_evaluation() -> anyhow::Result<()> {
    let mut random = StdRng::seed_from_u64(SEED);
    let mut case = || {
        (
            text(&mut random),
            expression(&mut random),
            message(&mut random, 3),
        )
    };
    let cases: Vec<_> = (0..CASES).map(|_| case()).collect();

    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/python/evaluate.py");
    let mut python = Command::new("python3")
        .args(["-X", "utf8", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("failed to start python3: install CPython 3.10 or newer")?;
    let mut input = python.stdin.take().context("stdin is piped")?;
    let lines: String = cases
        .iter()
        .map(|(value, expression, message)| {
            let case =
                serde_json::json!({"value": value, "expression": expression, "message": message});
            format!("{case}\n")
        })
        .collect();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = BufReader::new(python.stdout.take().context("stdout is piped")?);
    let answers = output.lines().collect::<Result<Vec<_>, _>>()?;
    writer
        .join()
        .map_err(|_| anyhow::anyhow!("the writer panicked"))??;
    anyhow::ensure!(python.wait()?.success(), "python3 failed");
    assert_eq!(answers.len(), CASES);

    let mut matched = 0;
    for ((value, expression, message), answer) in cases.iter().zip(&answers) {
        let condition = Condition {
            name: String::new(),
            value: Operand::Text((*value).to_owned()),
            expression: crds::expression::parse(expression)?,
        };
        let device = ValidatedDevice {
            name: "d".to_owned(),
            conditions: vec![condition],
        };
        let ours = Matcher::new(&[device])
            .find("in", message.as_bytes())?
            .is_some();
        assert_eq!(ours, answer == "1", "{value:?} {expression} on {message}");
        matched += usize::from(ours);
    }
    // A comparison in which nearly all is false would show nothing.
    assert!(
        matched > CASES / 20,
        "only {matched} of {CASES} cases match"
    );
    Ok(())
}
