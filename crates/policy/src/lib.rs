//! Turns findings, coverage and what people chose to ignore into a decision.
//!
//! In go a [`Policy`], the findings and coverage of a scan and today's date; out come the findings,
//! with those that policy adds itself, and a [`Decision`] with its reasons. It never prints, exits or
//! reads a clock. The one design decision: what could not be looked at has not passed, and what is
//! not what it claims to be is over the line whatever line was set ([`vocabulary::Always`]): each rule
//! says so itself, so that policy has no list of them.

mod asked;
mod conditions;
mod counts;
mod date;
mod decide;
mod file;
mod found;
mod gaps;
mod ignore;
mod line;
mod policy;
mod rank;
mod rules;
mod tally;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod verdict;
mod vex;

pub use asked::{conditions, gates};
pub use conditions::{
    BaseRules, LicenceRules, Override, PackagePattern, PackageRule, Text, VersionBounds,
};
pub use date::{Date, DateError};
pub use decide::{Judgement, decide, decide_for};
pub use file::{Include, PolicyError, PolicyProblem, nearest, parse_policy, schema};
pub use ignore::{Ignore, IgnoreError, LayerScope, parse_ignores};
pub use policy::{Layers, Matter, Policy};
pub use rank::rank;
pub use rules::{
    EXPIRED_IGNORE, FORBIDDEN_BASE_IMAGE, FORBIDDEN_LICENCE, FORBIDDEN_PACKAGE, MISSING_PACKAGE,
    RULES,
};
pub use verdict::{Verdict, verdicts};
pub use vex::{About, VexError, VexProduct, VexStatement, VexStatus, parse_vex, vex_coverage};
