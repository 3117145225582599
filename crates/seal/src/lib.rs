//! Records a signed baseline of an image and verifies a subject against it.
//!
//! In goes what was read of an image (vocabulary values), out come a signed statement with the record
//! of every file beside it, kept in a chained store; later, what was read again is held against that,
//! and every difference is a finding. The room knows no engine and reads no image; `docs/seal.md`
//! describes its formats.
//!
//! ```
//! use seal::{Baseline, Comparison, Part, SigningKey, VerifyingKey, compare};
//! use testkit::files::file;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // What was sealed is signed, and nothing else passes for it.
//! let (private, public) = seal::key::generate()?;
//! let signature = SigningKey::from_private(&private)?.sign(b"statement")?;
//! let keys = VerifyingKey::parse(public.as_bytes())?;
//! assert!(keys[0].verifies(b"statement", &signature.bytes));
//! assert!(!keys[0].verifies(b"another", &signature.bytes));
//!
//! // What is found later is held against what was recorded.
//! let part = |_: Option<u32>| Part::Image;
//! let by = Comparison { baseline: Baseline::Seal, part: &part, packages: &[], layers: &[] };
//! let differences = compare([file("bin/tool", b"sealed")], &[file("bin/tool", b"changed")], &by);
//! assert_eq!(differences.findings.len(), 1);
//! # Ok(())
//! # }
//! ```

mod audit;
pub mod compare;
pub mod dsse;
pub mod finding;
mod identity;
pub mod key;
pub mod log;
pub mod merkle;
mod name;
mod rules;
pub mod statement;
pub mod store;

pub use compare::{Baseline, Comparison, Differences, Part, compare};
pub use dsse::{Envelope, pae};
pub use identity::{Standing, standing};
pub use key::{KeyError, KeyKind, SigningKey, VerifyingKey};
pub use log::{Head, Seal};
pub use name::Name;
pub use rules::{
    BROKEN_SEAL, FILE_ADDED, FILE_CHANGED, FILE_REMOVED, ROLLED_BACK_IMAGE, RULES, SEAL_MISMATCH,
};
pub use statement::{Predicate, ScanSummary, Statement};
pub use store::{Draft, SealedRecord, SignatureError, Store, StoreError};
