//! Zips by recipe: sound checksums round whatever names, types, flags and sizes an input asks for.
//!
//! An entry is the length of its name, the name, what it is, its flags, the size that it claims (0 for
//! the true one), the length of its content, and the content.

/// Modes of `st_mode` that an entry may claim.
const MODES: [u16; 8] = [
    0o100_644, 0o100_755, 0o040_755, 0o120_777, 0o020_644, 0o010_644, 0o106_755, 0,
];

struct Entry<'a> {
    name: &'a [u8],
    mode: u16,
    flags: u8,
    claimed: u32,
    content: &'a [u8],
}

/// The zip of a recipe; what is left of an input that ends within an entry counts as that entry.
pub(super) fn zip(recipe: &[u8]) -> Vec<u8> {
    let mut rest = recipe;
    let (mut bytes, mut directory, mut count) = (Vec::new(), Vec::new(), 0_u16);
    while !rest.is_empty() && count < 30 {
        let entry = entry(&mut rest);
        let offset = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let common = common(&entry);
        bytes.extend_from_slice(b"PK\x03\x04");
        bytes.extend_from_slice(&common);
        bytes.extend_from_slice(entry.name);
        bytes.extend_from_slice(entry.content);
        // Made on Unix, so that the mode counts.
        directory.extend_from_slice(b"PK\x01\x02\x14\x03");
        directory.extend_from_slice(&common);
        directory.extend_from_slice(&[0; 6]);
        directory.extend_from_slice(&[0, 0]);
        directory.extend_from_slice(&entry.mode.to_le_bytes());
        directory.extend_from_slice(&offset.to_le_bytes());
        directory.extend_from_slice(entry.name);
        count += 1;
    }
    let start = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let size = u32::try_from(directory.len()).unwrap_or(u32::MAX);
    bytes.append(&mut directory);
    bytes.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    bytes.extend_from_slice(&count.to_le_bytes());
    bytes.extend_from_slice(&count.to_le_bytes());
    bytes.extend_from_slice(&size.to_le_bytes());
    bytes.extend_from_slice(&start.to_le_bytes());
    bytes.extend_from_slice(&[0, 0]);
    bytes
}

/// From the version to the length of the extra field, as both headers have it.
fn common(entry: &Entry) -> Vec<u8> {
    let stored = u32::try_from(entry.content.len()).unwrap_or(u32::MAX);
    let name = u16::try_from(entry.name.len()).unwrap_or(u16::MAX);
    let claimed = if entry.claimed == 0 {
        stored
    } else {
        entry.claimed
    };
    let mut bytes = vec![0x14, 0, entry.flags, 0x08, 0, 0, 0, 0, 0x21, 0];
    bytes.extend_from_slice(&checksum(entry.content).to_le_bytes());
    bytes.extend_from_slice(&stored.to_le_bytes());
    bytes.extend_from_slice(&claimed.to_le_bytes());
    bytes.extend_from_slice(&name.to_le_bytes());
    bytes.extend_from_slice(&[0, 0]);
    bytes
}

fn entry<'a>(rest: &mut &'a [u8]) -> Entry<'a> {
    let name = counted(rest);
    let [kind, flags, claimed] = [byte(rest), byte(rest), byte(rest)];
    let mode = MODES[usize::from(kind) % MODES.len()];
    let content = counted(rest);
    Entry {
        name,
        mode,
        flags,
        claimed: u32::from(claimed),
        content,
    }
}

fn byte(rest: &mut &[u8]) -> u8 {
    rest.split_off_first().copied().unwrap_or(0)
}

fn counted<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let length = usize::from(byte(rest)).min(rest.len());
    let (taken, after) = rest.split_at(length);
    *rest = after;
    taken
}

/// CRC-32 as zips have it.
fn checksum(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 & 0_u32.wrapping_sub(crc & 1))
        })
    };
    !bytes.iter().fold(!0, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The target would try nothing if its zips were damaged.
    #[test]
    fn a_plain_recipe_is_a_sound_zip() {
        let recipe = b"\x08index.py\0\0\0\x04pass\x03a/b\x01\0\0\x01x";
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, &zip(recipe)).unwrap();
        let target = tempfile::tempdir().unwrap();
        let limits = packages::Limits::default();
        let model = packages::unpack(file, target.path(), &limits).unwrap();
        assert_eq!(std::fs::read(model.join("index.py")).unwrap(), b"pass");
        assert_eq!(std::fs::read(model.join("a/b")).unwrap(), b"x");
    }
}
