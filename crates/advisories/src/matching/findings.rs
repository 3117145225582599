//! Makes findings of the entries that hold a package's version: one for each CVE, or for the record
//! itself where it has none, with every record that says so as evidence.

use super::candidates::{Hit, Look, Verdict};
use super::code;
use super::fix;
use crate::database::{CveView, RatingView, RecordView, Title};
use crate::format::FormatError;
use crate::intervals::{End, Interval};
use crate::{cvss, ids};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use vocabulary::{
    AffectedRange, CodeEvidence, Evidence, Finding, Fingerprint, Fix, Package, Rule, Severity,
    VulnerabilityEvidence,
};

/// How many records one finding lists as evidence.
const MAX_EVIDENCE: usize = 50;

/// A rating from another record.
#[derive(Clone, Debug)]
pub(super) struct Borrowed {
    record: String,
    level: Severity,
    vector: Option<(String, u8)>,
}

impl Borrowed {
    pub(super) fn new(record: &str, rating: &RatingView<'_>) -> Self {
        Self {
            record: record.to_owned(),
            level: rating.level,
            vector: rating.vector.map(|(vector, tenths)| (vector.to_owned(), tenths)),
        }
    }

    /// Which of two ratings says less: a word than a vector, an old CVSS than a new one. The first
    /// record by id wins where they say the same.
    pub(super) fn weight(&self, other: &Self) -> Ordering {
        let key = |this: &Self| {
            let (version, tenths) = this.vector.as_ref().map_or((0, 0), |(vector, tenths)| {
                (cvss::version_of(vector).unwrap_or_default(), *tenths)
            });
            (version, tenths, this.level)
        };
        key(self).cmp(&key(other)).then_with(|| other.record.cmp(&self.record))
    }
}

/// A hit with its record.
struct Shown<'look, 'verdict> {
    hit: &'verdict Hit<'look>,
    record: RecordView<'look>,
    rating: Option<RatingView<'look>>,
    code: Option<CodeEvidence>,
}

impl Shown<'_, '_> {
    /// Whether the entry concerns other systems than the one that the package was built for.
    fn is_of_other_systems(&self) -> bool {
        self.code.as_ref().is_some_and(|code| !code.systems.is_empty())
    }
}

/// The findings of one package, by id.
pub(super) fn make<'look>(
    look: &Look<'look>,
    package: &Package,
    verdict: &Verdict<'look>,
    borrow: &dyn Fn(&str) -> Option<Borrowed>,
) -> Result<Vec<Finding>, FormatError> {
    let mut shown = Vec::with_capacity(verdict.hits.len());
    for hit in &verdict.hits {
        let Some(candidate) = verdict.candidates.get(hit.candidate) else { continue };
        let record = look.database.record(candidate.block.record)?;
        let rating = stronger(candidate.block.rating, record.rating);
        let imports = look.database.imports(&candidate.block)?;
        let code = code::compare(&imports, look.programs, package);
        shown.push(Shown { hit, record, rating, code });
    }
    shown.sort_by(|left, right| left.record.id.cmp(right.record.id));
    let mut by_id: BTreeMap<(&str, CveView<'_>), Vec<usize>> = BTreeMap::new();
    for (index, one) in shown.iter().enumerate() {
        let mut add = |rule: &'static str, id: CveView<'look>| {
            by_id.entry((rule, id)).or_default().push(index);
        };
        if one.record.malicious {
            add(Rule::MALICIOUS_PACKAGE.id, CveView::Text(one.record.id));
        } else if one.record.cves.is_empty() {
            add(Rule::KNOWN_VULNERABILITY.id, CveView::Text(one.record.id));
        } else {
            for cve in one.record.cves.iter().filter(|cve| !is_mended(verdict, one, cve)) {
                add(Rule::KNOWN_VULNERABILITY.id, *cve);
            }
        }
    }
    // Notices bundle CVEs: what mends them, and who says so, is worked out once for each set of records.
    let mut fixes: HashMap<Vec<usize>, Option<Fix>> = HashMap::new();
    let mut findings = Vec::with_capacity(by_id.len());
    for ((rule, id), indexes) in by_id {
        let of_id: Vec<&Shown<'_, '_>> =
            indexes.iter().filter_map(|index| shown.get(*index)).collect();
        if of_id.iter().all(|one| one.is_of_other_systems()) {
            continue;
        }
        let fix = match fixes.get(&indexes) {
            Some(fix) => fix.clone(),
            None => {
                let hits: Vec<&Hit<'_>> = of_id.iter().map(|one| one.hit).collect();
                let fix = fix::find(look, package, verdict, &hits)?;
                fixes.insert(indexes, fix.clone());
                fix
            }
        };
        findings.push(finding(look, package, verdict, (rule, id.to_string()), fix, &of_id, borrow));
    }
    Ok(findings)
}

/// Whether an update for subscribers that is installed mends what the release leaves open.
fn is_mended(verdict: &Verdict<'_>, shown: &Shown<'_, '_>, cve: &CveView<'_>) -> bool {
    verdict.mended.contains(cve)
        && shown.hit.interval.is_some_and(|interval| interval.end == End::Open)
}

fn finding(
    look: &Look<'_>,
    package: &Package,
    verdict: &Verdict<'_>,
    (rule, id): (&str, String),
    fix: Option<Fix>,
    shown: &[&Shown<'_, '_>],
    borrow: &dyn Fn(&str) -> Option<Borrowed>,
) -> Finding {
    let malicious = rule == Rule::MALICIOUS_PACKAGE.id;
    let own =
        shown.iter().filter_map(|one| Some((one, one.rating?))).max_by_key(|(one, rating)| {
            let version =
                rating.vector.map_or(0, |(vector, _)| cvss::version_of(vector).unwrap_or(0));
            let tenths = rating.vector.map_or(0, |(_, tenths)| tenths);
            (version > 0, one.record.cves.len() <= 1, version, tenths, rating.level)
        });
    let source = match own {
        Some((one, rating)) => Some(Borrowed::new(one.record.id, &rating)),
        None if malicious => None,
        None => borrow(&id),
    };
    let severity = match &source {
        _ if malicious => Severity::Critical,
        Some(source) => source.level,
        None => Severity::Unknown,
    };
    let mut aliases: BTreeSet<&str> =
        shown.iter().flat_map(|one| one.record.aliases.iter().copied()).collect();
    aliases.remove(id.as_str());
    let mut evidence: Vec<Evidence> = Vec::with_capacity(shown.len().min(MAX_EVIDENCE));
    for one in shown {
        let next = Evidence::Advisory(Box::new(evidence_of(look, verdict, one, source.as_ref())));
        if evidence.len() < MAX_EVIDENCE && !evidence.contains(&next) {
            evidence.push(next);
        }
    }
    Finding {
        rule: rule.to_owned(),
        aliases: aliases.into_iter().map(str::to_owned).collect(),
        severity,
        title: title(package, &id, shown),
        location: package.location.clone(),
        package: Some(package.purl.clone()),
        ecosystem: Some(package.ecosystem.clone()),
        layer: package.layer.or_else(|| package.location.layer()),
        origin: package.origin,
        fix,
        risk: None,
        evidence,
        more_places: 0,
        fingerprint: Fingerprint::new(rule, Some(&id), Some(&package.purl), &package.location),
        id: Some(id),
    }
}

/// A vector before a word; of two of a kind, the one about the package before the one about the
/// record as a whole.
fn stronger<'file>(
    block: Option<RatingView<'file>>,
    record: Option<RatingView<'file>>,
) -> Option<RatingView<'file>> {
    match (block, record) {
        (Some(block), Some(record)) if block.vector.is_none() && record.vector.is_some() => {
            Some(record)
        }
        (Some(block), _) => Some(block),
        (None, record) => record,
    }
}

/// The title of a record that is about this vulnerability alone, else of any.
fn title(package: &Package, id: &str, shown: &[&Shown<'_, '_>]) -> String {
    let titled = shown.iter().filter(|one| one.record.title != Title::None);
    match titled.min_by_key(|one| one.record.cves.len() > 1).map(|one| one.record.title) {
        Some(Title::Text(text)) => text.to_owned(),
        Some(Title::MaliciousCode) => {
            format!("Malicious code in {} ({})", package.name, package.ecosystem)
        }
        _ => format!("{id} in {}", package.name),
    }
}

fn evidence_of(
    look: &Look<'_>,
    verdict: &Verdict<'_>,
    shown: &Shown<'_, '_>,
    source: Option<&Borrowed>,
) -> VulnerabilityEvidence {
    let record = &shown.record;
    let candidate = verdict.candidates.get(shown.hit.candidate);
    let release = candidate
        .and_then(|one| usize::try_from(one.block.release).ok())
        .and_then(|index| look.database.releases().get(index))
        .filter(|release| !release.is_empty());
    let ecosystem = look.database.ecosystem();
    // Its own rating; one without shows the rating that the finding has, and whose that is.
    let own = shown.rating;
    let lent = source.filter(|source| own.is_none() && source.record != record.id);
    let vector = match lent {
        Some(lent) => lent.vector.clone(),
        None => {
            own.and_then(|rating| rating.vector).map(|(vector, tenths)| (vector.to_owned(), tenths))
        }
    };
    VulnerabilityEvidence {
        record: record.id.to_owned(),
        ecosystem: release
            .map_or_else(|| ecosystem.to_string(), |release| format!("{ecosystem}:{release}")),
        matched_name: candidate.map(|one| one.name.to_string()).unwrap_or_default(),
        matched_version: candidate.map(|one| one.version.to_string()).unwrap_or_default(),
        range: range_of(shown.hit.interval),
        score: vector.as_ref().map(|(_, tenths)| f64::from(*tenths) / 10.0),
        cvss: vector.map(|(vector, _)| vector),
        severity_from: lent.map(|lent| lent.record.clone()),
        url: ids::page(record.id).or_else(|| record.url.map(str::to_owned)),
        code: shown.code.clone(),
    }
}

fn range_of(interval: Option<Interval<&str>>) -> AffectedRange {
    let Some(interval) = interval else {
        return AffectedRange { introduced: None, fixed: None, last_affected: None, listed: true };
    };
    let (mut fixed, mut last_affected) = (None, None);
    match interval.end {
        End::Fixed(end) => fixed = Some(end.to_owned()),
        End::Last(end) => last_affected = Some(end.to_owned()),
        End::Open | End::Limit(_) => {}
    }
    let introduced = Some(interval.start.unwrap_or("0").to_owned());
    AffectedRange { introduced, fixed, last_affected, listed: false }
}
