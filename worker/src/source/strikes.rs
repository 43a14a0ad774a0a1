//! Messages that may have ended the worker: after its death, what a session's broker delivers again is taken one by one, and
//! each time that the worker dies over a message alone is another strike (ADR 26).
//!
//! A session has a record in a file for as long as it is served. A record that is found at the start was left by a worker
//! that died, unless it is of an earlier boot of the machine or its file is locked: then that worker still runs.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use mqtt::{DeliveryTag, Incoming};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The folder of records.
const FOLDER: &str = "sessions";

/// Identifies a boot of the machine.
const BOOT: &str = "/proc/sys/kernel/random/boot_id";

/// A record has few messages: each cost a worker.
const MOST: usize = 16;
const MOST_BYTES: u64 = 4096;

/// See the module's description.
#[derive(Debug)]
pub struct Strikes {
    path: PathBuf,
    /// Locked.
    file: File,
    boot: String,
    /// Whether the worker before this one died.
    careful: bool,
    /// What it, and those before it, had alone when they died, and what is taken alone now.
    struck: Vec<Tried>,
    /// The first connection, which brings again what was unacknowledged when the worker died.
    epoch: Option<u64>,
    /// The message that is taken alone now, and its digest.
    trying: Option<(DeliveryTag, String)>,
    /// What this worker has counted a strike for: a message that comes twice to one worker has not ended it.
    counted: Vec<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Record {
    boot: String,
    struck: Vec<Tried>,
}

/// A message, by the digest of its topic and payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Tried {
    digest: String,
    strikes: u8,
}

impl Strikes {
    /// The record of the session of `client_id` at `broker`, in a folder of `directory`. `None` if another worker has it, or
    /// nothing can be recorded.
    pub fn open(directory: &Path, client_id: &str, broker: &str) -> Option<Self> {
        let boot = fs::read_to_string(BOOT).unwrap_or_default();
        let opened = Self::try_open(directory, client_id, broker, boot.trim());
        opened.unwrap_or_else(|error| {
            tracing::debug!(%error, client_id, "No record of the session");
            None
        })
    }

    fn try_open(
        directory: &Path,
        client_id: &str,
        broker: &str,
        boot: &str,
    ) -> io::Result<Option<Self>> {
        let folder = directory.join(FOLDER);
        fs::create_dir_all(&folder)?;
        let path = folder.join(digest(&[broker.as_bytes(), client_id.as_bytes()]));
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)?;
        if file.try_lock().is_err() {
            return Ok(None);
        }
        let mut text = Vec::new();
        (&mut file).take(MOST_BYTES).read_to_end(&mut text)?;
        // A new one is empty; one that cannot be read was being written.
        let record: Record = serde_json::from_slice(&text).unwrap_or_default();
        let careful = !text.is_empty() && (record.boot == boot || record.boot.is_empty());
        let strikes = Self {
            path,
            file,
            boot: boot.to_owned(),
            careful,
            struck: if careful { record.struck } else { Vec::new() },
            epoch: None,
            trying: None,
            counted: Vec::new(),
        };
        strikes.write()?;
        Ok(Some(strikes))
    }

    /// How often the worker may have died over a message. One with a strike is to be taken alone: see [`Self::is_trying`].
    pub fn of(&mut self, incoming: &Incoming) -> u8 {
        let Some(tag) = incoming.tag.filter(|_| self.careful) else {
            return 0;
        };
        let again = *self.epoch.get_or_insert(tag.epoch) == tag.epoch && incoming.duplicate;
        if !again && self.struck.is_empty() {
            return 0;
        }
        let digest = digest(&[incoming.topic.as_bytes(), &incoming.payload]);
        let known = self
            .struck
            .iter()
            .position(|struck| struck.digest == digest);
        let index = match known {
            Some(index) => index,
            None if again => {
                self.struck.truncate(MOST - 1);
                self.struck.push(Tried {
                    digest: digest.clone(),
                    strikes: 0,
                });
                self.struck.len() - 1
            }
            None => return 0,
        };
        let struck = &mut self.struck[index];
        if !self.counted.contains(&digest) {
            struck.strikes = struck.strikes.saturating_add(1);
            self.counted.push(digest.clone());
        }
        let strikes = struck.strikes;
        self.note();
        self.trying = Some((tag, digest));
        strikes
    }

    /// Whether a message is taken alone now, and the others wait.
    pub fn is_trying(&self) -> bool {
        self.trying.is_some()
    }

    /// These messages are settled.
    pub fn settled(&mut self, tags: &[DeliveryTag]) {
        let settled = self.trying.take_if(|(tag, _)| tags.contains(tag));
        if let Some((_, digest)) = settled {
            self.struck.retain(|struck| struck.digest != digest);
            self.counted.retain(|counted| *counted != digest);
            self.note();
        }
    }

    /// The worker ends in order.
    pub fn close(self) {
        // At worst, the next worker is careful for nothing.
        let _ = fs::remove_file(&self.path);
    }

    fn note(&self) {
        if let Err(error) = self.write() {
            tracing::debug!(%error, "No record of a message");
        }
    }

    fn write(&self) -> io::Result<()> {
        let text = serde_json::to_vec(&Record {
            boot: self.boot.clone(),
            struck: self.struck.clone(),
        })?;
        let mut file = &self.file;
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(&text)
    }
}

/// In hexadecimal, of parts with their lengths.
fn digest(parts: &[&[u8]]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.len().to_le_bytes());
        digest.update(part);
    }
    let bytes: [u8; 32] = digest.finalize().into();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use crds::validated::Qos;

    use super::*;

    fn message(sequence: u64, payload: &'static str, duplicate: bool) -> Incoming {
        Incoming {
            topic: "in".into(),
            payload: Bytes::from_static(payload.as_bytes()),
            tag: Some(DeliveryTag { epoch: 1, sequence }),
            duplicate,
            retained: false,
            qos: Qos::AtLeastOnce,
            properties: None,
        }
    }

    fn open(directory: &Path, boot: &str) -> Strikes {
        Strikes::try_open(directory, "client", "broker", boot)
            .unwrap()
            .unwrap()
    }

    /// Ends the worker as a kill does: the lock goes, the record stays.
    fn die(strikes: Strikes) {
        drop(strikes);
    }

    #[test]
    fn row_5_each_death_over_a_message_alone_is_another_strike() {
        let directory = tempfile::tempdir().unwrap();
        let mut first = open(directory.path(), "a");
        assert_eq!(first.of(&message(1, "x", true)), 0, "no worker died");
        die(first);

        let mut second = open(directory.path(), "a");
        assert_eq!(second.of(&message(1, "x", true)), 1);
        assert!(second.is_trying());
        second.settled(&[message(9, "", true).tag.unwrap()]);
        assert!(second.is_trying());
        second.settled(&[message(1, "", true).tag.unwrap()]);
        assert!(!second.is_trying(), "it harmed nothing");
        assert_eq!(second.of(&message(2, "new", false)), 0);
        assert_eq!(second.of(&message(3, "bad", true)), 1);
        die(second);

        let mut third = open(directory.path(), "a");
        assert_eq!(third.of(&message(1, "y", true)), 1);
        third.settled(&[message(1, "", true).tag.unwrap()]);
        assert_eq!(third.of(&message(2, "bad", true)), 2);
        assert_eq!(third.of(&message(3, "bad", true)), 2, "to one worker");
        assert!(third.is_trying());
        die(third);

        // It died before that was settled.
        let mut fourth = open(directory.path(), "a");
        assert_eq!(fourth.of(&message(1, "bad", false)), 3, "no flag is needed");
        fourth.settled(&[message(1, "", true).tag.unwrap()]);
        assert_eq!(fourth.of(&message(2, "bad", false)), 0);
        fourth.close();

        let mut fifth = open(directory.path(), "a");
        assert_eq!(fifth.of(&message(1, "bad", true)), 0, "ended in order");
    }

    #[test]
    fn a_death_with_the_machine_or_a_worker_that_lives_is_no_strike() {
        let directory = tempfile::tempdir().unwrap();
        die(open(directory.path(), "a"));
        let mut rebooted = open(directory.path(), "b");
        assert_eq!(rebooted.of(&message(1, "x", true)), 0);
        let other = Strikes::try_open(directory.path(), "client", "broker", "b").unwrap();
        assert!(other.is_none(), "it is locked");
        let elsewhere = Strikes::try_open(directory.path(), "client", "other", "b").unwrap();
        assert!(elsewhere.is_some());
    }

    #[test]
    fn only_what_the_first_connection_brings_again_is_suspected() {
        let directory = tempfile::tempdir().unwrap();
        die(open(directory.path(), "a"));
        let mut strikes = open(directory.path(), "a");
        assert_eq!(strikes.of(&message(1, "x", false)), 0);
        let mut later = message(2, "x", true);
        later.tag = Some(DeliveryTag {
            epoch: 2,
            sequence: 2,
        });
        assert_eq!(strikes.of(&later), 0);
        let mut unacknowledged = message(3, "x", true);
        unacknowledged.tag = None;
        assert_eq!(strikes.of(&unacknowledged), 0);
    }
}
