//! Made-up layers of files and links, and what an engine would unpack of them: for properties and
//! fuzzing, where the walk is held against that.

use crate::tar::{Entry, Tar};
use std::collections::HashMap;

/// An entry of a made-up layer.
#[derive(Clone, Debug)]
pub enum Made {
    /// A file of this path, whose content the number says: it begins with nothing, `!` or `-`.
    File(&'static str, u16),
    /// A hard link, path and target.
    HardLink(&'static str, &'static str),
    /// A symbolic link that leads nowhere.
    Symlink(&'static str),
}

/// Where every symbolic link of a made-up layer leads to; nothing else lies there.
const NOWHERE: &str = "nowhere";

/// The tar of these entries, and what an engine would unpack: no content for a symbolic link.
///
/// What comes below a link of the layer comes to lie where that leads, and a link that takes the
/// place of a folder removes what was in it.
#[must_use]
pub fn unpack(entries: &[Made]) -> (Vec<u8>, HashMap<String, Option<String>>) {
    let mut tar = Tar::new();
    let mut unpacked = Unpacked::default();
    for entry in entries {
        match entry {
            Made::File(path, content) => {
                let mark = match content % 3 {
                    0 => "",
                    1 => "!",
                    _ => "-",
                };
                let content = format!("{mark}{content}");
                tar.push(&Entry::file(path, &content));
                unpacked.put(path, Some(content));
            }
            Made::HardLink(path, target) => {
                let real = unpacked.real(target);
                let there = unpacked.0.get(&real).cloned();
                // What is no file yet cannot be linked to.
                let Some(content) = there.filter(|_| real != unpacked.real(path)) else { continue };
                tar.push(&Entry::hard_link(path, target));
                unpacked.put(path, content);
            }
            Made::Symlink(path) => {
                tar.push(&Entry::symlink(path, format!("/{NOWHERE}")));
                unpacked.put(path, None);
            }
        }
    }
    (tar.finish(), unpacked.0)
}

#[derive(Default)]
struct Unpacked(HashMap<String, Option<String>>);

impl Unpacked {
    fn real(&self, path: &str) -> String {
        let link = path.match_indices('/').map(|(at, _)| path.split_at(at));
        let mut link = link.filter(|(above, _)| self.0.get(*above) == Some(&None));
        link.next().map_or_else(|| path.to_owned(), |(_, below)| format!("{NOWHERE}{below}"))
    }

    fn put(&mut self, path: &str, content: Option<String>) {
        let path = self.real(path);
        let below = format!("{path}/");
        self.0.retain(|other, _| !other.starts_with(&below));
        self.0.insert(path, content);
    }
}
