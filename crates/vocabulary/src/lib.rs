//! The words every room speaks: subject, layer, file, package, finding, evidence, coverage,
//! decision and report.
//!
//! In goes nothing, out come plain data types. They carry no input or output of their own, so that
//! the same structs serve the JSON report, the cache, later the API, and the command line. Their
//! serde form is the public JSON; [`report::SCHEMA`] names its version.

pub mod alert;
pub mod confidence;
pub mod container;
pub mod counted;
pub mod coverage;
pub mod decision;
pub mod diff;
pub mod digest;
pub mod ecosystem;
pub mod event;
pub mod evidence;
pub mod file;
pub mod finding;
pub mod fingerprint;
pub mod fix;
pub mod layer;
pub mod location;
pub mod nullable;
pub mod package;
pub mod program;
pub mod redacted;
pub mod report;
pub mod risk;
pub mod rule;
pub mod running;
pub mod severity;
pub mod span;
pub mod subject;
pub mod upgrade;
pub mod usage;

pub use alert::{Action, Alert, Means};
pub use confidence::Confidence;
pub use container::{Container, Engine};
pub use counted::{Count, counted, counted_ids};
pub use coverage::{Coverage, NotChecked, Problem, Status};
pub use decision::{Decision, Outcome, Overridden, Stated, Suppressed};
pub use digest::{Algorithm, Digest, DigestError};
pub use ecosystem::Ecosystem;
pub use event::{
    Act, CapabilityUse, Connection, Direction, Event, Execution, FileAccess, FileIdentity, FileUse,
    Listen, Process, Resolution, Side, StandardInput, Transport,
};
pub use evidence::{
    AffectedRange, ArchiveEvidence, Aspect, CodeEvidence, EventEvidence, Evidence, MatchEvidence,
    VulnerabilityEvidence,
};
pub use file::{FileKind, FileRecord};
pub use finding::{Finding, cve_of};
pub use fingerprint::Fingerprint;
pub use fix::{Edit, Fix, Safety, Setting};
pub use layer::{Layer, Origin, OriginKind};
pub use location::Location;
pub use nullable::{Nullable, within};
pub use package::{Distribution, Identified, Package, Presence, Relation, Scope, SourcePackage};
pub use program::{Functions, Program, Programs, VulnerableCode};
pub use purl::{Purl, PurlError};
pub use redacted::{Length, Redacted};
pub use report::{DatabaseInfo, Report, Reports, SealInfo, Summary, Tool};
pub use risk::{Epss, Exploited, Risk};
pub use rule::{Always, Class, Rule, Rules};
pub use running::{
    AffectedContainer, AffectedImage, AffectedPackage, AffectedReport, RunningContainer,
    RunningFinding, RunningReport, Use, Watched,
};
pub use severity::Severity;
pub use span::Span;
pub use subject::{BaseImage, Platform, Subject, SubjectKind, is_image_name};
pub use usage::{Usage, Used};
