//! `lazaret sbom`: the packages of a subject.

use crate::World;
use crate::args::{ReadArgs, RecordArgs, SbomArgs};
use crate::distro::Distro;
use crate::exit::{Exit, Failure};
use crate::scanning::default_format;
use crate::{exit, output, progress, settings, verdict};
use engine::EngineError;
use fetch::FetchError;
use image::{ImageError, RegistryError};
use report::Format;
use scan::{
    Assessment, BillError, Elsewhere, Inventory, Judging, ReadOptions, RecordLevel, ScanError,
};
use vocabulary::Outcome;

pub(crate) fn run(world: &World, args: &SbomArgs) -> Result<Exit, Failure> {
    if !args.more.is_empty() {
        return Err(Failure::usage(
            "`lazaret sbom` takes one subject; run it for each, or give them all to `lazaret scan`, with -o cyclonedx={name}.cdx.json",
        ));
    }
    output::refuse_snapshot_of_nothing(&args.output)?;
    let named = args.output.output.iter().filter_map(|output| output.format);
    if let Some(format) =
        args.output.format.into_iter().chain(named).find(|own| !own.has_packages())
    {
        return Err(Failure::usage(report::no_packages(format)));
    }
    let inventory = read(world, &args.subject.reference, &args.subject.read, args.record)?;
    let policy = policy::Policy {
        allow_partial: args.allow_partial,
        matter: policy::Matter::Packages,
        ..policy::Policy::default()
    };
    let assessment = Assessment {
        tool: World::tool(),
        matching: None,
        elsewhere: Elsewhere::default(),
        judging: Judging { policy: &policy, today: today(World::now())? },
    };
    let report = scan::assess(inventory, &assessment);
    // A configured format that has no form for packages is meant for scans.
    let configured = default_format(world)?.filter(|format| format.has_packages());
    output::deliver(
        &world.printing,
        &output::of_subject(&args.output, &report.subject.name)?,
        configured.unwrap_or(Format::Table),
        |format, style, out| report::render_packages(&report, format, style, out),
    )?;
    verdict::say_gaps(world, &report);
    Ok(exit::of_report(&report))
}

/// Reads the subject that a command names.
pub(crate) fn read(
    world: &World,
    reference: &str,
    args: &ReadArgs,
    record: RecordArgs,
) -> Result<Inventory, Failure> {
    read_by(world, reference, &read_options_of(world, args, record)?)
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
    .map_err(failure)?;
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
pub(crate) fn read_options_of(
    world: &World,
    args: &ReadArgs,
    record: RecordArgs,
) -> Result<ReadOptions, Failure> {
    let files = match (record.file_digests, record.files) {
        (true, _) => RecordLevel::Digests,
        (false, true) => RecordLevel::Entries,
        (false, false) => RecordLevel::None,
    };
    Ok(ReadOptions { files, ..read_options(world, args)? })
}

/// How subjects are read, by flags and configuration.
pub(crate) fn read_options(world: &World, args: &ReadArgs) -> Result<ReadOptions, Failure> {
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

/// An input that is not there is a wrong argument; one that cannot be read was not scanned.
pub(crate) fn failure(error: ScanError) -> Failure {
    let cause = match &error {
        ScanError::Image(cause) => cause,
        ScanError::Bill(BillError::Unread { .. }) => return Failure::new(Exit::Incomplete, error),
        ScanError::Bill(_) | ScanError::NotABill(_) | ScanError::Cache { .. } => {
            return Failure::new(Exit::Usage, error);
        }
    };
    let exit = match cause {
        ImageError::Read { .. }
        | ImageError::Unrecognised(_)
        | ImageError::Packed { .. }
        | ImageError::Scheme { .. }
        | ImageError::Layout { .. }
        | ImageError::Ambiguous { .. }
        | ImageError::NoMatch { .. }
        | ImageError::Nowhere { .. } => Exit::Usage,
        ImageError::Document { .. }
        | ImageError::Missing { .. }
        | ImageError::Discarded { .. }
        | ImageError::Limit { .. }
        | ImageError::Spool { .. }
        | ImageError::Digest { .. } => Exit::Incomplete,
        ImageError::Engine(cause) => engine_exit(cause),
        ImageError::Registry(cause) => registry_exit(cause),
    };
    Failure::new(exit, error)
}

/// The same of engines: a name that is none, or an engine that may not or cannot be asked, is a wrong
/// argument.
pub(crate) const fn engine_exit(cause: &EngineError) -> Exit {
    match cause {
        EngineError::Address(_)
        | EngineError::NotThere { .. }
        | EngineError::Denied { .. }
        | EngineError::NoImage { .. }
        | EngineError::NoContainer { .. }
        | EngineError::Store { .. }
        | EngineError::Reference(_) => Exit::Usage,
        EngineError::Connection { .. }
        | EngineError::Timeout { .. }
        | EngineError::Refused { .. }
        | EngineError::Answer { .. }
        | EngineError::Limit { .. }
        | EngineError::FileSystem { .. }
        | EngineError::Read { .. }
        | EngineError::Write { .. } => Exit::Incomplete,
    }
}

/// And of registries.
const fn registry_exit(cause: &RegistryError) -> Exit {
    match cause {
        RegistryError::Fetch {
            source: FetchError::Offline { .. } | FetchError::Url { .. },
            ..
        }
        | RegistryError::Denied { .. }
        | RegistryError::NotPrivate { .. }
        | RegistryError::SpeaksTls { .. }
        | RegistryError::NotFound { .. }
        | RegistryError::Config { .. }
        | RegistryError::ForNobody { .. }
        | RegistryError::Helper { .. } => Exit::Usage,
        RegistryError::Fetch { .. }
        | RegistryError::TooMany { .. }
        | RegistryError::Status { .. }
        | RegistryError::Login { .. }
        | RegistryError::Broken { .. } => Exit::Incomplete,
    }
}

pub(crate) fn exit_of(outcome: Outcome) -> Exit {
    match outcome {
        // What nobody drew a line for is no failure, and what is printed says that it is no pass.
        Outcome::Pass | Outcome::NoLine => Exit::Clean,
        Outcome::Findings => Exit::Findings,
        Outcome::Incomplete => Exit::Incomplete,
    }
}

/// The day of a moment, in UTC.
pub(crate) fn today(now: jiff::Timestamp) -> Result<policy::Date, Failure> {
    let text = now.strftime("%Y-%m-%d").to_string();
    text.parse().map_err(|error: policy::DateError| Failure::new(Exit::Internal, error))
}
