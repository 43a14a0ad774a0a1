//! The record at a zip's end, read before the zip library does: how many entries the archive has. The library keeps each of
//! them in memory before anyone can ask.

use std::io::{self, Read, Seek, SeekFrom};

/// What the record begins with, its length without the comment, and where the number of entries stands.
const SIGNATURE: &[u8] = b"PK\x05\x06";
const FIXED: usize = 22;
const ENTRIES: usize = 10;

/// The same for archives with more entries than two bytes hold; it stands before the other.
const LARGE_SIGNATURE: &[u8] = b"PK\x06\x06";
const LARGE_FIXED: usize = 56;
const LARGE_ENTRIES: usize = 32;

/// Longest comment.
const COMMENT: usize = 0xFFFF;

/// The most entries that any record at the end tells of; 0 if there is none.
pub(super) fn entries(mut archive: impl Read + Seek) -> io::Result<u64> {
    let size = archive.seek(SeekFrom::End(0))?;
    let tail = size.min((COMMENT + FIXED + LARGE_FIXED + 64) as u64);
    archive.seek(SeekFrom::Start(size - tail))?;
    let mut bytes = Vec::new();
    archive.take(tail).read_to_end(&mut bytes)?;
    let small = bytes.windows(FIXED).enumerate().filter_map(|(at, record)| {
        let comment = usize::from(u16::from_le_bytes([record[20], record[21]]));
        let is_record = record.starts_with(SIGNATURE) && at + FIXED + comment == bytes.len();
        let count = u16::from_le_bytes([record[ENTRIES], record[ENTRIES + 1]]);
        // All ones say that the other record has the number.
        (is_record && count != u16::MAX).then_some(u64::from(count))
    });
    let large = bytes.windows(LARGE_FIXED).filter_map(|record| {
        let (count, _) = record[LARGE_ENTRIES..].split_first_chunk()?;
        record
            .starts_with(LARGE_SIGNATURE)
            .then(|| u64::from_le_bytes(*count))
    });
    Ok(small.chain(large).max().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn zip(files: usize, comment: &str) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for file in 0..files {
            let options = SimpleFileOptions::default();
            writer.start_file(file.to_string(), options).unwrap();
            writer.write_all(b"x").unwrap();
        }
        writer.set_comment(comment).unwrap();
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn row_23_the_number_of_entries_is_told_by_the_last_record() {
        let comment = "c".repeat(COMMENT);
        for (files, comment) in [
            (0, ""),
            (1, ""),
            (7, "PK"),
            (3, comment.as_str()),
            (70_000, ""),
        ] {
            let found = entries(Cursor::new(zip(files, comment))).unwrap();
            assert_eq!(found, files as u64);
        }
        assert_eq!(entries(Cursor::new(b"")).unwrap(), 0);
        assert_eq!(entries(Cursor::new(b"PK\x05\x06")).unwrap(), 0);
    }
}
