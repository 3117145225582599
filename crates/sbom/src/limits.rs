//! How much of a document is taken, and why no more.

/// Largest document, in bytes: those of images with tens of thousands of packages have some 100 MB.
pub const DOCUMENT_BYTES: u64 = 512 << 20;
/// Most components of one document.
pub(crate) const COMPONENTS: usize = 250_000;
/// Most characters of one name, version, path or property that is kept.
pub(crate) const TEXT: usize = 4_096;
/// Most dependencies of all components that are kept: those of a large monorepo are some 100,000.
pub(crate) const EDGES: usize = 500_000;
/// Most findings of a document that are kept; one is over every line.
pub(crate) const FINDINGS: usize = 256;
/// Most licences of one component.
pub(crate) const LICENCES: usize = 64;
/// Deepest nesting of components inside components that is followed.
pub(crate) const DEPTH: usize = 32;

/// What the elements of a document may take while it is read. A bill of 200,000 components takes a
/// third of it.
pub(crate) const ELEMENT_BYTES: usize = 256 << 20;

/// Text that is kept, cut to what any real one has.
pub(crate) fn kept(text: &str) -> String {
    text.chars().take(TEXT).collect()
}
