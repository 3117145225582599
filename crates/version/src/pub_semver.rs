//! Pub versions of Dart: Semantic Versioning, but for build metadata, which counts.
//!
//! In goes a text, out comes its order: `1.0.0` before `1.0.0+1`, since hosts of Pub publish the latter
//! as a mend of the former. Otherwise as lenient as Semantic Versioning is here.
//!
//! Source: Dart documentation, "Pubspec: version"; pub_semver, `version.dart`.

use crate::digits;
use crate::dotted::{Dotted, PreRelease, compare_identifiers, compare_lists, is_dot};
use crate::order::Version;
use std::cmp::Ordering;

/// A Pub version.
pub(crate) struct Pub<'text> {
    version: Dotted<'text>,
    /// Empty where there is none.
    build: &'text [u8],
}

impl<'text> Version<'text> for Pub<'text> {
    fn read(text: &'text str) -> Result<Self, &'static str> {
        let (_, build) = digits::split_while(text.as_bytes(), |byte| byte != b'+');
        let version = Dotted::read(text, PreRelease::Hyphen)?;
        Ok(Self { version, build: build.strip_prefix(b"+").unwrap_or(build) })
    }

    fn order(&self, other: &Self) -> Ordering {
        self.version.order_by(&other.version, compare_identifiers).then_with(|| {
            match (self.build, other.build) {
                ([], build) => build.is_empty().cmp(&true),
                (_, []) => Ordering::Greater,
                (left, right) => {
                    compare_lists(left.split(is_dot), right.split(is_dot), compare_identifiers)
                }
            }
        })
    }
}
