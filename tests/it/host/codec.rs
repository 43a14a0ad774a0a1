//! The two readers of each format: what matching sees of a payload is what a model gets of it.

use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::Context as _;
use crds::validated::Format;
use payload::{InvalidPayload, rendered};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use tests::long::long;

const FORMATS: [Format; 4] = [Format::Text, Format::Cbor, Format::Msgpack, Format::Csv];

/// Bytes that begin values of CBOR, for every kind of value and length.
const CBOR: &[u8] = &[
    0x00, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x20, 0x38, 0x3b, 0x40, 0x42, 0x58, 0x5f, 0x60, 0x61, 0x62,
    0x78, 0x7f, 0x80, 0x81, 0x82, 0x98, 0x9f, 0xa0, 0xa1, 0xa2, 0xb8, 0xbf, 0xc0, 0xc2, 0xc3, 0xd8,
    0xf4, 0xf5, 0xf6, 0xf7, 0xf9, 0xfa, 0xfb, 0xff,
];

/// The same for MessagePack.
const MSGPACK: &[u8] = &[
    0x00, 0x7f, 0x80, 0x81, 0x82, 0x90, 0x91, 0x92, 0xa0, 0xa1, 0xa2, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4,
    0xc5, 0xc6, 0xc7, 0xc8, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf, 0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xd6,
    0xd7, 0xd8, 0xd9, 0xda, 0xdc, 0xdd, 0xde, 0xdf, 0xe0, 0xff,
];

/// A random payload that is near to what the format allows.
fn payload(random: &mut StdRng, format: Format) -> Vec<u8> {
    let count = random.random_range(0..24);
    let mut payload = Vec::new();
    for _ in 0..count {
        match format {
            Format::Cbor | Format::Msgpack => {
                let kinds = if format == Format::Cbor {
                    CBOR
                } else {
                    MSGPACK
                };
                if random.random_bool(0.5) {
                    payload.extend(kinds.choose(random));
                } else {
                    payload.push([0, 1, b'a', b'b', random.random()][random.random_range(0..5)]);
                }
            }
            _ => {
                let parts = [
                    ",", "\"", "\"\"", "a", "b ", "设", "\n", "\r\n", "\r", "\u{feff}", "\0", "'",
                    "\t", "\u{2028}", "23.5",
                ];
                let part = parts.choose(random).copied().unwrap_or_default();
                payload.extend_from_slice(part.as_bytes());
                if random.random_bool(0.01) {
                    payload.push(random.random());
                }
            }
        }
    }
    payload
}

/// With `EDGEMODEL_LONG=formats` a million of them, from another seed each time.
#[test]
fn c8_matching_sees_what_models_get() -> anyhow::Result<()> {
    let (seed, count) = match long("formats") {
        Some(_) => (rand::random::<u32>(), 1_000_000),
        None => (1, 40_000),
    };
    let mut random = StdRng::seed_from_u64(seed.into());
    let mut lines = String::new();
    for number in 0..count {
        let format = FORMATS[number % FORMATS.len()];
        let payload = payload(&mut random, format);
        let hex: String = payload.iter().map(|byte| format!("{byte:02x}")).collect();
        let answer = match rendered(format, &payload) {
            Ok(json) => format!("={}", json.context("only bytes have no places")?),
            Err(InvalidPayload::Other { fault, .. }) => format!("!{fault}"),
            Err(error) => anyhow::bail!("{format:?}: {error}"),
        };
        lines += &format!("{} {hex} {answer}\n", format.as_str());
    }
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/fixtures/python/formats_agree.py"
    );
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../worker/host/python");
    let mut python = Command::new(hosts::python(None)?)
        .args(["-B", "-X", "utf8", script, folder])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut input = python.stdin.take().context("stdin is piped")?;
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = python.wait_with_output()?;
    let written = writer.join();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "seed {seed}: {told}");
    assert!(matches!(written, Ok(Ok(()))), "{told}");
    let expected = [format!("{count} payloads"), " 0 differences".to_owned()];
    assert!(
        expected.iter().all(|part| told.contains(part)),
        "seed {seed}: {told}"
    );
    let sound = told
        .split(", ")
        .nth(1)
        .and_then(|part| part.split(' ').next());
    let sound: usize = sound.context("a number")?.parse()?;
    assert!(sound > count / 20, "too few of them mean something: {told}");
    Ok(())
}
