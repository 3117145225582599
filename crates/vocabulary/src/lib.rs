//! The words every room speaks: subject, layer, file, package, finding, evidence, coverage,
//! decision and report.
//!
//! In goes nothing, out come plain data types. They carry no input or output of their own, so that
//! the same structs serve the JSON report, the cache, later the API, and the command line. Their
//! serde form is the public JSON; [`report::SCHEMA`] names its version.

pub mod container;
pub mod counted;
pub mod coverage;
pub mod decision;
pub mod diff;
pub mod digest;
pub mod ecosystem;
pub mod execution;
pub mod file;
pub mod finding;
pub mod layer;
pub mod location;
pub mod nullable;
pub mod package;
pub mod program;
pub mod purl;
pub mod report;
pub mod risk;
pub mod running;
pub mod severity;
pub mod subject;
pub mod upgrade;
pub mod usage;

pub use container::{Container, Engine};
pub use counted::{Count, counted, counted_ids};
pub use coverage::{Coverage, Problem, Status};
pub use decision::{Decision, Outcome, Overridden, Stated, Suppressed};
pub use digest::{Algorithm, Digest, DigestError};
pub use ecosystem::Ecosystem;
pub use execution::{Action, Alert, Execution, FileIdentity, Means, Process, Side, StandardInput};
pub use file::{FileKind, FileRecord};
pub use finding::{
    AffectedRange, ArchiveEvidence, Aspect, CodeEvidence, Evidence, ExecutionEvidence, Finding,
    Fingerprint, Fix, Rule, RuleKind, Safety, VulnerabilityEvidence, cve_of,
};
pub use layer::{Confidence, Layer, Origin, OriginKind};
pub use location::Location;
pub use nullable::{Nullable, within};
pub use package::{Distribution, Identified, Package, Presence, Relation, Scope, SourcePackage};
pub use program::{Functions, Program, Programs, VulnerableCode};
pub use purl::{Purl, PurlError};
pub use report::{DatabaseInfo, Report, Reports, SealInfo, Summary, Tool};
pub use risk::{Epss, Exploited, Risk};
pub use running::{
    AffectedContainer, AffectedImage, AffectedPackage, AffectedReport, NotChecked,
    RunningContainer, RunningFinding, RunningReport, Use, Watched,
};
pub use severity::Severity;
pub use subject::{BaseImage, Platform, Subject, SubjectKind, is_image_name};
pub use usage::{Usage, Used};
