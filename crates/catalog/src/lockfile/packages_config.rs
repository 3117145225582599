//! `packages.config` of NuGet. Source: NuGet documentation, "packages.config reference".

use super::listing::{Entry, Listing};
use super::{Declared, Lockfile, Reader, is_named};
use crate::dotnet::deps::is_name;
use crate::xml::{Element, Visitor, walk};
use image::Interest;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "packages-config",
    ecosystem: Ecosystem::NUGET,
    interests: &[Interest::Name("packages.config")],
    accepts: |path| is_named(path, &["packages.config"]),
    at_most: 8 << 20,
    reader: Reader::Alone(parse),
};

#[derive(Default)]
struct Packages {
    known: bool,
    listing: Listing,
}

fn parse(text: &str) -> Result<Listing, String> {
    let mut packages = Packages { known: text.trim().is_empty(), listing: Listing::empty() };
    walk(text, &mut packages)?;
    match packages.known {
        true => Ok(packages.listing),
        false => Err("it is not a packages.config: it has no `packages`".to_owned()),
    }
}

impl Visitor for Packages {
    fn begin(&mut self, path: &[&str], element: &Element<'_>) {
        self.known |= path == ["packages"];
        if path == ["packages", "package"] {
            let id = element.attribute("id").filter(|id| is_name(id));
            let declared = id.zip(element.attribute("version"));
            let declared =
                declared.and_then(|(id, version)| Declared::new(&id, &version, element.line));
            self.listing.push(Entry::package(declared, element.line));
        }
    }

    fn end(&mut self, _path: &[&str], _text: &str, _line: u32) {}
}
