//! Names of a database in any case of letters, for an ecosystem whose package URLs are in lower case
//! and whose advisories are not.

use super::Database;
use crate::format::{FormatError, Reader, Section};
use std::collections::HashMap;

/// Postings of names with capitals, by the name in lower case.
pub(super) type Folded = HashMap<String, Vec<u32>>;

impl Database {
    /// The postings of a name in any case of letters: package URLs of Go are in lower case, advisories
    /// write modules as their repositories do (purl-spec, type `golang`). Names with capitals are few,
    /// and are gathered when the first is asked for.
    pub(super) fn in_any_case(&self, name: &str) -> Result<Vec<u32>, FormatError> {
        let mut postings: Vec<u32> = self.posting(name)?.into_iter().collect();
        let lower = name.to_ascii_lowercase();
        if lower != name {
            postings.extend(self.posting(&lower)?);
        }
        let folded = self.folded.get_or_init(|| self.fold());
        postings.extend(folded.get(&lower).into_iter().flatten());
        postings.sort_unstable();
        postings.dedup();
        Ok(postings)
    }

    fn fold(&self) -> Folded {
        let mut folded = Folded::new();
        let (entries, _) = self.section(Section::Names).as_chunks::<8>();
        for entry in entries {
            let mut entry = Reader::new(entry);
            let (Ok(key), Ok(posting)) = (entry.u32(), entry.u32()) else { continue };
            let Ok(name) = self.string(u64::from(key)) else { continue };
            if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
                folded.entry(name.to_ascii_lowercase()).or_default().push(posting);
            }
        }
        folded
    }
}
