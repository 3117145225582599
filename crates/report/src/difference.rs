//! What differs from a record, in words: shared by the table and SARIF.

use crate::style::Style;
use vocabulary::{Aspect, Digest};

/// The name of an aspect.
pub(crate) const fn name(aspect: Aspect) -> &'static str {
    match aspect {
        Aspect::Presence => "presence",
        Aspect::Kind => "kind",
        Aspect::Content => "content",
        Aspect::Size => "size",
        Aspect::Mode => "mode",
        Aspect::Owner => "owner",
        Aspect::Link => "link",
        Aspect::Attributes => "attributes",
        Aspect::Digest => "digest",
        Aspect::Counter => "counter",
        Aspect::Signature => "signature",
    }
}

/// A recorded or found value: `nothing` where there is none, digests in it short unless all is wanted.
pub(crate) fn value(value: Option<&str>, style: &Style) -> String {
    let Some(text) = value else { return "nothing".to_owned() };
    let words: Vec<String> = text
        .split(' ')
        .map(|word| match word.parse::<Digest>() {
            Ok(own) => digest(&own, style),
            Err(_) => word.to_owned(),
        })
        .collect();
    words.join(" ")
}

/// A digest: short, or in full with `-v`.
pub(crate) fn digest(digest: &Digest, style: &Style) -> String {
    if style.verbose == 0 { digest.short() } else { digest.to_string() }
}
