//! The database that a scan needs: what is there, what is fetched, and what is said of its age.

use crate::args::{DatabaseArgs, RiskArgs};
use crate::artefact::Taking;
use crate::clock;
use crate::exit::{Exit, Failure};
use crate::progress::Updating;
use crate::world::World;
use advisories::{Changed, Databases, RiskFeed, RiskUpdated, Risks, Source, Updated};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use vocabulary::{DatabaseInfo, Ecosystem, Package};

/// A folder that is there, else a URL.
fn source(world: &World, named: Option<&str>) -> Source {
    match named.or(world.settings.db_source.as_deref()) {
        None => Source::default(),
        Some(text) if text.starts_with("http://") || text.starts_with("https://") => {
            Source::Url(text.to_owned())
        }
        Some(text) => Source::Directory(text.into()),
    }
}

pub(crate) fn update(
    world: &World,
    folder: &Path,
    from: Option<&str>,
    ecosystems: &[Ecosystem],
) -> Result<Vec<Updated>, anyhow::Error> {
    let client = world.client().map_err(|failure| failure.error)?;
    let progress = Updating::new(&world.printing);
    let source = source(world, from);
    Ok(advisories::update(folder, &source, ecosystems, &client, clock::now(), &progress)?)
}

/// Where a feed is said to be.
pub(crate) fn named(world: &World, feed: RiskFeed, risk: &RiskArgs) -> Option<String> {
    let (flag, setting) = match feed {
        RiskFeed::Kev => (&risk.kev, &world.settings.kev),
        RiskFeed::Epss => (&risk.epss, &world.settings.epss),
    };
    flag.clone().or_else(|| setting.clone())
}

pub(crate) fn update_risk(
    world: &World,
    folder: &Path,
    feed: RiskFeed,
    from: Option<&str>,
    risk: &RiskArgs,
) -> Result<RiskUpdated, anyhow::Error> {
    let client = world.client().map_err(|failure| failure.error)?;
    let places = advisories::update::risks::places(
        feed,
        named(world, feed, risk).as_deref(),
        &source(world, from),
    );
    Ok(advisories::update::risks::update(folder, feed, &places, &client, clock::now())?)
}

pub(crate) fn not_there(feed: RiskFeed, place: &str) -> anyhow::Error {
    let name = feed.name().as_str().to_ascii_lowercase();
    let place = fetch::redact(place);
    anyhow::anyhow!("`{place}`, named by --{name}, is not there; name another, or leave it out")
}

/// A feed that is named as a file must be there, and be what findings are ranked by: a list that was
/// asked for and not read would look like one that names nothing.
fn must_be_read(
    feed: RiskFeed,
    place: Option<&str>,
    held: Option<&str>,
    args: &DatabaseArgs,
) -> Result<(), Failure> {
    let Some(place) = place.filter(|text| !is_address(text)) else { return Ok(()) };
    if !Path::new(place).is_file() {
        return Err(Failure::new(Exit::Usage, not_there(feed, place)));
    }
    if args.no_db_update && held != Some(place) {
        let name = feed.name().as_str().to_ascii_lowercase();
        return Err(Failure::usage(format!(
            "`{place}` is not what the database holds, and --no-db-update keeps it from being read; run `lazaret db update {name} --{name} {place}` first, or leave out one of the two"
        )));
    }
    Ok(())
}

fn is_address(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

/// What is known of exploitation, brought up to date like the advisories. Without it findings are
/// ranked by less, and the report says so: a scan does not fail for it.
///
/// A feed that is not there yet is fetched together with advisories: who brings those by other means,
/// such as an import, is not connected to anybody for this.
fn risks(
    world: &World,
    args: &DatabaseArgs,
    taking: Option<&Taking>,
    with_advisories: bool,
    now: Timestamp,
) -> Result<Risks, Failure> {
    let folder = world.db()?;
    let there = |risks: &Risks, feed: RiskFeed| {
        risks.infos().iter().any(|info| info.ecosystem == feed.name().as_str())
    };
    let fresh = |risks: &Risks, feed: RiskFeed| {
        risks.infos().iter().any(|info| info.ecosystem == feed.name().as_str() && !info.stale)
    };
    let known = Risks::open(&folder, now);
    let from = args.db_source.as_deref();
    let mut changed = false;
    for feed in RiskFeed::ALL {
        let named = named(world, feed, &args.risk);
        let places =
            advisories::update::risks::places(feed, named.as_deref(), &source(world, from));
        let taking = taking.filter(|_| named.is_none());
        let networked = taking.map_or_else(
            || places.iter().any(|place| matches!(place, Source::Url(_))),
            |taking| taking.named.is_networked(),
        );
        let held = advisories::update::risks::source_of(&folder, feed);
        must_be_read(feed, named.as_deref(), held.as_deref(), args)?;
        let asked = with_advisories || named.is_some() || there(&known, feed);
        let shown = |place: &String| match is_address(place) {
            true => fetch::redact(place),
            false => place.clone(),
        };
        let other = named.is_some() && named.as_ref().map(shown) != held;
        let current = fresh(&known, feed) && !other;
        if !asked || current || args.no_db_update || networked && world.offline() {
            continue;
        }
        let updated = match taking {
            Some(taking) => taking.pull_feed(world, &folder, feed),
            None => update_risk(world, &folder, feed, from, &args.risk),
        };
        match (updated, &named) {
            (Ok(RiskUpdated::NotThere), Some(place)) => {
                return Err(Failure::new(Exit::Usage, not_there(feed, place)));
            }
            (Ok(updated), _) => changed |= updated != RiskUpdated::NotThere,
            (Err(error), Some(place)) if !is_address(place) => {
                return Err(Failure::new(Exit::Usage, error));
            }
            (Err(error), _) => {
                let name = feed.name();
                world
                    .printing
                    .remark(&format!("lazaret: warning: {name} was not updated: {error:#}"));
            }
        }
    }
    Ok(if changed { Risks::open(&folder, now) } else { known })
}

/// What packages need to be matched.
pub(crate) struct Needed {
    /// The ecosystems whose advisories could concern them.
    ecosystems: BTreeSet<Ecosystem>,
    /// Whether some are of a distribution that nobody publishes advisories for: then the report has
    /// something to say without any database.
    unknown: bool,
}

impl Needed {
    pub(crate) fn of<'packages>(packages: impl IntoIterator<Item = &'packages Package>) -> Self {
        let mut needed = Self { ecosystems: BTreeSet::new(), unknown: false };
        for package in packages {
            needed.unknown |= advisories::is_of_unknown_distribution(package);
            if package.ecosystem.has_advisories() && !needed.ecosystems.contains(&package.ecosystem)
            {
                needed.ecosystems.insert(package.ecosystem.clone());
            }
        }
        needed
    }
}

/// The databases that are needed, and what is known of exploitation. Those that are missing or older
/// than a day are fetched, unless that is not wanted, or nobody publishes them.
pub(crate) fn for_scan(
    world: &World,
    args: &DatabaseArgs,
    needed: &Needed,
    now: Timestamp,
) -> Result<(Databases, Risks), Failure> {
    let folder = world.db()?;
    let known = advisories::status(&folder, now);
    let fresh = |ecosystem: &Ecosystem| {
        known.iter().any(|known| known.ecosystem == ecosystem.as_str() && !known.stale)
    };
    let from = args.db_source.as_deref();
    // A source of one's own may have what the public one has not.
    let own = from.is_some() || world.settings.db_source.is_some();
    let Needed { ecosystems: needed, unknown } = needed;
    let wanted: Vec<Ecosystem> = needed
        .iter()
        .filter(|ecosystem| (own || ecosystem.is_published()) && !fresh(ecosystem))
        .cloned()
        .collect();
    // Where nothing says whom to believe that is no reason to go on with what is here.
    let taking = match args.no_db_update {
        true => None,
        false => Taking::of_source(world, from, &args.trust())?,
    };
    let networked = taking.as_ref().map_or_else(
        || matches!(source(world, from), Source::Url(_)),
        |taking| taking.named.is_networked(),
    );
    let may_update = !(args.no_db_update || networked && world.offline());
    let failed = match &taking {
        _ if !may_update || wanted.is_empty() => None,
        Some(taking) => {
            not_updated(taking.pull(world, &folder, &wanted).map(|pulled| pulled.updates))
        }
        None => not_updated(update(world, &folder, from, &wanted)),
    };
    if let Some(reason) = &failed {
        world.printing.remark(&format!("lazaret: warning: advisories were not updated: {reason}"));
    }
    let asked = may_update && !wanted.is_empty();
    let risks = risks(world, args, taking.as_ref(), asked, now)?;
    // One who holds back what is newer answers, too: an artefact is as old as its databases.
    let failed = failed.or_else(|| {
        let shown = &taking.as_ref().filter(|_| asked)?.named.shown;
        Some(format!("`{shown}` has no newer ones"))
    });
    let mut databases = Databases::open(&folder, needed.iter().cloned(), now);
    let old = failed.map(|reason| late(databases.infos(), now, &reason)).unwrap_or_default();
    for (ecosystem, reason) in old {
        databases.late(&ecosystem, &reason);
    }
    let info = databases.infos();
    let mut published = needed.iter().filter(|ecosystem| ecosystem.is_published()).peekable();
    if databases.is_empty() && !unknown && published.peek().is_some() {
        if let Some((_, error)) = databases.failures().next() {
            return Err(Failure::new(Exit::NoDatabase, anyhow::anyhow!("{error}")));
        }
        let names: Vec<&str> = published.map(Ecosystem::as_str).collect();
        return Err(Failure::new(
            Exit::NoDatabase,
            anyhow::anyhow!(
                "no advisories of {} in `{}`; run `lazaret db update`, or `lazaret db import` where there is no network",
                names.join(", "),
                folder.display()
            ),
        ));
    }
    let mut stale: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for info in info.iter().filter(|info| info.stale) {
        stale.entry(why_stale(&info.fetched, now)).or_default().push(&info.ecosystem);
    }
    for (why, names) in stale {
        let names = names.join(", ");
        world.printing.remark(&format!("lazaret: warning: the advisories of {names} are {why}"));
    }
    Ok((databases, risks))
}

/// Why advisories that were fetched then count as stale.
pub(crate) fn why_stale(fetched: &str, now: Timestamp) -> String {
    match fetched.parse::<Timestamp>() {
        Ok(time) if time > now => {
            format!("of {fetched}, which has not come yet: a clock is or was wrong")
        }
        Ok(_) => "older than a day".to_owned(),
        Err(_) => "of an unknown age".to_owned(),
    }
}

/// Days after which advisories that could not be brought up to date let nothing pass. Whoever stands
/// between us and their source could else hold back what is new for ever.
const DAYS: i64 = 7;

/// Why advisories were not brought up to date, if they were not.
fn not_updated(updates: Result<Vec<Updated>, anyhow::Error>) -> Option<String> {
    let updates = match updates {
        Ok(updates) => updates,
        Err(error) => return Some(format!("{error:#}")),
    };
    let gone = updates.iter().filter(|update| update.changed == Changed::NotThere);
    let names: Vec<&str> = gone.map(|update| update.ecosystem.as_str()).collect();
    (!names.is_empty()).then(|| format!("the source does not have those of {}", names.join(", ")))
}

/// The ecosystems of which that can be said, and what.
fn late(infos: &[DatabaseInfo], now: Timestamp, reason: &str) -> Vec<(String, String)> {
    // Of an unknown age, or from the future: nobody can say that it is not as old.
    let is_old = |info: &&DatabaseInfo| {
        let fetched = info.fetched.parse::<Timestamp>();
        fetched.map_or(true, |fetched| {
            let age = now.duration_since(fetched);
            age.as_hours() > DAYS * 24 || info.stale && age.is_negative()
        })
    };
    let said = |DatabaseInfo { ecosystem, fetched, .. }: &DatabaseInfo| {
        let text = format!(
            "its advisories are of {fetched}, and could not be brought up to date: {reason}; --no-db-update takes them as they are"
        );
        (ecosystem.clone(), text)
    };
    infos.iter().filter(is_old).map(said).collect()
}
