//! Further fields at the end of a frame, each with its kind and length: a host skips those that it does not know, so that the
//! protocol can grow.

use crate::field::{Fields, Malformed, put_bytes};

/// Further fields, well-formed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extra<'a> {
    bytes: &'a [u8],
}

/// Memory that a writer keeps, more than the properties of most messages need.
const KEPT: usize = 64 << 10;

/// Writes further fields.
#[derive(Debug, Default)]
pub struct ExtraWriter {
    bytes: Vec<u8>,
}

/// What a further field of a Load is: the number on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum LoadField {
    /// The model's digest, for `context.version`.
    Version = 1,
    /// What payloads are, as in `funcs[].decode`; absent for JSON.
    Decode = 2,
    /// How results are written, as in `funcs[].encode`; absent for JSON.
    Encode = 3,
    /// Most messages in one call of `handler_batch`, as a decimal number; absent where the configuration says nothing.
    Batch = 4,
}

/// What a further field of a Call is: the number on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum CallField {
    /// One byte: the quality of service, [`RETAINED`], [`DUPLICATE`] and [`SAMPLE`].
    Delivery = 1,
    /// The name of a user property of MQTT 5; its value follows.
    UserName = 2,
    /// The value of the user property before.
    UserValue = 3,
    /// Content type.
    ContentType = 4,
    /// Response topic.
    ResponseTopic = 5,
    /// Correlation data.
    CorrelationData = 6,
}

/// In [`CallField::Delivery`]: the message was kept for new subscribers.
pub const RETAINED: u8 = 4;
/// In [`CallField::Delivery`]: the message may be a repetition.
pub const DUPLICATE: u8 = 8;
/// In [`CallField::Delivery`]: the message is a golden sample.
pub const SAMPLE: u8 = 16;

impl<'a> Extra<'a> {
    /// All that is left of a frame.
    pub(crate) fn read(fields: &mut Fields<'a>) -> Result<Self, Malformed> {
        let bytes = fields.rest();
        let mut rest = Fields::new(bytes);
        while rest.end().is_err() {
            rest.byte()?;
            rest.bytes()?;
        }
        fields.skip();
        Ok(Self { bytes })
    }

    pub(crate) fn write(self, buffer: &mut Vec<u8>) {
        buffer.extend_from_slice(self.bytes);
    }

    /// The fields with the numbers of their kinds.
    pub fn iter(self) -> impl Iterator<Item = (u8, &'a [u8])> {
        let mut rest = Fields::new(self.bytes);
        // It was checked when it was read.
        std::iter::from_fn(move || Some((rest.byte().ok()?, rest.bytes().ok()?)))
    }
}

impl ExtraWriter {
    /// Adds a field of a Load.
    pub fn load(&mut self, field: LoadField, bytes: &[u8]) {
        self.add(field as u8, bytes);
    }

    /// Adds a field of a Call.
    pub fn call(&mut self, field: CallField, bytes: &[u8]) {
        self.add(field as u8, bytes);
    }

    fn add(&mut self, kind: u8, bytes: &[u8]) {
        self.bytes.push(kind);
        put_bytes(&mut self.bytes, bytes);
    }

    /// Begins again without fields, with the memory of the ones before.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(KEPT);
    }

    /// What was added.
    pub fn extra(&self) -> Extra<'_> {
        Extra { bytes: &self.bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_out_as_they_went_in_and_unknown_ones_too() {
        let mut writer = ExtraWriter::default();
        writer.call(CallField::Delivery, &[RETAINED | 1]);
        writer.add(200, b"of a later version");
        writer.call(CallField::ContentType, b"");
        let bytes = writer.extra().bytes.to_vec();
        writer.clear();
        assert_eq!(writer.extra().iter().count(), 0);
        let extra = Extra::read(&mut Fields::new(&bytes)).unwrap();
        let fields: Vec<_> = extra.iter().collect();
        assert_eq!(
            fields,
            [(1, &[5][..]), (200, b"of a later version"), (4, b"")]
        );
        for length in 1..bytes.len() {
            let mut fields = Fields::new(&bytes[..length]);
            let whole = [6, 29].contains(&length);
            assert_eq!(Extra::read(&mut fields).is_ok(), whole, "{length}");
        }
    }
}
