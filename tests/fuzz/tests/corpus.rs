//! Every target on its corpus, and on changed pieces of it: the same ones each time.
//!
//! What a fuzzer once found stays in the corpus, so that it cannot come back unseen.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use fuzz::{TARGETS, Target};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};

/// Values that are often a border.
const BORDERS: [u8; 8] = [0, 1, 0x7f, 0x80, 0xff, b'\n', b'\'', b'['];

fn corpus(target: &Target) -> anyhow::Result<Vec<Vec<u8>>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target.name);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .with_context(|| format!("failed to read {}", folder.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect::<anyhow::Result<_>>()?;
    files.sort();
    files.iter().map(|file| Ok(fs::read(file)?)).collect()
}

/// One input changed in one to eight places.
fn changed(corpus: &[Vec<u8>], random: &mut SmallRng) -> Vec<u8> {
    let pick = |random: &mut SmallRng| corpus.choose(random).cloned().unwrap_or_default();
    let mut input = pick(random);
    for _ in 0..random.random_range(1..=8) {
        let place = random.random_range(0..=input.len());
        let end = (place + random.random_range(0..16)).min(input.len());
        match random.random_range(0..6) {
            0 if place < input.len() => input[place] ^= 1 << random.random_range(0..8),
            1 if place < input.len() => {
                input[place] = BORDERS.choose(random).copied().unwrap_or(0);
            }
            2 => drop(input.drain(place..end)),
            3 => input.insert(place, random.random()),
            4 => {
                let piece = input[place..end].to_vec();
                input.splice(place..place, piece);
            }
            _ => {
                let other = pick(random);
                let from = random.random_range(0..=other.len());
                let to = (from + random.random_range(0..32)).min(other.len());
                input.splice(place..end, other[from..to].iter().copied());
            }
        }
    }
    input
}

/// Runs a target, and shows the input that breaks it.
fn run(target: &Target, input: &[u8]) -> anyhow::Result<()> {
    std::panic::catch_unwind(|| (target.run)(input))
        .map_err(|_| anyhow::anyhow!("{} on \"{}\"", target.name, input.escape_ascii()))
}

#[test]
fn no_input_of_the_corpus_and_none_near_it_breaks_a_promise() -> anyhow::Result<()> {
    let check = |target: &Target| {
        let corpus = corpus(target)?;
        corpus.iter().try_for_each(|input| run(target, input))?;
        let mut random = SmallRng::seed_from_u64(4);
        (0..target.iterations).try_for_each(|_| run(target, &changed(&corpus, &mut random)))
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = TARGETS
            .iter()
            .map(|target| scope.spawn(move || check(target)))
            .collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().expect("panics are caught"))
    })
}
