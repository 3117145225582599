//! What a detector is: a name, its rules, and a pure function from an event to verdicts.

use crate::AllowList;
use crate::response::{Cause, Response};
use vocabulary::{
    Container, Digest, Event, EventEvidence, Evidence, Finding, Location, Rule, Severity,
};

pub use crate::response::Moment;

/// One way to notice that a container does what it should not.
#[derive(Clone, Copy, Debug)]
pub struct Detector {
    /// That of its file, and of its rule where it has one.
    pub name: &'static str,
    /// What it finds.
    pub rules: &'static [&'static Rule],
    /// Judges one event; of those that do not concern it, it says nothing.
    pub observe: fn(&Seen<'_>) -> Vec<Verdict>,
}

/// An event, and all that it is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'seen> {
    /// Where.
    pub container: &'seen Container,
    /// What.
    pub event: &'seen Event,
    /// What the container is held against.
    pub baseline: Baseline<'seen>,
    /// When it is judged.
    pub moment: Moment,
}

/// What a container is held against.
#[derive(Clone, Copy, Debug)]
pub enum Baseline<'seal> {
    /// The record of its sealed image, and the digest of the seal's envelope.
    Sealed {
        /// The programs of the image.
        programs: &'seal AllowList,
        /// Which seal says so.
        seal: &'seal Digest,
    },
    /// Its image is not sealed.
    NotSealed,
}

/// A finding, with what enforcing does about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// What is told.
    pub finding: Finding,
    /// The rule that it is of.
    pub rule: &'static Rule,
    /// Why.
    pub cause: Cause,
    /// Whether the program may be stopped for it.
    pub response: Response,
}

impl Seen<'_> {
    /// A finding about a program, with what shows it.
    pub(crate) fn finding(
        &self,
        rule: &Rule,
        severity: Severity,
        title: String,
        path: &str,
        (reason, expected): (String, Option<Digest>),
    ) -> Finding {
        let location = Location::Process {
            container: self.container.id.clone(),
            pid: self.event.process.pid,
            path: path.to_owned(),
        };
        let seal = match self.baseline {
            Baseline::Sealed { seal, .. } => Some(seal.clone()),
            Baseline::NotSealed => None,
        };
        let evidence = EventEvidence { event: self.event.clone(), reason, expected, seal };
        let evidence = vec![Evidence::Event(Box::new(evidence))];
        Finding { severity, ..Finding::of(rule, None, title, location, evidence) }
    }
}
