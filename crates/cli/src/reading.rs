//! How subjects are read, by flags and configuration, and what is said of where they were found.

use crate::args::{Distro, ReadArgs, RecordArgs};
use crate::exit::Failure;
use crate::world::World;
use crate::{failures, output, progress, settings};
use scan::{Inventory, ReadOptions, RecordLevel};

/// Reads the subject that a command names.
pub(crate) fn read(
    world: &World,
    reference: &str,
    args: &ReadArgs,
    record: RecordArgs,
) -> Result<Inventory, Failure> {
    read_by(world, reference, &options_with_record(world, args, record)?)
}

/// Reads a subject, and says where it was found.
pub(crate) fn read_by(
    world: &World,
    reference: &str,
    options: &ReadOptions,
) -> Result<Inventory, Failure> {
    let inventory = progress::while_reading(&world.printing, |progress| {
        scan::read(reference, options, progress)
    })
    .map_err(failures::scan)?;
    say_source(world, &inventory);
    Ok(inventory)
}

/// Says where a bare name was found, and what makes reading slow.
pub(crate) fn say_source(world: &World, inventory: &Inventory) {
    if let Some(source) = &inventory.subject.source {
        world.printing.remark(&format!("lazaret: {}: from {source}", inventory.subject.name));
    }
    if let Some(packing) = inventory.source.packed {
        world.printing.remark(&format!(
            "lazaret: {}: packed with {packing}, which is unpacked anew for each layer: unpack it first to read it faster",
            output::plain(&inventory.subject.name)
        ));
    }
}

/// How subjects are read, and how much is said of their files.
pub(crate) fn options_with_record(
    world: &World,
    args: &ReadArgs,
    record: RecordArgs,
) -> Result<ReadOptions, Failure> {
    let files = match (record.file_digests, record.files) {
        (true, _) => RecordLevel::Digests,
        (false, true) => RecordLevel::Entries,
        (false, false) => RecordLevel::None,
    };
    Ok(ReadOptions { files, ..options(world, args)? })
}

/// How subjects are read, by flags and configuration.
pub(crate) fn options(world: &World, args: &ReadArgs) -> Result<ReadOptions, Failure> {
    let named = world.settings.platform.as_deref().map(str::parse).transpose();
    let named = named.map_err(|error: String| Failure::usage(error))?;
    let cache = args.cache_dir.clone().or_else(|| world.settings.cache_dir.clone());
    Ok(ReadOptions {
        platform: args.platform.clone().or(named),
        cache: if args.no_cache { None } else { cache.or_else(settings::default_cache) },
        reverify: args.reverify,
        engines: world.engines(),
        registry: world.registry(),
        distribution: args.distro.clone().map(|Distro(distribution)| distribution),
        kernel: Some(nix::sys::utsname::uname())
            .and_then(Result::ok)
            .map(|name| name.release().to_string_lossy().into_owned()),
        ..ReadOptions::default()
    })
}
