//! `lazaret db …`, and the database that a scan needs.

use crate::World;
use crate::args::{DatabaseArgs, DbCommand, StatusFormat};
use crate::exit::{Exit, Failure};
use crate::output;
use crate::progress::Updating;
use advisories::{Changed, Databases, Source, Updated};
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::path::Path;
use vocabulary::{DatabaseInfo, Ecosystem, counted};

pub(crate) fn run(world: &World, command: DbCommand) -> Result<Exit, Failure> {
    let folder = world.db()?;
    match command {
        DbCommand::Update { from, ecosystems } => {
            let ecosystems: Vec<Ecosystem> =
                ecosystems.iter().map(|name| Ecosystem::new(name)).collect();
            let updates = update(world, &folder, from.as_deref(), &ecosystems)
                .map_err(|error| Failure::new(Exit::NoDatabase, error))?;
            show_updates(world, &updates)
        }
        DbCommand::Status { format } => status(&folder, format),
        DbCommand::Match { purl, distro, format } => {
            crate::matching::run(&folder, &purl, distro.as_deref(), format)
        }
        DbCommand::Export { file } => {
            let digest = advisories::export(&folder, &file)
                .map_err(|error| Failure::new(Exit::NoDatabase, error))?;
            world.printing.remark(&format!("wrote `{}`, {digest}", file.display()));
            Ok(Exit::Clean)
        }
        DbCommand::Import { from } => import(world, &folder, &from),
        DbCommand::Compare { ecosystem, left, right } => {
            crate::compare::run(&ecosystem, &left, right.as_deref())
        }
    }
}

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

fn update(
    world: &World,
    folder: &Path,
    from: Option<&str>,
    ecosystems: &[Ecosystem],
) -> Result<Vec<Updated>, anyhow::Error> {
    let client = world.client().map_err(|failure| failure.error)?;
    let progress = Updating::new(&world.printing);
    let source = source(world, from);
    Ok(advisories::update(folder, &source, ecosystems, &client, World::now(), &progress)?)
}

fn show_updates(world: &World, updates: &[Updated]) -> Result<Exit, Failure> {
    for update in updates {
        let ecosystem = &update.ecosystem;
        let records = update.manifest.as_ref().map_or(0, |manifest| manifest.records);
        let records = counted(records, "record", "records");
        world.printing.remark(&match &update.changed {
            Changed::Built { dropped } => {
                let malformed = match dropped.malformed {
                    0 => String::new(),
                    count => {
                        let records = counted(count, "malformed record", "malformed records");
                        format!(", {records} left out")
                    }
                };
                format!("{ecosystem}: {records}{malformed}")
            }
            Changed::Unchanged => format!("{ecosystem}: {records}, unchanged"),
            Changed::NotThere => format!("{ecosystem}: the source does not have it"),
        });
    }
    let there = updates.iter().any(|update| update.changed != Changed::NotThere);
    Ok(if there { Exit::Clean } else { Exit::NoDatabase })
}

fn status(folder: &Path, format: StatusFormat) -> Result<Exit, Failure> {
    let databases = advisories::status(folder, World::now());
    if format == StatusFormat::Json {
        output::print_json(&databases)?;
    } else {
        output::print(|out| {
            databases.iter().try_for_each(
                |DatabaseInfo { ecosystem, digest, fetched, records, stale }| {
                    let stale = if *stale { "  stale: older than a day" } else { "" };
                    writeln!(
                        out,
                        "{ecosystem:<14} {records:>7} records  {fetched}  {}{stale}",
                        digest.short()
                    )
                },
            )
        })?;
    }
    if databases.is_empty() {
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

/// The databases of these ecosystems. Those that are missing or older than a
/// day are fetched, unless that is not wanted.
pub(crate) fn for_scan(
    world: &World,
    args: &DatabaseArgs,
    needed: &BTreeSet<Ecosystem>,
    now: Timestamp,
) -> Result<Databases, Failure> {
    let folder = world.db()?;
    let known = advisories::status(&folder, now);
    let fresh = |ecosystem: &Ecosystem| {
        known.iter().any(|known| known.ecosystem == ecosystem.as_str() && !known.stale)
    };
    let wanted: Vec<Ecosystem> =
        needed.iter().filter(|ecosystem| !fresh(ecosystem)).cloned().collect();
    let from = args.db_source.as_deref();
    let networked = matches!(source(world, from), Source::Url(_));
    let may_update = !(args.no_db_update || networked && world.offline());
    if may_update
        && !wanted.is_empty()
        && let Err(error) = update(world, &folder, from, &wanted)
    {
        world.printing.remark(&format!("lazaret: warning: advisories were not updated: {error:#}"));
    }
    let databases = Databases::open(&folder, needed.iter().cloned(), now);
    let info = databases.infos();
    if databases.is_empty() && !needed.is_empty() {
        if let Some((ecosystem, error)) = databases.failures().next() {
            return Err(Failure::new(
                Exit::NoDatabase,
                anyhow::anyhow!("{error}; run `lazaret db update {ecosystem}`"),
            ));
        }
        let names: Vec<&str> = needed.iter().map(Ecosystem::as_str).collect();
        return Err(Failure::new(
            Exit::NoDatabase,
            anyhow::anyhow!(
                "no advisories of {} in `{}`; run `lazaret db update`, or `lazaret db import` where there is no network",
                names.join(", "),
                folder.display()
            ),
        ));
    }
    let stale: Vec<&str> =
        info.iter().filter(|info| info.stale).map(|info| info.ecosystem.as_str()).collect();
    if !stale.is_empty() {
        world.printing.remark(&format!(
            "lazaret: warning: the advisories of {} are older than a day",
            stale.join(", ")
        ));
    }
    Ok(databases)
}
