//! Keeps every text once and counts its uses.

use std::collections::HashMap;
use std::rc::Rc;

/// A text in an [`Interner`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct StringId(u32);

impl StringId {
    pub(super) fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// The texts of a database in the making.
#[derive(Debug, Default)]
pub(super) struct Interner {
    known: HashMap<Rc<str>, StringId>,
    texts: Vec<(Rc<str>, u32)>,
}

impl Interner {
    /// The id of a text, new or known.
    pub(super) fn intern(&mut self, text: &str) -> StringId {
        if let Some(id) = self.known.get(text) {
            if let Some((_, uses)) = self.texts.get_mut(id.index()) {
                *uses = uses.saturating_add(1);
            }
            return *id;
        }
        let id = StringId(u32::try_from(self.texts.len()).unwrap_or(u32::MAX));
        let text: Rc<str> = text.into();
        self.texts.push((Rc::clone(&text), 1));
        self.known.insert(text, id);
        id
    }

    /// A text.
    pub(super) fn text(&self, id: StringId) -> &str {
        self.texts.get(id.index()).map_or("", |(text, _)| text)
    }

    /// All texts, length first, the most used at the front; and the place of each by id.
    pub(super) fn encode(&self) -> (Vec<u8>, Vec<u64>) {
        let mut order: Vec<usize> = (0..self.texts.len()).collect();
        order.sort_unstable_by(|left, right| {
            let (left, right) = (self.texts.get(*left), self.texts.get(*right));
            let uses = |entry: Option<&(Rc<str>, u32)>| entry.map_or(0, |(_, uses)| *uses);
            uses(right).cmp(&uses(left)).then_with(|| left.cmp(&right))
        });
        let mut bytes = Vec::new();
        let mut places = vec![0; self.texts.len()];
        for index in order {
            if let (Some((text, _)), Some(place)) = (self.texts.get(index), places.get_mut(index)) {
                *place = bytes.len() as u64;
                crate::format::put_text(&mut bytes, text);
            }
        }
        (bytes, places)
    }
}
