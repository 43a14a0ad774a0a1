//! Counts the entries of the central directory, since the zip library keeps only one of several with the same name.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

/// The signature of an entry.
const SIGNATURE: &[u8] = b"PK\x01\x02";

/// Bytes of an entry without its name, extra fields and comment.
const FIXED: usize = 46;

/// Offset of the lengths of these three.
const LENGTHS: [usize; 3] = [28, 30, 32];

/// The number of entries in the directory at `start`, at most `most`.
pub(super) fn entries(archive: impl Read + Seek, start: u64, most: usize) -> io::Result<usize> {
    let mut archive = BufReader::new(archive);
    archive.seek(SeekFrom::Start(start))?;
    let mut count = 0;
    while count < most && archive.fill_buf()?.starts_with(&SIGNATURE[..1]) {
        let mut fixed = [0; FIXED];
        if archive.read_exact(&mut fixed).is_err() || !fixed.starts_with(SIGNATURE) {
            break;
        }
        count += 1;
        let rest: i64 = LENGTHS
            .iter()
            .map(|at| i64::from(u16::from_le_bytes([fixed[*at], fixed[at + 1]])))
            .sum();
        archive.seek_relative(rest)?;
    }
    Ok(count)
}
