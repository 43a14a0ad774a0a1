//! One pass over the bytes of a message: checks that they are JSON, and notes what is at the places that conditions ask
//! about. Nothing else is kept, so a message costs no memory beyond its own, whatever is in it.

mod fault;
mod notes;
mod scan;
mod text;
mod wanted;

pub(crate) use fault::Fault;
#[cfg(test)]
pub(crate) use fault::MAX_PARTS;
pub(crate) use notes::{Found, Notes, Walked};
pub(crate) use wanted::{Member, Place, Wanted};

use jiter::JsonValue;

use super::number::equal;
use notes::{Kind, Note, Text};
use scan::{Raw, Scanner};

/// Memory that is kept for the next message's escaped texts.
const KEPT: usize = 64 << 10;

/// Walks through `message`.
///
/// # Errors
/// It is not JSON, or over a limit.
pub(crate) fn walk<'a>(
    wanted: &'a Wanted,
    message: &'a str,
    notes: &'a mut Notes,
) -> Result<Walked<'a>, Fault> {
    notes.places.resize(wanted.places.len(), Note::default());
    notes.members.resize(wanted.members, 0);
    notes.unescaped.clear();
    notes.unescaped.shrink_to(KEPT);
    notes.key.shrink_to(KEPT);
    let mut walk = Walk {
        scanner: Scanner::new(message),
        message: message.as_bytes(),
        wanted,
        notes,
    };
    walk.value(Some(Place(0)), 0)?;
    walk.scanner.end()?;
    Ok(Walked {
        message: message.as_bytes(),
        wanted,
        notes,
    })
}

struct Walk<'a, 'n> {
    scanner: Scanner<'a>,
    message: &'a [u8],
    wanted: &'a Wanted,
    notes: &'n mut Notes,
}

impl Walk<'_, '_> {
    /// Passes a value, and notes it if it is at a wanted place; `within` is the visit to what holds it.
    fn value(&mut self, place: Option<Place>, within: u64) -> Result<(), Fault> {
        match self.scanner.peek() {
            Some(b'{') => {
                let visit = place.map(|place| (place, self.note(place, within, Kind::Object)));
                self.object(visit)
            }
            Some(b'[') => {
                let visit = place.map(|place| (place, self.note(place, within, Kind::List)));
                self.list(visit)
            }
            Some(b'"') => {
                let raw = self.scanner.string()?;
                if let Some(place) = place {
                    self.string(place, within, raw);
                }
                Ok(())
            }
            first => {
                let mark = self.scanner.mark();
                self.scanner.scalar(first)?;
                if let Some(place) = place {
                    let (start, end) = self.scanner.since(mark);
                    self.note(place, within, Kind::Scalar(start, end));
                }
                Ok(())
            }
        }
    }

    fn object(&mut self, place: Option<(Place, u64)>) -> Result<(), Fault> {
        self.scanner.open()?;
        let mut first = true;
        while let Some(key) = self.scanner.key(first)? {
            first = false;
            // The last of equal keys counts, as in Python: its value is visited last.
            let inner = place.and_then(|(place, visit)| self.named(place, visit, key));
            self.value(inner, place.map_or(0, |(_, visit)| visit))?;
        }
        Ok(())
    }

    /// The wanted place under a key.
    fn named(&mut self, place: Place, visit: u64, key: Raw) -> Option<Place> {
        let wish = &self.wanted.places[place.0];
        let key = unescaped(&self.scanner, key, &mut self.notes.key);
        if let Some(member) = wish.members.get(key) {
            self.notes.members[member.0] = visit;
        }
        wish.keys.get(key).copied()
    }

    fn list(&mut self, place: Option<(Place, u64)>) -> Result<(), Fault> {
        let Some((place, visit)) = place else {
            return self.elements(|walk, _| walk.value(None, 0));
        };
        let wish = &self.wanted.places[place.0];
        let mut length = None;
        if wish.from_end {
            let mark = self.scanner.mark();
            let mut count = 0;
            self.elements(|walk, _| {
                count += 1;
                walk.value(None, 0)
            })?;
            self.scanner.back_to(mark);
            length = Some(count);
        }
        self.elements(|walk, index| {
            let mark = walk.scanner.mark();
            if !wish.members.is_empty() && walk.scanner.peek() == Some(b'"') {
                let raw = walk.scanner.string()?;
                let text = unescaped(&walk.scanner, raw, &mut walk.notes.key);
                if let Some(member) = wish.members.get(text) {
                    walk.notes.members[member.0] = visit;
                }
                walk.scanner.back_to(mark);
            }
            if !wish.numbers.is_empty() && !matches!(walk.scanner.peek(), Some(b'"' | b'[' | b'{'))
            {
                walk.scanner.scalar(walk.scanner.peek())?;
                let passed = walk.scanner.slice(walk.scanner.since(mark));
                if let Ok(element) = JsonValue::parse(passed, true) {
                    for (number, member) in &wish.numbers {
                        if equal(*number, &element) {
                            walk.notes.members[member.0] = visit;
                        }
                    }
                }
                walk.scanner.back_to(mark);
            }
            let ahead = wish.indexes.get(&index).copied();
            let back = length.and_then(|length| wish.indexes.get(&(index - length)).copied());
            walk.value(ahead.or(back), visit)?;
            if ahead.is_some() && back.is_some() {
                walk.scanner.back_to(mark);
                walk.value(back, visit)?;
            }
            Ok(())
        })
    }

    fn elements(
        &mut self,
        mut element: impl FnMut(&mut Self, i64) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.scanner.open()?;
        let mut index = 0;
        while self.scanner.has_element(index == 0)? {
            element(self, index)?;
            index += 1;
        }
        Ok(())
    }

    fn string(&mut self, place: Place, within: u64, raw: Raw) {
        let wish = &self.wanted.places[place.0];
        if !wish.compared && wish.indexes.is_empty() {
            self.note(place, within, Kind::Other);
            return;
        }
        let (start, end) = if raw.escaped {
            let start = self.notes.unescaped.len();
            text::unescape(self.scanner.bytes(raw), &mut self.notes.unescaped);
            (start, self.notes.unescaped.len())
        } else {
            (raw.start, raw.end)
        };
        let text = Text {
            start,
            end,
            unescaped: raw.escaped,
        };
        self.text(place, within, text);
    }

    /// Notes a text and its wanted characters.
    fn text(&mut self, place: Place, within: u64, text: Text) {
        let visit = self.note(place, within, Kind::Text(text));
        let wanted = self.wanted;
        for (index, inner) in &wanted.places[place.0].indexes {
            let bytes = self.notes.text(self.message, text);
            if let Some((start, end)) = text::character(bytes, *index) {
                let character = Text {
                    start: text.start + start,
                    end: text.start + end,
                    ..text
                };
                self.text(*inner, visit, character);
            }
        }
    }

    fn note(&mut self, place: Place, within: u64, kind: Kind) -> u64 {
        self.notes.visits += 1;
        let visit = self.notes.visits;
        self.notes.places[place.0] = Note {
            visit,
            within,
            kind,
        };
        visit
    }
}

/// The text of a key or element; `buffer` holds it if it has escapes.
fn unescaped<'b>(scanner: &Scanner<'b>, raw: Raw, buffer: &'b mut Vec<u8>) -> &'b [u8] {
    if !raw.escaped {
        return scanner.bytes(raw);
    }
    buffer.clear();
    text::unescape(scanner.bytes(raw), buffer);
    buffer
}
