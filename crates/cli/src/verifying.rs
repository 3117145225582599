//! `lazaret verify`: holds an image or a container against its seal.

use crate::args::VerifyArgs;
use crate::exit::{self, Exit, Failure};
use crate::world::World;
use crate::{clock, failures, output, progress, seals, verdict};
use approval::Verification;
use report::Format;
use scan::ReadOptions;
use seal::{Store, VerifyingKey};

pub(crate) fn run(world: &World, args: &VerifyArgs) -> Result<Exit, Failure> {
    let store = seals::open(world)?;
    let keys = keys(&store, args)?;
    let options = ReadOptions {
        platform: args.platform.clone(),
        engines: world.engines(),
        registry: world.registry(),
        ..ReadOptions::default()
    };
    let repository = args.repository.as_deref();
    let verified = progress::while_reading(&world.printing, |progress| {
        Verification::new(&store, &keys, repository, &options, progress).verify(&args.reference)
    })
    .map_err(failures::approval)?;
    let report = verified.report(World::tool(), clock::today(clock::now())?);
    let format = world.default_format()?.unwrap_or(Format::TABLE);
    let to = output::of_subject(&args.output, &report.subject.name)?;
    output::deliver(&world.printing, &to, format, |format, style, out| {
        report::render(&report, format, style, out)
    })?;
    let formats = output::formats(&to, format);
    output::say_left_out(&world.printing, formats, std::slice::from_ref(&report), &[]);
    verdict::say_unprinted(world, &to, &report);
    Ok(exit::of_report(&report))
}

fn keys(store: &Store, args: &VerifyArgs) -> Result<Vec<VerifyingKey>, Failure> {
    if args.key.is_empty() {
        return store.trusted().map_err(failures::store);
    }
    let mut keys = Vec::new();
    for file in &args.key {
        let loaded = VerifyingKey::load(file).map_err(|error| Failure::new(Exit::Usage, error))?;
        keys.extend(loaded);
    }
    Ok(keys)
}
