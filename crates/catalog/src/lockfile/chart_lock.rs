//! `Chart.lock` of Helm. Source: Helm documentation, "Charts", "Chart dependencies".
//!
//! Nobody publishes advisories for charts: they are listed, and said to be not checked.

use super::listing::{Entry, Listing};
use super::{Declared, Lockfile, Reader, is_named};
use crate::yaml::{self, Node};
use image::Interest;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "chart-lock",
    ecosystem: Ecosystem::HELM,
    interests: &[Interest::Name("Chart.lock")],
    accepts: |path| is_named(path, &["Chart.lock"]),
    at_most: 8 << 20,
    reader: Reader::Alone(parse),
};

fn parse(text: &str) -> Result<Listing, String> {
    let file = yaml::parse(text)?;
    let list = file.get("dependencies");
    Ok(Listing::of_list_if(
        list.is_some(),
        list.map(Node::items).unwrap_or_default().iter().map(|node| {
            let field = |key: &str| node.get(key).and_then(Node::text);
            if field("repository").is_some_and(|from| from.starts_with("file:")) {
                return Entry::Own;
            }
            let pair = field("name").zip(field("version"));
            let declared = pair.and_then(|(name, version)| Declared::new(name, version, node.line));
            Entry::package(declared, node.line)
        }),
    ))
}
