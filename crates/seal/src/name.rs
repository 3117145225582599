//! The name that an image is sealed under: a repository, and a tag where it has one.
//!
//! Seals are counted by repository, and each tag has a newest one of its own: `app:1` and `app:2` may
//! be in use side by side, while a tag that is moved back to an older image shows.

use std::fmt;

/// A name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// Such as `docker.io/library/app`.
    pub repository: String,
    /// Such as `1.2`; none for a name that was given as it is.
    pub tag: Option<String>,
}

impl Name {
    /// A name without a tag.
    #[must_use]
    pub fn untagged(repository: impl Into<String>) -> Self {
        Self { repository: repository.into(), tag: None }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.repository)?;
        self.tag.iter().try_for_each(|tag| write!(formatter, ":{tag}"))
    }
}
