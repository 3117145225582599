//! Sealing and verifying as use cases.
//!
//! In go values: what was read, the store of seals, keys, the moment. Out come seals, and the report of
//! a verification. The one rule that matters lives here and not with whoever calls: only what was read
//! in full, and is what it says it is, can become a [`Whole`], and only a [`Whole`] is sealed. Nothing is
//! printed and no process is ended: a command line and a server call the same.

mod export;
mod name;
mod refusal;
mod sealing;
mod stack;
mod verification;
mod verified;

pub use export::{Document, documents};
pub use refusal::ApprovalError;
pub use sealing::Whole;
pub use verification::Verification;
pub use verified::Verified;
