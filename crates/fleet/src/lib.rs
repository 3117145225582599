//! Which running containers are concerned.
//!
//! In go values: where the engines listen, the folder for state, the moment, advisories and policy. Out
//! come the reports of [`vocabulary::running`]. Two questions have an answer here: what is wrong with
//! what runs ([`Running`]), and what of all that is known a vulnerability concerns ([`Holdings`]). Both
//! are asked in two steps, since only what was read tells which advisories are needed, and whoever asks
//! may fetch those in between. Nothing is printed, fetched or decided about the process: a command line
//! and a server call the same.

mod affected;
mod reference;
mod refusal;
mod roll_call;
mod seals;
mod usage;

pub use affected::{Holdings, Id, Question};
pub use refusal::FleetError;
pub use roll_call::Running;
pub use usage::usage_of_image;
