//! `lazaret affected CVE-…`: which running containers and which known images a vulnerability
//! concerns.

use crate::args::{AffectedArgs, OutputArgs, StatusFormat};
use crate::exit::{Exit, Failure};
use crate::world::World;
use crate::{clock, database, output, progress, reading};
use advisories::Databases;
use fleet::{Holdings, Question};
use report::Format;
use vocabulary::Outcome;

pub(crate) fn run(world: &World, args: &AffectedArgs) -> Result<Exit, Failure> {
    let id = args.id.parse().map_err(|error| Failure::new(Exit::Usage, error))?;
    let state = world.state()?;
    let options = reading::options(world, &args.read())?;
    let holdings = progress::while_reading(&world.printing, |progress| {
        Holdings::read(&options, &state, progress)
    });
    let now = clock::now();
    let needed = database::Needed::of(holdings.packages());
    let (databases, _) = database::for_scan(world, &args.database, &needed, now)?;
    let all = advisories::status(&world.db()?, now).into_iter();
    let all = all.map(|info| vocabulary::Ecosystem::new(&info.ecosystem));
    let all = Databases::open(&world.db()?, all, now);
    let question = Question {
        id: &id,
        databases: &databases,
        all: &all,
        state: &state,
        now,
        tool: &World::tool(),
    };
    let report = holdings.answer(&question);
    // The table is what is there for people unless they want quiet.
    let format = (args.format == StatusFormat::Json).then_some(Format::JSON);
    let to = OutputArgs { format, ..OutputArgs::default() };
    output::deliver(&world.printing, &to, Format::TABLE, |format, style, out| {
        report::render_affected(&report, format, style, out)
    })?;
    Ok(match report.outcome {
        Outcome::Pass => Exit::Clean,
        Outcome::Findings => Exit::Findings,
        // No line has a say in what is affected.
        Outcome::NoLine | Outcome::Incomplete => Exit::Incomplete,
    })
}
