//! `lazaret seals`: lists, shows and checks what was sealed; and how a seal is shown.

use crate::args::{SealsCommand, StatusFormat};
use crate::exit::{Exit, Failure};
use crate::world::World;
use crate::{failures, output};
use engine::reference::Reference;
use seal::{Name, Seal, Store};
use std::io::{self, Write};
use vocabulary::counted;

/// The store of this machine.
pub(crate) fn open(world: &World) -> Result<Store, Failure> {
    Store::open(world.state()?.join("seals")).map_err(failures::store)
}

/// A seal, as it is shown.
#[derive(serde::Serialize)]
pub(crate) struct Shown<'seal> {
    pub(crate) repository: &'seal str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tag: Option<&'seal str>,
    pub(crate) counter: u64,
    pub(crate) time: &'seal str,
    pub(crate) signer: &'seal str,
    pub(crate) entry: u64,
    /// Digest of the log's last entry.
    pub(crate) head: String,
    /// Digest of the envelope.
    pub(crate) seal: String,
    pub(crate) config_digest: String,
    pub(crate) layers: usize,
    pub(crate) files: u64,
    pub(crate) packages: u64,
    pub(crate) merkle_root: String,
}

pub(crate) fn shown(seal: &Seal) -> Shown<'_> {
    let predicate = &seal.statement.predicate;
    Shown {
        repository: &predicate.repository,
        tag: predicate.tag.as_deref(),
        counter: predicate.counter,
        time: &predicate.time,
        signer: &predicate.signer.fingerprint,
        entry: seal.entry,
        head: seal.head.to_string(),
        seal: seal.digest.to_string(),
        config_digest: predicate.config_digest.to_string(),
        layers: predicate.layers.len(),
        files: predicate.record.entries,
        packages: predicate.packages.count,
        merkle_root: predicate.record.merkle_root.to_string(),
    }
}

pub(crate) fn run(world: &World, command: SealsCommand) -> Result<Exit, Failure> {
    let store = open(world)?;
    match command {
        SealsCommand::List { format } => list(world, &store, format),
        SealsCommand::Show { repository } => {
            let found = store.newest(&repository).or_else(|| {
                let named = repository.parse::<Reference>().ok()?;
                let tagged = Name { repository: named.repository(), tag: named.tag };
                match tagged.tag {
                    Some(_) => store.newest_under(&tagged),
                    None => store.newest(&tagged.repository),
                }
            });
            let seal = found.ok_or_else(|| {
                Failure::usage(format!(
                    "`{repository}` was never sealed here; see `lazaret seals list`"
                ))
            })?;
            output::print_json(&seal.statement).map(|()| Exit::Clean)
        }
        SealsCommand::Check => check(&store),
    }
}

fn list(world: &World, store: &Store, format: StatusFormat) -> Result<Exit, Failure> {
    if format == StatusFormat::Json {
        let rows: Vec<Shown<'_>> = store.all().iter().map(shown).collect();
        output::print_json(&rows)?;
        return Ok(Exit::Clean);
    }
    if store.all().is_empty() {
        let folder = world.state()?.join("seals");
        world.printing.remark(&format!("no seals in `{}`", folder.display()));
    }
    output::print_lines(|out| {
        store.all().iter().try_for_each(|seal| {
            let Shown { counter, time, config_digest, signer, .. } = shown(seal);
            let name = seal.statement.predicate.name();
            let image = config_digest.get(..19).unwrap_or(&config_digest);
            writeln!(out, "{name}  {counter}  {time}  {image}  {signer}")
        })
    })?;
    Ok(Exit::Clean)
}

fn check(store: &Store) -> Result<Exit, Failure> {
    let keys = store.trusted().map_err(failures::store)?;
    let findings = store.check(&keys);
    output::print_lines(|out: &mut dyn Write| -> io::Result<()> {
        for finding in &findings {
            writeln!(out, "{}  {}", finding.rule, finding.title)?;
        }
        let problems = counted(findings.len(), "problem", "problems");
        writeln!(out, "{}, {problems}", counted(store.all().len(), "seal", "seals"))?;
        match store.head() {
            Some(head) => writeln!(out, "head {}  entry {}", head.digest, head.entries),
            None => Ok(()),
        }
    })?;
    Ok(if findings.is_empty() { Exit::Clean } else { Exit::Findings })
}
