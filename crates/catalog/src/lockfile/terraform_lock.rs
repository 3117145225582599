//! `.terraform.lock.hcl`: the providers of a Terraform configuration. Source: Terraform documentation,
//! "Dependency Lock File".
//!
//! Terraform writes one regular subset of HCL, so lines are enough. Nobody publishes advisories for
//! providers: they are listed, and said to be not checked.

use super::listing::{Entry, Listing};
use super::{Declared, Lockfile, Reader, is_named};
use image::Interest;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "terraform-lock",
    ecosystem: Ecosystem::TERRAFORM,
    interests: &[Interest::Name(".terraform.lock.hcl")],
    accepts: |path| is_named(path, &[".terraform.lock.hcl"]),
    at_most: 8 << 20,
    reader: Reader::Alone(parse),
};

fn parse(text: &str) -> Result<Listing, String> {
    let mut found = Listing::default();
    let mut provider: Option<(&str, u32)> = None;
    let mut known = true;
    for (line, number) in text.lines().zip(1_u32..) {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("provider \"") {
            provider = rest.split_once('"').map(|(name, _)| (name, number));
        } else if let Some((name, at)) = provider {
            if let Some(value) = line.strip_prefix("version") {
                let value = value.trim_start().strip_prefix('=').map(str::trim);
                let version = value.and_then(|text| text.strip_prefix('"')?.strip_suffix('"'));
                let declared = version.and_then(|version| Declared::new(name, version, at));
                found.push(Entry::package(declared, at));
            }
            if line == "}" {
                provider = None;
            }
        } else {
            known &= line.is_empty() || line.starts_with('#');
            // Its header alone is what Terraform writes where no provider is needed.
            if line.starts_with("# This file is maintained automatically by") {
                found.push(Entry::Own);
            }
        }
    }
    if known { Ok(found) } else { Err("it is not a lock file of Terraform".to_owned()) }
}
