//! Takes a body: decodes, counts, hashes and writes it.

use std::fs::File;
use std::io::{self, Seek as _, Write};

use crds::validated::{Md5, Sha256};
use flate2::write::MultiGzDecoder;
use md5::Digest as _;

use super::answer::Coding;

/// How a zip begins: with an entry, or empty.
const ZIP_STARTS: [&[u8; 4]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];

/// Why a body is not taken.
#[derive(Debug)]
pub(super) enum Fault {
    /// It is this and no zip.
    NotAZip(&'static str),
    /// More comes than is allowed.
    TooLarge,
    /// It is not in the encoding that the server says.
    Damaged(io::Error),
    Write(io::Error),
}

/// What came so far, decoded.
#[derive(Debug)]
pub(super) struct Sink<'f> {
    file: &'f mut File,
    limit: u64,
    md5: md5::Md5,
    sha256: sha2::Sha256,
    size: u64,
    start: Vec<u8>,
    fault: Option<Fault>,
    /// After a fault nothing more is written: a decoder that is dropped writes what it still has.
    failed: bool,
}

/// One answer's body on its way into a sink.
#[derive(Debug)]
pub(super) enum Body<'s, 'f> {
    Plain(&'s mut Sink<'f>),
    Gzip(Box<MultiGzDecoder<&'s mut Sink<'f>>>),
}

impl<'f> Sink<'f> {
    pub(super) fn new(file: &'f mut File, limit: u64) -> Self {
        Self {
            file,
            limit,
            md5: md5::Md5::new(),
            sha256: sha2::Sha256::new(),
            size: 0,
            start: Vec::new(),
            fault: None,
            failed: false,
        }
    }

    /// Bytes so far.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn start_over(&mut self) -> Result<(), Fault> {
        self.file.set_len(0).map_err(Fault::Write)?;
        self.file.rewind().map_err(Fault::Write)?;
        self.md5 = md5::Md5::new();
        self.sha256 = sha2::Sha256::new();
        self.size = 0;
        self.start.clear();
        self.failed = false;
        Ok(())
    }

    pub(super) fn digests(self) -> (Md5, Sha256, u64) {
        let (md5, sha256) = (self.md5.finalize(), self.sha256.finalize());
        (Md5(md5.into()), Sha256(sha256.into()), self.size)
    }

    /// It is whole: even a body of three bytes is judged.
    fn end(&self) -> Result<(), Fault> {
        if self.start.len() < 4 {
            check_start(&self.start)?;
        }
        Ok(())
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        if self.start.len() < 4 {
            let missing = 4 - self.start.len();
            self.start.extend(bytes.iter().take(missing));
            if self.start.len() == 4 {
                check_start(&self.start)?;
            }
        }
        self.size += bytes.len() as u64;
        if self.size > self.limit {
            return Err(Fault::TooLarge);
        }
        self.file.write_all(bytes).map_err(Fault::Write)?;
        self.md5.update(bytes);
        self.sha256.update(bytes);
        Ok(())
    }
}

impl Write for &mut Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.failed {
            return Err(io::ErrorKind::Other.into());
        }
        if let Err(fault) = self.take(bytes) {
            self.fault = Some(fault);
            self.failed = true;
            return Err(io::ErrorKind::Other.into());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'s, 'f> Body<'s, 'f> {
    pub(super) fn new(sink: &'s mut Sink<'f>, coding: Coding) -> Self {
        match coding {
            Coding::Plain => Self::Plain(sink),
            Coding::Gzip => Self::Gzip(Box::new(MultiGzDecoder::new(sink))),
        }
    }

    pub(super) fn take(&mut self, chunk: &[u8]) -> Result<(), Fault> {
        match self {
            Self::Plain(sink) => sink.take(chunk),
            Self::Gzip(decoder) => {
                let written = decoder.write_all(chunk);
                written.map_err(|error| fault(decoder, error))
            }
        }
    }

    pub(super) fn end(mut self) -> Result<(), Fault> {
        match &mut self {
            Self::Plain(sink) => sink.end(),
            Self::Gzip(decoder) => {
                let ended = decoder.try_finish();
                ended.map_err(|error| fault(decoder, error))?;
                decoder.get_ref().end()
            }
        }
    }
}

fn fault(decoder: &mut MultiGzDecoder<&mut Sink<'_>>, error: io::Error) -> Fault {
    let own = decoder.get_mut().fault.take();
    own.unwrap_or(Fault::Damaged(error))
}

/// Servers say all kinds of things about a zip's type; its first bytes do not lie.
fn check_start(start: &[u8]) -> Result<(), Fault> {
    if ZIP_STARTS.iter().any(|known| start == *known) {
        return Ok(());
    }
    Err(Fault::NotAZip(match start.first() {
        None => "empty",
        Some(b'<') => "a page of HTML or XML",
        Some(b'{' | b'[') => "JSON",
        Some(_) => "something else",
    }))
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// Takes a body in pieces; how many bytes were written.
    fn taken(body: &[u8], coding: Coding, limit: u64) -> (Result<(), Fault>, u64) {
        let mut file = tempfile::tempfile().unwrap();
        let mut sink = Sink::new(&mut file, limit);
        let mut body_of = Body::new(&mut sink, coding);
        let mut result = Ok(());
        for piece in body.chunks(7) {
            result = body_of.take(piece);
            if result.is_err() {
                break;
            }
        }
        let result = result.and_then(|()| body_of.end());
        (result, file.metadata().unwrap().len())
    }

    #[test]
    fn e2_a_gzipped_body_is_decoded() {
        let zip = [&b"PK\x03\x04"[..], &[7; 5000]].concat();
        assert!(matches!(taken(&zip, Coding::Plain, 6000), (Ok(()), 5004)));
        assert!(matches!(
            taken(&gzip(&zip), Coding::Gzip, 6000),
            (Ok(()), 5004)
        ));
        let cut = &gzip(&zip)[..20];
        assert!(matches!(
            taken(cut, Coding::Gzip, 6000),
            (Err(Fault::Damaged(_)), _)
        ));
        assert!(matches!(
            taken(&zip, Coding::Gzip, 6000),
            (Err(Fault::Damaged(_)), 0)
        ));
        let (result, written) = taken(&gzip(b"<html>"), Coding::Gzip, 6000);
        assert!(matches!(result, Err(Fault::NotAZip(_))), "{result:?}");
        // They are judged once there are four.
        assert!(written < 4, "{written}");
    }

    #[test]
    fn row_18_what_is_decoded_is_counted_and_not_what_is_sent() {
        let bomb = gzip(&[&b"PK\x03\x04"[..], &vec![0; 8 << 20]].concat());
        assert!(bomb.len() < 10_000);
        let (result, written) = taken(&bomb, Coding::Gzip, 100_000);
        assert!(matches!(result, Err(Fault::TooLarge)), "{result:?}");
        assert!(written <= 100_000);
    }
}
