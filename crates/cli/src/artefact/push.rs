//! `lazaret db push`.

use super::{Named, Place, layout};
use crate::exit::{Exit, Failure};
use crate::progress::Updating;
use crate::world::World;
use crate::{failures, output};
use advisories::artefact::{self, EMPTY, ENVELOPE_TYPE, Packed};
use image::{ImageError, Repository};
use seal::{Envelope, SigningKey};
use std::path::Path;
use vocabulary::{Ecosystem, counted};

/// Puts the database at a place, signed where there is a key. The tag is moved last, so that nobody who
/// follows it meets an artefact that is not whole, or not signed yet.
pub(crate) fn push_command(
    world: &World,
    folder: &Path,
    to: &str,
    key: Option<&Path>,
    names: &[String],
) -> Result<Exit, Failure> {
    let named = Named::of_argument(to);
    named.refuse_login()?;
    if named.pin.is_some() {
        let shown = &named.shown;
        return Err(Failure::usage(format!("`{shown}` names a digest; give a tag to push to")));
    }
    let agent = std::env::var_os("SSH_AUTH_SOCK").map(std::path::PathBuf::from);
    let key = key.map(|file| SigningKey::load(file, agent.as_deref()));
    let key = key.transpose().map_err(|error| Failure::new(Exit::Usage, error))?;
    let wanted: Vec<Ecosystem> = names.iter().map(|name| ecosystem(name)).collect();
    let packed = artefact::pack(folder, &wanted);
    let packed = packed.map_err(|error| Failure::new(Exit::NoDatabase, error))?;
    let signature = key.as_ref().map(|key| sign(&packed, key)).transpose()?;
    let pushed = match &named.place {
        Place::Registry(name) => to_registry(world, name, &packed, signature.as_ref())
            .map_err(|error| failures::scan(error.into())),
        Place::Folder(folder) => layout::write(folder, &packed, signature.as_ref())
            .map_err(|error| Failure::new(Exit::Usage, error)),
        Place::Url(_) => {
            return Err(Failure::usage(format!(
                "`{}` is read only; push to a folder, and let the web server give that out",
                named.shown
            )));
        }
    };
    let bytes = pushed?;
    tell(world, &named, &packed, bytes, key.as_ref());
    let shown = match &named.place {
        Place::Registry(name) => format!("oci://{}", repository_of(name)),
        _ => named.shown.clone(),
    };
    output::print_lines(|out| writeln!(out, "{shown}@{}", packed.digest))?;
    Ok(Exit::Clean)
}

/// The ecosystem of a name; KEV and EPSS are written in any case.
pub(super) fn ecosystem(name: &str) -> Ecosystem {
    advisories::RiskFeed::named(name).map_or_else(|| Ecosystem::new(name), |feed| feed.name())
}

/// Name without tag.
fn repository_of(name: &str) -> &str {
    match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => name,
    }
}

fn tell(world: &World, named: &Named, packed: &Packed, bytes: u64, key: Option<&SigningKey>) {
    let remark = |text: &str| world.printing.remark(text);
    for layer in &packed.layers {
        let records = counted(layer.records, "record", "records");
        remark(&format!("{}: {records}, {} bytes packed", layer.ecosystem, layer.bytes.len()));
    }
    let Packed { created, .. } = packed;
    match key.map(|key| key.public().fingerprint()) {
        Some(key) => remark(&format!("signed by {key}, {bytes} bytes sent, of {created}")),
        None => remark(&format!(
            "lazaret: warning: `{}` is not signed ({bytes} bytes sent, of {created}): it is taken only by its digest, or with --unsigned; sign it with --key",
            named.shown
        )),
    }
}

/// The manifest of the signature, and its envelope.
fn sign(packed: &Packed, key: &SigningKey) -> Result<(Vec<u8>, Vec<u8>), Failure> {
    let payload = artefact::statement::of(packed);
    let signature = key.sign(&seal::pae(&payload));
    let signature = signature.map_err(|error| Failure::new(Exit::Usage, error))?;
    let envelope = Envelope { payload, signatures: vec![signature] }.to_json();
    let envelope = envelope.map_err(|error| Failure::new(Exit::Internal, error))?;
    Ok((artefact::signature(packed, &envelope), envelope))
}

/// How many bytes of layers were uploaded.
fn to_registry(
    world: &World,
    name: &str,
    packed: &Packed,
    signature: Option<&(Vec<u8>, Vec<u8>)>,
) -> Result<u64, ImageError> {
    let (repository, reference) = Repository::to_write(name, &world.registry())?;
    let mut sent = 0;
    let mut put = |bytes: &[u8]| {
        if repository.put_blob(bytes)? {
            sent += bytes.len() as u64;
        }
        Ok::<_, ImageError>(())
    };
    let progress = Updating::new(&world.printing);
    for layer in &packed.layers {
        progress.sending(&layer.ecosystem, layer.bytes.len() as u64);
        put(&layer.bytes)?;
    }
    put(&packed.config)?;
    drop(progress);
    repository.put_manifest(None, &packed.manifest)?;
    if let Some((manifest, envelope)) = signature {
        for bytes in [EMPTY, envelope.as_slice()] {
            repository.put_blob(bytes)?;
        }
        repository.put_referrer(&packed.digest, ENVELOPE_TYPE, manifest)?;
    }
    repository.put_manifest(reference.tag.as_deref(), &packed.manifest)?;
    Ok(sent)
}
