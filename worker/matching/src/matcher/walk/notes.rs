//! What a walk found: the values at the wanted places.

use crds::validated::Operand;
use jiter::JsonValue;

use super::super::miss::Miss;
use super::text;
use super::wanted::{Member, Place, Wanted};

/// What the last walk found. Kept for its memory; nothing in it has to be cleared, since each value that is visited gets a
/// new number, and what was found in an earlier one does not count any more.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(super) visits: u64,
    /// By place.
    pub(super) places: Vec<Note>,
    /// By member: the last container that has it.
    pub(super) members: Vec<u64>,
    /// Wanted texts with escapes, without them.
    pub(super) unescaped: Vec<u8>,
    /// The last key.
    pub(super) key: Vec<u8>,
}

/// What is at a place.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Note {
    pub(super) visit: u64,
    /// The visit to the value that holds it.
    pub(super) within: u64,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Kind {
    #[default]
    Other,
    Object,
    List,
    Text(Text),
    /// A number or word, and where it is in the message.
    Scalar(usize, usize),
}

/// Where the bytes of a text are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text {
    pub(super) start: usize,
    pub(super) end: usize,
    /// In [`Notes::unescaped`] instead of the message.
    pub(super) unescaped: bool,
}

/// What a walk found.
#[derive(Debug)]
pub(crate) struct Walked<'a> {
    pub(super) message: &'a [u8],
    pub(super) wanted: &'a Wanted,
    pub(super) notes: &'a Notes,
}

/// What stands at a place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found<'a> {
    notes: &'a Notes,
    visit: u64,
    content: Content<'a>,
}

/// The kind of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content<'a> {
    Text(&'a [u8]),
    Scalar(&'a [u8]),
    Container,
    Other,
}

impl<'a> Found<'a> {
    /// The text there, if it is one.
    pub(crate) fn text(self) -> Option<&'a [u8]> {
        match self.content {
            Content::Text(text) => Some(text),
            Content::Scalar(_) | Content::Container | Content::Other => None,
        }
    }

    /// The number or truth value there, if it is one.
    pub(crate) fn scalar(self) -> Option<JsonValue<'a>> {
        match self.content {
            Content::Scalar(scalar) => JsonValue::parse(scalar, true).ok(),
            Content::Text(_) | Content::Container | Content::Other => None,
        }
    }

    /// Whether `value` is a key, an element or a part of it; `member` is the question for containers.
    ///
    /// # Errors
    /// Python would refuse to look into it.
    pub(crate) fn contains(self, value: &Operand, member: Member) -> Result<bool, Miss> {
        match (self.content, value) {
            (Content::Text(text), Operand::Text(value)) => Ok(text::contains(text, value)),
            (Content::Container, _) => Ok(self.notes.members[member.0] == self.visit),
            (Content::Text(_) | Content::Scalar(_) | Content::Other, _) => Err(Miss::WrongType),
        }
    }
}

impl<'a> Walked<'a> {
    /// What stands at a place.
    ///
    /// # Errors
    /// The path leads nowhere.
    pub(crate) fn at(&self, place: Place) -> Result<Found<'a>, Miss> {
        let note = self.note(place)?;
        let content = match note.kind {
            Kind::Text(text) => Content::Text(self.notes.text(self.message, text)),
            Kind::Scalar(start, end) => Content::Scalar(&self.message[start..end]),
            Kind::Object | Kind::List => Content::Container,
            Kind::Other => Content::Other,
        };
        Ok(Found {
            notes: self.notes,
            visit: note.visit,
            content,
        })
    }

    fn note(&self, place: Place) -> Result<Note, Miss> {
        let note = self.notes.places[place.0];
        let Some((parent, by_key)) = self.wanted.places[place.0].parent else {
            return Ok(note);
        };
        let parent = self.note(parent)?;
        if note.within == parent.visit {
            return Ok(note);
        }
        Err(match (parent.kind, by_key) {
            (Kind::Object, _) | (Kind::List | Kind::Text(_), false) => Miss::MissingKey,
            _ => Miss::WrongType,
        })
    }
}

impl Notes {
    pub(super) fn text<'a>(&'a self, message: &'a [u8], text: Text) -> &'a [u8] {
        let bytes = if text.unescaped {
            &self.unescaped
        } else {
            message
        };
        &bytes[text.start..text.end]
    }
}
