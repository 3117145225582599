//! Makes findings of the entries that hold a package's version: one for each CVE, or for the record
//! itself where it has none, with every record that says so as evidence.

use super::candidates::{Hit, Look, Verdict};
use super::code;
use super::fix;
use super::groups::{Groups, Meant};
use super::rate::{Lender, Source};
use super::rules::{KNOWN_VULNERABILITY, MALICIOUS_PACKAGE};
use crate::database::{CveView, RatingView, RecordView, Title};
use crate::format::FormatError;
use crate::ids;
use crate::intervals::{End, Interval};
use crate::rating::Basis;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use vocabulary::{
    AffectedRange, CodeEvidence, Confidence, Evidence, Finding, Fingerprint, Fix, Package,
    Severity, VulnerabilityEvidence,
};

/// How many records one finding lists as evidence.
const MAX_EVIDENCE: usize = 50;

/// A hit with its record.
struct Shown<'look, 'verdict> {
    hit: &'verdict Hit<'look>,
    record: RecordView<'look>,
    block_rating: Option<RatingView<'look>>,
    /// Places of the record's CVEs that the entry is about.
    cves: Vec<usize>,
    code: Option<CodeEvidence>,
}

impl<'look> Shown<'look, '_> {
    /// What it says of one of its CVEs, by place, or of what it is about without any.
    fn rating(
        &self,
        place: Option<usize>,
        distribution: bool,
    ) -> Option<(RatingView<'look>, Basis)> {
        let of_record = self.record.rating_of(place.unwrap_or(0));
        if of_record.is_some_and(|(_, basis)| basis == Basis::Entry) {
            return of_record;
        }
        let alone = self.record.cves.len() <= 1;
        let whole = of_record.map(|(rating, _)| rating);
        let rating = stronger(self.block_rating, whole, distribution)?;
        Some((rating, if alone { Basis::Alone } else { Basis::Bundle }))
    }

    /// Whether the entry concerns other systems than the one that the package was built for.
    fn is_of_other_systems(&self) -> bool {
        self.code.as_ref().is_some_and(|code| !code.systems.is_empty())
    }
}

/// Shown records that are about one id, each with the place of that CVE in it.
type About = Vec<(usize, Option<usize>)>;

/// The findings of one package, by id.
pub(super) fn make<'look>(
    look: &Look<'look>,
    package: &Package,
    verdict: &Verdict<'look>,
    lender: &Lender<'_>,
) -> Result<Vec<Finding>, FormatError> {
    let shown = shown(look, package, verdict)?;
    let by_id = by_id(look, verdict, &shown)?;
    // Notices bundle CVEs: what mends them, and who says so, is worked out once for each set of records.
    let mut fixes: HashMap<Vec<usize>, Option<Fix>> = HashMap::new();
    let mut findings = Vec::with_capacity(by_id.len());
    for ((rule, id), about) in by_id {
        let of_id = of_id(&shown, &about);
        if of_id.is_empty() {
            continue;
        }
        let indexes: Vec<usize> = about.iter().map(|(index, _)| *index).collect();
        let fix = match fixes.get(&indexes) {
            Some(fix) => fix.clone(),
            None => {
                let hits: Vec<&Hit<'_>> = of_id.iter().map(|(one, _)| one.hit).collect();
                let fix = fix::find(look, package, verdict, &hits)?;
                fixes.insert(indexes, fix.clone());
                fix
            }
        };
        findings.push(finding(look, package, verdict, (rule, id.to_string()), fix, &of_id, lender));
    }
    Ok(findings)
}

/// The ids of the same findings, each with its severity.
pub(super) fn ids<'look>(
    look: &Look<'look>,
    package: &Package,
    verdict: &Verdict<'look>,
    lender: &Lender<'_>,
) -> Result<Vec<(String, Severity)>, FormatError> {
    let shown = shown(look, package, verdict)?;
    let mut found = Vec::new();
    for ((rule, id), about) in by_id(look, verdict, &shown)? {
        let of_id = of_id(&shown, &about);
        if !of_id.is_empty() {
            let id = id.to_string();
            let rated = Rated::of(package, (rule, &id), &of_id, lender);
            found.push((id, rated.severity));
        }
    }
    Ok(found)
}

/// The hits with their records, by their ids.
fn shown<'look, 'verdict>(
    look: &Look<'look>,
    package: &Package,
    verdict: &'verdict Verdict<'look>,
) -> Result<Vec<Shown<'look, 'verdict>>, FormatError> {
    let mut shown = Vec::with_capacity(verdict.hits.len());
    for hit in &verdict.hits {
        let Some(candidate) = verdict.candidates.get(hit.candidate) else { continue };
        let record = look.database.record(candidate.block.record)?;
        let imports = look.database.imports(&candidate.block)?;
        let code = code::compare(&imports, look.programs, package);
        let cves = look.database.cves_of(&candidate.block, &record)?;
        shown.push(Shown { hit, record, block_rating: candidate.block.rating, cves, code });
    }
    shown.sort_by(|left, right| left.record.id.cmp(right.record.id));
    Ok(shown)
}

/// What is shown of one id; nothing where it all concerns other systems.
fn of_id<'all, 'look, 'verdict>(
    shown: &'all [Shown<'look, 'verdict>],
    about: &About,
) -> Vec<(&'all Shown<'look, 'verdict>, Option<usize>)> {
    let all = about.iter().filter_map(|(index, place)| Some((shown.get(*index)?, *place)));
    let of_id: Vec<_> = all.collect();
    match of_id.iter().all(|(one, _)| one.is_of_other_systems()) {
        true => Vec::new(),
        false => of_id,
    }
}

/// Which records are about which id.
fn by_id<'look>(
    look: &Look<'look>,
    verdict: &Verdict<'look>,
    shown: &[Shown<'look, '_>],
) -> Result<BTreeMap<(&'static str, CveView<'look>), About>, FormatError> {
    let mut by_id: BTreeMap<(&'static str, CveView<'look>), About> = BTreeMap::new();
    let (vulnerable, malicious): (&'static str, &'static str) =
        (&KNOWN_VULNERABILITY.id, &MALICIOUS_PACKAGE.id);
    let without_cve = |one: &Shown<'_, '_>| one.record.cves.is_empty() && !one.record.malicious;
    let groups = match shown.iter().any(without_cve) {
        true => Groups::of(look.database, verdict)?,
        false => Groups::default(),
    };
    for (index, one) in shown.iter().enumerate() {
        let mut add = |rule: &'static str, id: CveView<'look>, place: Option<usize>| {
            by_id.entry((rule, id)).or_default().push((index, place));
        };
        if one.record.malicious {
            add(malicious, CveView::Text(one.record.id), None);
        } else if one.record.cves.is_empty() {
            match groups.meant(&one.record) {
                Meant::Cves(cves) => cves.into_iter().for_each(|cve| add(vulnerable, cve, None)),
                Meant::Malicious(id) => add(malicious, CveView::Text(id), None),
                Meant::Record(id) => add(vulnerable, CveView::Text(id), None),
            }
        } else {
            for place in &one.cves {
                let cve = one.record.cves.get(*place);
                if let Some(cve) = cve.filter(|cve| !is_mended(verdict, one, cve)) {
                    add(vulnerable, *cve, Some(*place));
                }
            }
        }
    }
    Ok(by_id)
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
    shown: &[(&Shown<'_, '_>, Option<usize>)],
    lender: &Lender<'_>,
) -> Finding {
    let distribution = package.ecosystem.is_distribution();
    let Rated { source, severity } = Rated::of(package, (rule, &id), shown, lender);
    let lent_title = || {
        let lent = (rule != MALICIOUS_PACKAGE.id).then(|| lender.lend(&id)).flatten();
        lent.and_then(|lent| lent.title.clone())
    };
    let title = own_title(package, shown).or_else(lent_title).unwrap_or_else(|| id.clone());
    let named = shown.iter().flat_map(|(one, _)| {
        let own = Some(one.record.id).filter(|_| one.record.cves.is_empty());
        one.record.aliases.iter().copied().chain(own)
    });
    let mut aliases: BTreeSet<&str> = named.collect();
    aliases.remove(id.as_str());
    let mut evidence: Vec<Evidence> = Vec::with_capacity(shown.len().min(MAX_EVIDENCE));
    for (one, place) in shown {
        let own = one.rating(*place, distribution);
        let next = evidence_of(look, verdict, one, own, source.as_ref());
        let next = Evidence::Advisory(Box::new(next));
        if evidence.len() < MAX_EVIDENCE && !evidence.contains(&next) {
            evidence.push(next);
        }
    }
    let class = match rule == MALICIOUS_PACKAGE.id {
        true => MALICIOUS_PACKAGE.class,
        false => KNOWN_VULNERABILITY.class,
    };
    Finding {
        rule: rule.to_owned(),
        class,
        confidence: confidence(package),
        aliases: aliases.into_iter().map(str::to_owned).collect(),
        severity,
        title,
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

/// As sure as it is which package that is: advisories name versions exactly.
fn confidence(package: &Package) -> Confidence {
    let told = package.identified.as_ref();
    told.map_or(Confidence::High, |told| told.confidence.min(Confidence::High))
}

/// How bad a finding is, and who says so.
struct Rated {
    source: Option<Source>,
    severity: Severity,
}

impl Rated {
    fn of(
        package: &Package,
        (rule, id): (&str, &str),
        shown: &[(&Shown<'_, '_>, Option<usize>)],
        lender: &Lender<'_>,
    ) -> Self {
        let distribution = package.ecosystem.is_distribution();
        let malicious = rule == MALICIOUS_PACKAGE.id;
        let own = shown.iter().filter_map(|(one, place)| {
            let (rating, basis) = one.rating(*place, distribution)?;
            Some(Source::matched(&one.record, &rating, basis))
        });
        let own = own.reduce(Source::better);
        // A record of the CVE elsewhere knows more of it than a notice of many.
        let is_known = own.as_ref().is_some_and(|own| own.basis == Basis::Alone);
        let lent = match malicious || is_known {
            true => None,
            false => lender.lend(id).map(|lent| (*lent).clone()),
        };
        let source = own.into_iter().chain(lent).reduce(Source::better);
        let severity = match &source {
            _ if malicious => Severity::Critical,
            Some(source) => source.level,
            None => Severity::Unknown,
        };
        Self { source, severity }
    }
}

/// What is said of a package, or of a record as a whole. A vector before a word, but for the word of a
/// distribution, which says how bad it is as the package is built there; of two of a kind, the one about
/// the package.
fn stronger<'file>(
    block: Option<RatingView<'file>>,
    record: Option<RatingView<'file>>,
    distribution: bool,
) -> Option<RatingView<'file>> {
    match (block, record) {
        (Some(block), Some(record))
            if block.vector.is_none() && record.vector.is_some() && !distribution =>
        {
            Some(record)
        }
        (Some(block), _) => Some(block),
        (None, record) => record,
    }
}

/// The title of a record that is about this vulnerability alone, else of any.
fn own_title(package: &Package, shown: &[(&Shown<'_, '_>, Option<usize>)]) -> Option<String> {
    let titled = shown.iter().filter(|(one, _)| one.record.title != Title::None);
    match titled.min_by_key(|(one, _)| one.record.cves.len() > 1)?.0.record.title {
        Title::Text(text) => Some(text.to_owned()),
        Title::MaliciousCode => {
            Some(format!("Malicious code in {} ({})", package.name, package.ecosystem))
        }
        Title::None => None,
    }
}

fn evidence_of(
    look: &Look<'_>,
    verdict: &Verdict<'_>,
    shown: &Shown<'_, '_>,
    own: Option<(RatingView<'_>, Basis)>,
    source: Option<&Source>,
) -> VulnerabilityEvidence {
    let record = &shown.record;
    let candidate = verdict.candidates.get(shown.hit.candidate);
    let release = candidate
        .and_then(|one| usize::try_from(one.block.release).ok())
        .and_then(|index| look.database.releases().get(index))
        .filter(|release| !release.is_empty());
    let ecosystem = look.database.ecosystem();
    // What it says of this CVE alone; else the rating that the finding has, and whose that is.
    let own = own.filter(|(_, basis)| *basis != Basis::Bundle).map(|(own, _)| own);
    let shown_source = source.filter(|_| own.is_none());
    let vector = match (own, shown_source) {
        (Some(own), _) => own.vector.map(|(vector, tenths)| (vector.to_owned(), tenths)),
        (None, source) => source.and_then(|source| source.vector.clone()),
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
        severity_from: shown_source
            .filter(|source| source.record != record.id)
            .map(|source| source.record.clone()),
        rated_as_bundle: shown_source.is_some_and(|source| source.basis == Basis::Bundle),
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
