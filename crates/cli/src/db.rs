//! `lazaret db …`.

use crate::args::{DbCommand, RiskArgs, StatusFormat};
use crate::artefact::{self, Taking};
use crate::exit::{Exit, Failure};
use crate::progress::Updating;
use crate::world::World;
use crate::{clock, compare, database, matching, output, updates};
use advisories::{RiskFeed, RiskUpdated, Risks};
use std::path::Path;
use vocabulary::{DatabaseInfo, Ecosystem, counted};

pub(crate) fn run(world: &World, command: DbCommand) -> Result<Exit, Failure> {
    let folder = world.db()?;
    match command {
        DbCommand::Update { from, trust, risk, ecosystems, timeout: _ } => {
            match Taking::of_source(world, from.as_deref(), &trust)? {
                Some(taking) => update_taking(world, &folder, &taking, &risk, &ecosystems),
                None => update_all(world, &folder, from.as_deref(), &risk, &ecosystems),
            }
        }
        DbCommand::Push { to, key, ecosystems } => {
            artefact::push_command(world, &folder, &to, key.as_deref(), &ecosystems)
        }
        DbCommand::Pull { from, trust, ecosystems } => {
            artefact::pull_command(world, &folder, &from, &trust, &ecosystems)
        }
        DbCommand::Status { format } => status(&folder, format),
        DbCommand::Match { purl, distro, format } => {
            matching::run(world, &folder, &purl, distro.as_deref(), format)
        }
        DbCommand::Export { file } => {
            let digest = advisories::export(&folder, &file)
                .map_err(|error| Failure::new(Exit::NoDatabase, error))?;
            world.printing.remark(&format!("wrote `{}`, {digest}", file.display()));
            Ok(Exit::Clean)
        }
        DbCommand::Import { from } => import(world, &folder, &from),
        DbCommand::Compare { ecosystem, left, right } => {
            compare::run(&ecosystem, &left, right.as_deref())
        }
    }
}

/// The same from an artefact, which has the feeds about exploitation, too. One of those that is named
/// elsewhere comes from there.
fn update_taking(
    world: &World,
    folder: &Path,
    taking: &Taking,
    risk: &RiskArgs,
    names: &[String],
) -> Result<Exit, Failure> {
    let elsewhere = |name: &str| {
        RiskFeed::named(name).is_some_and(|feed| database::named(world, feed, risk).is_some())
    };
    let (feeds, others): (Vec<String>, Vec<String>) =
        names.iter().cloned().partition(|name| elsewhere(name));
    let mut exit = Exit::Clean;
    if names.is_empty() || !others.is_empty() {
        exit = taking.run(world, folder, &others)?;
    }
    let all = RiskFeed::ALL.into_iter().map(|feed| feed.name().to_string());
    let feeds: Vec<String> = match names.is_empty() {
        true => all.filter(|name| elsewhere(name)).collect(),
        false => feeds,
    };
    if !feeds.is_empty() {
        update_all(world, folder, None, risk, &feeds)?;
    }
    Ok(exit)
}

/// Ecosystems and feeds about exploitation, those that are named, else all. A feed that cannot be had
/// is said, and does not undo the advisories.
fn update_all(
    world: &World,
    folder: &Path,
    from: Option<&str>,
    risk: &RiskArgs,
    names: &[String],
) -> Result<Exit, Failure> {
    let no_database = |error| Failure::new(Exit::NoDatabase, error);
    let feeds: Vec<RiskFeed> = names.iter().filter_map(|name| RiskFeed::named(name)).collect();
    let ecosystems: Vec<Ecosystem> = names
        .iter()
        .filter(|name| RiskFeed::named(name).is_none())
        .map(|name| Ecosystem::new(name))
        .collect();
    let mut exit = Exit::Clean;
    if names.is_empty() || !ecosystems.is_empty() {
        let updates = database::update(world, folder, from, &ecosystems).map_err(no_database)?;
        exit = updates::show(world, &updates, &ecosystems);
    }
    let feeds = if names.is_empty() { RiskFeed::ALL.to_vec() } else { feeds };
    for feed in feeds {
        let name = feed.name();
        let entries = |count| counted(count, "entry", "entries");
        match database::update_risk(world, folder, feed, from, risk) {
            Ok(RiskUpdated::Built(count)) => {
                world.printing.remark(&format!("{name}: {}", entries(count)));
            }
            Ok(RiskUpdated::Unchanged(count)) => {
                world.printing.remark(&format!("{name}: {}, unchanged", entries(count)));
            }
            Ok(RiskUpdated::NotThere) if database::named(world, feed, risk).is_some() => {
                let place = database::named(world, feed, risk).unwrap_or_default();
                return Err(no_database(database::not_there(feed, &place)));
            }
            Ok(RiskUpdated::NotThere) => {
                world.printing.remark(&format!("{name}: the source does not have it"));
                // As with an ecosystem: one that was asked for by name and is not there is no success.
                if !names.is_empty() {
                    exit = Exit::NoDatabase;
                }
            }
            // Whoever asks for this feed alone, or names where it is, wants to know.
            Err(error) if !names.is_empty() || database::named(world, feed, risk).is_some() => {
                return Err(no_database(error));
            }
            Err(error) => {
                world
                    .printing
                    .remark(&format!("lazaret: warning: {name} was not updated: {error:#}"));
            }
        }
    }
    Ok(exit)
}

fn status(folder: &Path, format: StatusFormat) -> Result<Exit, Failure> {
    let now = clock::now();
    let mut databases = advisories::status(folder, now);
    let none = databases.is_empty();
    databases.extend(Risks::open(folder, now).infos().iter().cloned());
    if format == StatusFormat::Json {
        output::print_json(&databases)?;
    } else {
        output::print_lines(|out| {
            databases.iter().try_for_each(
                |DatabaseInfo { ecosystem, digest, fetched, records, stale }| {
                    let stale = match stale {
                        true => format!("  stale: {}", database::why_stale(fetched, now)),
                        false => String::new(),
                    };
                    writeln!(
                        out,
                        "{ecosystem:<14} {records:>7} records  {fetched}  {}{stale}",
                        digest.short()
                    )
                },
            )
        })?;
    }
    if let Some((path, reason)) = advisories::update::unusable(folder).into_iter().next() {
        let reason =
            if reason.contains('`') { reason } else { format!("`{}`: {reason}", path.display()) };
        return Err(Failure::new(
            Exit::NoDatabase,
            anyhow::anyhow!("{reason}; it counts as missing, run `lazaret db update`"),
        ));
    }
    if none {
        return Err(Failure::new(
            Exit::NoDatabase,
            anyhow::anyhow!("no database in `{}`; run `lazaret db update`", folder.display()),
        ));
    }
    Ok(Exit::Clean)
}

fn import(world: &World, folder: &Path, from: &str) -> Result<Exit, Failure> {
    let imported = if from.starts_with("http://") || from.starts_with("https://") {
        let client = world.client()?;
        let progress = Updating::new(&world.printing);
        advisories::bundle::import_url(folder, from, &client, &|bytes, of| {
            advisories::Progress::downloading(&progress, &Ecosystem::new("the export"), bytes, of);
        })
    } else {
        advisories::import(folder, Path::new(from))
    };
    let manifests = imported.map_err(|error| Failure::new(Exit::NoDatabase, error))?;
    for manifest in manifests {
        let records = counted(manifest.records, "record", "records");
        world.printing.remark(&format!("{}: {records}", manifest.ecosystem));
    }
    Ok(Exit::Clean)
}
