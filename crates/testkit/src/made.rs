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

/// The tar of these entries, and what an engine would unpack: no content for a symbolic link.
#[must_use]
pub fn unpack(entries: &[Made]) -> (Vec<u8>, HashMap<&'static str, Option<String>>) {
    let mut tar = Tar::new();
    let mut unpacked: HashMap<&'static str, Option<String>> = HashMap::new();
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
                unpacked.insert(path, Some(content));
            }
            Made::HardLink(path, target) if path != target && unpacked.contains_key(target) => {
                tar.push(&Entry::hard_link(path, target));
                let content = unpacked.get(target).cloned().flatten();
                unpacked.insert(path, content);
            }
            Made::HardLink(..) => {}
            Made::Symlink(path) => {
                tar.push(&Entry::symlink(path, "nowhere"));
                unpacked.insert(path, None);
            }
        }
    }
    (tar.finish(), unpacked)
}
