//! Results with sets, whose order in Python depends on the hash seed of each process.

use std::process::Command;

use anyhow::Context as _;
use tests::site::Models;

const SETS: &str = "
import collections, dataclasses, datetime, enum
class Kind(enum.Enum):
    PUMP = 'pump'
    FAN = 'fan'
    GEAR = 'gear'
@dataclasses.dataclass(frozen=True)
class Alarm:
    code: str
    tags: frozenset
def handler(event, context):
    words = event['words']
    return {
        'texts': set(words),
        'empty': set(),
        'numbers': {float('nan'), *(len(word) for word in words), 0.5, -3, 10**30},
        'mixed': {*words, None, True, 7, 2.5, (1, 'a'), (1, 'b')},
        'nested': {frozenset(words[:3]), frozenset(words[3:])},
        'days': {datetime.date(2026, 1, day) for day in range(1, 9)},
        'kinds': set(Kind),
        'alarms': {Alarm(word, frozenset(words)) for word in words},
        'list': [set(words), (set(words), {'deep': frozenset(words)})],
        'counts': {tuple(pair) for pair in collections.Counter(words).items()},
    }
";

const EVENT: &str = r#"{"words": ["红", "green", "blue", "", "a", "Z", "10", "9", "\ud83d"]}"#;

/// Runs `edgemodel test` under a hash seed.
fn test(seed: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let output = Command::new(tests::edgemodel()?)
        .arg("test")
        .args(arguments)
        .env("PYTHONHASHSEED", seed)
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "seed {seed} {arguments:?}: {text}");
    Ok(())
}

#[test]
fn a9_a_recorded_set_passes_in_both_hosts_whatever_the_hash_seed() -> anyhow::Result<()> {
    let models = Models::new()?;
    let event = models.path().join("event.json");
    std::fs::write(&event, EVENT)?;
    let event = event.display().to_string();
    let mut recordings = Vec::new();
    for (name, seed, host) in [("one", "0", "native"), ("other", "1", "portable")] {
        let folder = models.folder(name, SETS, &[])?;
        let path = folder.display().to_string();
        test(seed, &[&path, "--record", &event, "--host", host])?;
        recordings.push(std::fs::read_to_string(folder.join("samples/event.json"))?);
        for seed in ["1", "2", "3", "77", "4294967295", "random"] {
            for host in ["native", "portable"] {
                test(seed, &[&path, "--host", host])?;
            }
        }
    }
    assert_eq!(recordings[0], recordings[1]);
    let sample: serde_json::Value = serde_json::from_str(&recordings[0].replace("\\ud83d", "!"))
        .context("the sample is JSON")?;
    let result = &sample["result"];
    assert_eq!(result["empty"], serde_json::json!([]));
    assert_eq!(result["kinds"], serde_json::json!(["fan", "gear", "pump"]));
    let numbers = result["numbers"].as_array().context("a list")?;
    assert_eq!(numbers.first(), Some(&(-3).into()));
    assert_eq!(numbers.last(), Some(&serde_json::Value::Null));
    Ok(())
}
