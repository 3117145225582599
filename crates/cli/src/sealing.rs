//! `lazaret seal` and `seals`: signs a record of an image as it is, and shows what was sealed.

use crate::World;
use crate::args::{SealArgs, SealsCommand, StatusFormat};
use crate::exit::{Exit, Failure};
use crate::{output, progress, sbom};
use engine::reference::Reference;
use scan::{Inventory, ReadOptions, RecordLevel};
use seal::{Draft, Name, ScanSummary, Seal, SealedRecord, SigningKey, Store, StoreError, key};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::Path;
use vocabulary::{Status, Subject, SubjectKind, counted};

/// Checks without which the record of the files would not be whole.
const MUST_RUN: [&str; 2] = ["layers", "walk"];

pub(crate) fn run(world: &World, args: &SealArgs) -> Result<Exit, Failure> {
    let agent = std::env::var_os("SSH_AUTH_SOCK").map(std::path::PathBuf::from);
    let key = SigningKey::load(&args.key, agent.as_deref())
        .map_err(|error| Failure::new(Exit::Usage, error))?;
    let options = ReadOptions {
        files: RecordLevel::Digests,
        engines: world.engines(),
        ..sbom::read_options(world, &args.subject.read)?
    };
    let reference = args.subject.reference.as_str();
    let inventory = progress::while_reading(&world.printing, |progress| {
        scan::read(reference, &options, progress)
    })
    .map_err(sbom::failure)?;
    refuse(&inventory)?;
    let name = name(args.repository.as_deref(), &inventory.subject)?;
    let now = World::now();
    let draft = Draft {
        subject: &inventory.subject,
        layers: &inventory.layers,
        files: &inventory.files,
        packages: &inventory.packages,
        scan: scanned(world, &inventory, now),
        name: &name,
        time: &now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    };
    let mut store = open(world)?;
    let sealed = store.seal(&draft, &key).map_err(failure)?;
    if let Some(folder) = &args.export {
        let record = store.load(&sealed).map_err(failure)?;
        export(folder, &sealed, &record, key.public()).map_err(|failure| {
            let reason = failure.error;
            let error =
                anyhow::anyhow!("{name} is sealed, but the seal was not exported: {reason}");
            Failure { exit: failure.exit, error }
        })?;
    }
    show(&sealed, args.format)?;
    Ok(Exit::Clean)
}

/// The store of this machine.
pub(crate) fn open(world: &World) -> Result<Store, Failure> {
    Store::open(world.state()?.join("seals")).map_err(failure)
}

/// A store that is not whole has not done what was asked.
pub(crate) fn failure(error: StoreError) -> Failure {
    let exit = match &error {
        StoreError::Damaged(_) | StoreError::Differs { .. } | StoreError::Counter(_) => {
            Exit::Findings
        }
        StoreError::Key(_) | StoreError::Statement(_) | StoreError::Io { .. } => Exit::Usage,
        StoreError::TooLarge { .. }
        | StoreError::Record(_)
        | StoreError::Packages(_)
        | StoreError::Envelope(_) => Exit::Incomplete,
    };
    Failure::new(exit, error)
}

/// Only what was read in full, and is what it says it is, may be sealed.
fn refuse(inventory: &Inventory) -> Result<(), Failure> {
    let Inventory { subject, findings, coverage, .. } = inventory;
    if !matches!(subject.kind, SubjectKind::Image) {
        return Err(Failure::usage(format!(
            "`{}` is no image; only images can be sealed",
            subject.name
        )));
    }
    let mismatch = findings.iter().find(|finding| finding.rule == scan::DIGEST_MISMATCH.id);
    if let Some(mismatch) = mismatch {
        let text = format!("`{}` is not sealed: {}", subject.name, mismatch.title);
        return Err(Failure::new(Exit::Findings, anyhow::Error::msg(text)));
    }
    let gap = coverage
        .iter()
        .find(|one| MUST_RUN.contains(&one.check.as_str()) && one.status != Status::Ran);
    if let Some(gap) = gap {
        let problem = gap.problems.first().map(|one| format!("{}: {}", one.path, one.reason));
        let reason = problem.or_else(|| gap.reason.clone()).unwrap_or_default();
        let text =
            format!("`{}` is not sealed, it could not be read in full: {reason}", subject.name);
        return Err(Failure::new(Exit::Incomplete, anyhow::Error::msg(text)));
    }
    Ok(())
}

/// The name under which an image is sealed: as given, else its own, where that is one.
pub(crate) fn name(given: Option<&str>, subject: &Subject) -> Result<Name, Failure> {
    if let Some(given) = given {
        return Ok(Name::untagged(given));
    }
    let engine = subject
        .name
        .split_once(':')
        .filter(|(scheme, _)| matches!(*scheme, "docker" | "containerd"));
    // The annotation of an OCI layout may hold a tag alone.
    let tags = subject.tags.iter().filter(|tag| tag.contains([':', '/']));
    let mut names: BTreeMap<String, BTreeSet<Option<String>>> = BTreeMap::new();
    for named in tags.filter_map(|tag| name_of(tag)) {
        names.entry(named.repository).or_default().insert(named.tag);
    }
    if let Some(named) = engine.and_then(|(_, name)| name_of(name))
        && (names.contains_key(&named.repository) || names.is_empty() && !is_id(&subject.name))
    {
        return Ok(named);
    }
    let mut names = names.into_iter();
    match (names.next(), names.next()) {
        (Some((repository, tags)), None) => {
            // Of several tags none is the one that was meant.
            let tag = if tags.len() == 1 { tags.into_iter().next().flatten() } else { None };
            Ok(Name { repository, tag })
        }
        (None, _) => Err(Failure::usage(format!(
            "`{}` has no name of its own; give --repository",
            subject.name
        ))),
        (Some((one, _)), Some((other, _))) => Err(Failure::usage(format!(
            "`{}` has several names, such as `{one}` and `{other}`; give --repository",
            subject.name
        ))),
    }
}

/// The repository and tag of an image's name; `latest` where it says none, as engines have it.
pub(crate) fn name_of(text: &str) -> Option<Name> {
    let named = text.parse::<Reference>().ok()?.or_latest();
    Some(Name { repository: named.repository(), tag: named.tag })
}

/// Whether a reference to an engine gives an image's id and no name.
fn is_id(reference: &str) -> bool {
    let name = reference.rsplit_once(':').map_or(reference, |(_, name)| name);
    name.len() >= 12 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What the advisories that are here say: nothing is fetched to seal.
fn scanned(world: &World, inventory: &Inventory, now: jiff::Timestamp) -> Option<ScanSummary> {
    let folder = world.db().ok()?;
    let databases = advisories::Databases::open(&folder, inventory.ecosystems(), now);
    if databases.is_empty() {
        return None;
    }
    let matched = databases.matches(&inventory.packages, inventory.distribution.as_ref());
    let mut findings = BTreeMap::new();
    for finding in &matched.findings {
        *findings.entry(finding.severity).or_default() += 1;
    }
    Some(ScanSummary { findings, databases: databases.infos().to_vec() })
}

#[derive(serde::Serialize)]
struct Shown<'seal> {
    repository: &'seal str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<&'seal str>,
    counter: u64,
    time: &'seal str,
    signer: &'seal str,
    entry: u64,
    /// Digest of the log's last entry.
    head: String,
    /// Digest of the envelope.
    seal: String,
    config_digest: String,
    layers: usize,
    files: u64,
    packages: u64,
    merkle_root: String,
}

fn shown(seal: &Seal) -> Shown<'_> {
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

fn show(seal: &Seal, format: StatusFormat) -> Result<(), Failure> {
    let Shown {
        counter,
        signer,
        entry,
        head,
        config_digest,
        layers,
        files,
        packages,
        merkle_root,
        ..
    } = shown(seal);
    if format == StatusFormat::Json {
        return output::print_json(&shown(seal));
    }
    let name = seal.statement.predicate.name();
    output::print_lines(|out| {
        writeln!(out, "Sealed    {name}  seal {counter}")?;
        writeln!(out, "Image     {config_digest}")?;
        let layers = counted(layers, "layer", "layers");
        let files = counted(files, "file", "files");
        let packages = counted(packages, "package", "packages");
        writeln!(out, "Content   {layers}, {files}, {packages}")?;
        writeln!(out, "Files     {merkle_root}")?;
        writeln!(out, "Signer    {signer}")?;
        writeln!(out, "Head      {head}  entry {entry}")
    })
}

/// What others need to check a seal without this program.
fn export(
    folder: &Path,
    seal: &Seal,
    record: &SealedRecord,
    key: &key::VerifyingKey,
) -> Result<(), Failure> {
    files::create_folders(folder)
        .map_err(|error| Failure::usage(format!("cannot make `{}`: {error}", folder.display())))?;
    let write = |name: &str, bytes: &[u8]| {
        output::write_whole(&folder.join(name), |out| out.write_all(bytes))
    };
    let envelope = &seal.envelope;
    write("statement.json", &envelope.payload)?;
    write("pae.bin", &seal::pae(&envelope.payload))?;
    write("envelope.json", &envelope.to_json().map_err(|error| failure(error.into()))?)?;
    write("record", record.stored())?;
    write("packages", record.stored_packages())?;
    for signature in &envelope.signatures {
        match key.allowed_signer() {
            Some(line) => {
                write("signature.sig", key::armored(&signature.bytes).as_bytes())?;
                write("allowed_signers", line.as_bytes())?;
            }
            None => {
                write("signature.bin", &signature.bytes)?;
                write("public.pem", key.to_text().as_bytes())?;
            }
        }
    }
    Ok(())
}

pub(crate) fn seals(world: &World, command: SealsCommand) -> Result<Exit, Failure> {
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
    let keys = store.trusted().map_err(failure)?;
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
