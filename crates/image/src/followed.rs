//! What is known of files under other names than those by which their layers hold them.

use crate::facts::LayerFacts;

/// A file under another name than that by which its layer holds it. It stays in the squashed view.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Followed {
    /// The reader, or [`crate::facts::WALK`].
    pub reader: String,
    /// The layer that holds the file, counted from 0 at the bottom.
    pub layer: usize,
    /// The other name.
    pub path: String,
    /// The reader's own bytes, or why there are none.
    pub outcome: Result<Vec<u8>, String>,
}

/// What another pass over a layer gave, each under its other name.
#[must_use]
pub fn followed(layer: usize, facts: &LayerFacts) -> Vec<Followed> {
    let of = |reader: &str, path: &str, outcome| Followed {
        reader: reader.to_owned(),
        layer,
        path: path.to_owned(),
        outcome,
    };
    let mut followed = Vec::new();
    for gap in facts.gaps() {
        followed.push(of(&gap.reader, "/", Err(gap.to_string())));
    }
    for (reader, of_reader) in &facts.readers {
        let records = of_reader.facts.iter();
        followed.extend(records.map(|record| of(reader, &record.path, Ok(record.fact.clone()))));
    }
    let problem = |(reader, problem): (&str, &vocabulary::Problem)| {
        of(reader, &problem.path, Err(problem.reason.clone()))
    };
    followed.extend(facts.unread().map(problem));
    followed
}
