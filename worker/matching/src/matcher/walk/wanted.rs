//! The places of a message that conditions ask about, as a tree of their steps.

use std::collections::HashMap;

use crds::validated::{Number, Operand, Path, Step};

/// Index of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Place(pub(super) usize);

/// Index of a question whether a key or text is in the container at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Member(pub(super) usize);

/// See the module's description. The first place is the whole message.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(super) places: Vec<Wish>,
    pub(super) members: usize,
}

/// What is asked about one place, and which places are in it.
#[derive(Debug, Default)]
pub(super) struct Wish {
    /// The place that this one is in, and whether by a key.
    pub(super) parent: Option<(Place, bool)>,
    pub(super) keys: HashMap<Box<[u8]>, Place>,
    pub(super) indexes: HashMap<i64, Place>,
    /// Whether an index counts from the end.
    pub(super) from_end: bool,
    pub(super) members: HashMap<Box<[u8]>, Member>,
    /// Numbers that are looked for in a list.
    pub(super) numbers: Vec<(Number, Member)>,
    /// Whether a text here is compared.
    pub(super) compared: bool,
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            places: vec![Wish::default()],
            members: 0,
        }
    }
}

impl Wanted {
    /// The place that `path` leads to, whose text will be compared.
    pub(crate) fn place(&mut self, path: &Path) -> Place {
        let mut place = Place(0);
        for step in &path.0 {
            place = self.step(place, step);
        }
        self.places[place.0].compared = true;
        place
    }

    /// The question whether `value` is in the container at `place`.
    pub(crate) fn member(&mut self, place: Place, value: &Operand) -> Member {
        let next = Member(self.members);
        let wish = &mut self.places[place.0];
        let member = match value {
            Operand::Text(text) => *wish.members.entry(text.as_bytes().into()).or_insert(next),
            Operand::Number(number) => {
                let known = wish.numbers.iter().find(|(known, _)| known == number);
                let member = known.map_or(next, |(_, member)| *member);
                if member == next {
                    wish.numbers.push((*number, next));
                }
                member
            }
        };
        self.members += usize::from(member == next);
        member
    }

    fn step(&mut self, place: Place, step: &Step) -> Place {
        let next = Place(self.places.len());
        let wish = &mut self.places[place.0];
        let (found, by_key) = match step {
            Step::Key(key) => (
                *wish.keys.entry(key.as_bytes().into()).or_insert(next),
                true,
            ),
            Step::Index(index) => {
                wish.from_end |= *index < 0;
                (*wish.indexes.entry(*index).or_insert(next), false)
            }
        };
        if found == next {
            self.places.push(Wish {
                parent: Some((place, by_key)),
                ..Wish::default()
            });
        }
        found
    }
}
