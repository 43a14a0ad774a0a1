//! Compression methods: which ones are supported, and how much memory they may take.

use std::io::{self, Read};

use zip::CompressionMethod;

/// Largest LZMA dictionary: the one of 7-Zip's strongest setting. It is allocated before the first byte is read, and
/// an archive can demand 4 GiB.
pub(super) const LZMA_DICTIONARY: u32 = 64 << 20;

/// The name of a method if it is unsupported.
pub(super) fn unsupported(method: CompressionMethod) -> Option<String> {
    match method {
        CompressionMethod::Stored
        | CompressionMethod::Deflated
        | CompressionMethod::Deflate64
        | CompressionMethod::Bzip2
        | CompressionMethod::Lzma
        | CompressionMethod::Zstd => None,
        #[expect(
            deprecated,
            reason = "the library knows most of them by their numbers alone"
        )]
        CompressionMethod::Unsupported(number) => Some(format!("{method} (method {number})")),
        other => Some(other.to_string()),
    }
}

/// The dictionary size of LZMA data, which begin with a version, the length of the properties, and the properties.
pub(super) fn lzma_dictionary(mut raw: impl Read) -> io::Result<u32> {
    let mut header = [0; 9];
    raw.read_exact(&mut header)?;
    let [_, _, _, _, _, size @ ..] = header;
    Ok(u32::from_le_bytes(size))
}
