//! Says of each vulnerability what is known beyond its severity, and ranks it.
//!
//! In go findings, the feeds about exploitation, what a container of the image used, and by what the
//! image starts; out come the same findings with their [`vocabulary::Risk`]. What is within reach is told by one
//! sign only, and says so: the image exposes a port, and the package owns the program that it starts.
//! That a package has no such sign says nothing, since what listens may load anything.

use crate::usages::Usages;
use advisories::Risks;
use image::source::Entry;
use std::collections::{BTreeSet, HashMap};
use vocabulary::{Container, Engine, Finding, Location, Package, Purl, Usage, Used};

/// What findings are ranked by.
pub(crate) struct Known<'known> {
    pub(crate) risks: Option<&'known Risks>,
    pub(crate) usage: Option<&'known Usage>,
    pub(crate) entry: Option<&'known Entry>,
    pub(crate) packages: &'known [Package],
    pub(crate) symlinks: &'known HashMap<String, String>,
}

/// Ranks the vulnerabilities among the findings.
pub(crate) fn rank(findings: &mut [Finding], known: &Known<'_>) {
    let lookup = known.risks.map(Risks::lookup);
    let usages = known.usage.map(|usage| Usages::new(known.packages, known.symlinks, Some(usage)));
    let started = known.entry.and_then(|entry| started(entry, known.symlinks));
    let reach = started.as_ref().map(|started| Reach {
        usages: Usages::new(known.packages, known.symlinks, Some(&started.usage)),
        ports: &started.ports,
    });
    let vulnerabilities = findings.iter_mut().filter(|finding| finding.is_vulnerability());
    for finding in vulnerabilities {
        let mut ids = finding.id.iter().chain(&finding.aliases);
        let exploited =
            lookup.as_ref().and_then(|lookup| ids.clone().find_map(|cve| lookup.exploited(cve)));
        let epss = lookup.as_ref().and_then(|lookup| ids.find_map(|cve| lookup.epss(cve)));
        let (used, exposed) = match &finding.package {
            Some(purl) => (
                usages.as_ref().map(|usages| usages.of(purl, &finding.location).used),
                reach.as_ref().and_then(|reach| reach.of_package(purl, &finding.location)),
            ),
            None => (None, None),
        };
        let code = finding.vulnerable_code();
        finding.risk = Some(policy::rank(finding.severity, exploited, epss, used, exposed, code));
    }
}

/// What the image starts, as if a container had used it, and the ports that it exposes.
struct Started {
    usage: Usage,
    ports: String,
}

/// The program by the names under which a package may own it; none where no port is exposed.
fn started(entry: &Entry, symlinks: &HashMap<String, String>) -> Option<Started> {
    if entry.ports.is_empty() {
        return None;
    }
    let mut files = BTreeSet::new();
    for path in entry.candidates() {
        files.extend(image::facts::follow(&path, |at| symlinks.get(at).map(String::as_str)));
        files.insert(path);
    }
    let container = Container {
        engine: Engine::Docker,
        id: String::new(),
        name: String::new(),
        image: String::new(),
        image_id: None,
        pid: None,
        started: None,
    };
    let usage = Usage {
        schema: String::new(),
        container,
        since: String::new(),
        complete: false,
        until: String::new(),
        files,
        lost: 0,
    };
    Some(Started { usage, ports: entry.ports.join(", ") })
}

/// Which packages own what the image starts.
struct Reach<'known> {
    usages: Usages<'known>,
    ports: &'known str,
}

impl Reach<'_> {
    fn of_package(&self, purl: &Purl, location: &Location) -> Option<String> {
        let found = self.usages.of(purl, location);
        let program = found.used_files.first().filter(|_| found.used == Used::Loaded)?;
        Some(format!("owns the entry point {program}; port {}", self.ports))
    }
}
