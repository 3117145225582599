//! `lazaret seal`: signs a record of an image as it is.

use crate::args::{SealArgs, StatusFormat};
use crate::exit::{Exit, Failure};
use crate::world::World;
use crate::{clock, failures, output, progress, reading, seals};
use approval::{Document, Whole};
use seal::{Name, Seal, SigningKey};
use std::path::Path;
use vocabulary::counted;

pub(crate) fn run(world: &World, args: &SealArgs) -> Result<Exit, Failure> {
    let agent = std::env::var_os("SSH_AUTH_SOCK").map(std::path::PathBuf::from);
    let key = SigningKey::load(&args.key, agent.as_deref())
        .map_err(|error| Failure::new(Exit::Usage, error))?;
    let options = reading::options(world, &args.subject.read)?;
    let reference = args.subject.reference.as_str();
    let whole = progress::while_reading(&world.printing, |progress| {
        Whole::read(reference, &options, progress)
    })
    .map_err(failures::approval)?;
    let name = whole.name(args.repository.as_deref()).map_err(failures::approval)?;
    let now = clock::now();
    let scanned = world.db().ok().and_then(|folder| whole.scanned(&folder, now));
    let mut store = seals::open(world)?;
    let sealed = whole.seal(&mut store, &key, &name, scanned, now).map_err(failures::approval)?;
    if let Some(folder) = &args.export {
        let record = store.load(&sealed).map_err(failures::store)?;
        let documents = approval::documents(&sealed, &record, key.public());
        let documents = documents.map_err(failures::approval);
        documents
            .and_then(|documents| export(folder, &documents))
            .map_err(|failure| not_exported(&name, &failure))?;
    }
    show(&sealed, args.format)?;
    Ok(Exit::Clean)
}

fn not_exported(name: &Name, failure: &Failure) -> Failure {
    let reason = &failure.error;
    let error = anyhow::anyhow!("{name} is sealed, but the seal was not exported: {reason}");
    Failure { exit: failure.exit, error }
}

fn export(folder: &Path, documents: &[Document<'_>]) -> Result<(), Failure> {
    files::create_folders(folder)
        .map_err(|error| Failure::usage(format!("cannot make `{}`: {error}", folder.display())))?;
    documents.iter().try_for_each(|Document { name, bytes }| {
        output::write_whole(&folder.join(name), |out| out.write_all(bytes))
    })
}

fn show(seal: &Seal, format: StatusFormat) -> Result<(), Failure> {
    let seals::Shown {
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
    } = seals::shown(seal);
    if format == StatusFormat::Json {
        return output::print_json(&seals::shown(seal));
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
