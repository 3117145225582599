//! `lazaret verify`: holds an image or a container against its seal.
//!
//! Three questions, in this order: does the seal hold, is the image the one that was sealed last under
//! this name, and are its files those that were sealed. For a container a fourth: what was written
//! since it was made. What could not be asked is said in the coverage, and is never a pass.

use crate::World;
use crate::args::VerifyArgs;
use crate::exit::{Exit, Failure};
use crate::scanning::default_format;
use crate::sealing::{failure, open, repository};
use crate::{output, progress, sbom};
use policy::Policy;
use report::Format;
use scan::{Inventory, ReadOptions, RecordLevel};
use seal::{Baseline, Comparison, Differences, Part, Seal, Store, VerifyingKey, compare, finding};
use vocabulary::{Coverage, Finding, Problem, Report, SubjectKind, Summary, report::SCHEMA};

/// Checks of a scan that say how far the files were read. Those of packages are no part of this.
const READING: [&str; 3] = ["layers", "walk", "files"];

pub(crate) fn run(world: &World, args: &VerifyArgs) -> Result<Exit, Failure> {
    let store = open(world)?;
    let verification = Verification {
        keys: keys(&store, args)?,
        store,
        options: ReadOptions {
            platform: args.platform.clone(),
            files: RecordLevel::Digests,
            engines: world.engines(),
            ..ReadOptions::default()
        },
        world,
        args,
    };
    let outcome = match args.reference.strip_prefix("container:") {
        Some(name) => verification.container(name)?,
        None => verification.image()?,
    };
    deliver(world, args, outcome)
}

fn keys(store: &Store, args: &VerifyArgs) -> Result<Vec<VerifyingKey>, Failure> {
    if args.key.is_empty() {
        return store.trusted().map_err(failure);
    }
    let mut keys = Vec::new();
    for file in &args.key {
        let loaded = VerifyingKey::load(file).map_err(|error| Failure::new(Exit::Usage, error))?;
        keys.extend(loaded);
    }
    Ok(keys)
}

/// What verifying came to.
struct Outcome {
    inventory: Inventory,
    findings: Vec<Finding>,
    coverage: Vec<Coverage>,
}

impl Outcome {
    fn of(mut inventory: Inventory) -> Self {
        let findings = std::mem::take(&mut inventory.findings);
        let coverage = std::mem::take(&mut inventory.coverage)
            .into_iter()
            .filter(|coverage| READING.contains(&coverage.check.as_str()))
            .collect();
        Self { inventory, findings, coverage }
    }

    fn takes(&mut self, what: &str, differences: Differences) {
        self.coverage.push(covered(what, &differences));
        self.findings.extend(differences.findings);
    }
}

struct Verification<'run> {
    store: Store,
    keys: Vec<VerifyingKey>,
    options: ReadOptions,
    world: &'run World,
    args: &'run VerifyArgs,
}

impl Verification<'_> {
    fn image(&self) -> Result<Outcome, Failure> {
        let reference = self.args.reference.as_str();
        let inventory = progress::while_reading(&self.world.printing, |progress| {
            scan::read(reference, &self.options, progress)
        })
        .map_err(sbom::failure)?;
        if inventory.subject.kind != SubjectKind::Image {
            return Err(Failure::usage(format!(
                "`{reference}` is no image; give an image, or container:NAME"
            )));
        }
        let mut outcome = Outcome::of(inventory);
        let repository = repository(self.args.repository.as_deref(), &outcome.inventory.subject)?;
        self.against_seal(&repository, &mut outcome);
        Ok(outcome)
    }

    fn container(&self, name: &str) -> Result<Outcome, Failure> {
        let _ = name;
        Err(Failure::usage("containers cannot be verified yet"))
    }

    /// The image against the seals of its name.
    fn against_seal(&self, repository: &str, outcome: &mut Outcome) {
        outcome.findings.extend(self.store.damages());
        let Inventory { subject, layers, .. } = &outcome.inventory;
        let config = subject.config_digest.as_ref();
        let Some(standing) = seal::standing(&self.store, repository, config, layers) else {
            let reason = format!("`{repository}` was never sealed here; see `lazaret seal`");
            outcome.coverage.push(Coverage::skipped("seal", reason));
            return;
        };
        outcome.findings.extend(standing.findings);
        let mut holds = true;
        let twice = standing.newest.entry == standing.baseline.entry;
        for seal in [standing.newest, standing.baseline].into_iter().skip(usize::from(twice)) {
            if let Err(error) = seal.verify(&self.keys) {
                outcome.findings.push(finding::signature(seal, &error));
                holds = false;
            }
        }
        outcome.coverage.push(Coverage::ran("seal"));
        if holds {
            self.files_against(standing.baseline, outcome);
        } else {
            let reason = "the seal does not hold: nothing can be held against it";
            outcome.coverage.push(Coverage::skipped("sealed-files", reason));
        }
    }

    fn files_against(&self, seal: &Seal, outcome: &mut Outcome) {
        let loaded = self.store.load(seal).and_then(|record| {
            let packages = record.packages()?;
            Ok((record, packages))
        });
        let (record, packages) = match loaded {
            Ok(loaded) => loaded,
            Err(error) => {
                outcome.findings.push(finding::document(seal, &error));
                outcome.coverage.push(Coverage::failed("sealed-files", error.to_string()));
                return;
            }
        };
        let Inventory { layers, files, .. } = &outcome.inventory;
        let by = Comparison {
            baseline: Baseline::Seal,
            part: &|_| Part::Image,
            packages: &packages,
            layers,
        };
        let differences = compare(record.files(), files, &by);
        outcome.takes("sealed-files", differences);
    }
}

/// How far files were held against each other.
fn covered(what: &str, differences: &Differences) -> Coverage {
    let Differences { left_out, excused, unread, compared, .. } = differences;
    let problems = unread.iter().map(|path| Problem {
        path: path.clone(),
        layer: None,
        reason: "its content could not be read".to_owned(),
    });
    let mut coverage = Coverage::with_problems(what, problems.collect());
    let mut remarks = vec![format!("{compared} files")];
    if !excused.is_empty() {
        remarks.push(format!("{} that the engine makes itself left out", excused.len()));
    }
    if *left_out > 0 {
        remarks.push(format!("{left_out} more differences are not listed"));
    }
    coverage.reason = Some(remarks.join(", "));
    coverage
}

fn deliver(world: &World, args: &VerifyArgs, outcome: Outcome) -> Result<Exit, Failure> {
    let Outcome { inventory, findings, mut coverage } = outcome;
    let Inventory { subject, distribution, layers, packages, .. } = inventory;
    coverage.sort_by(|left, right| left.check.cmp(&right.check));
    let today = sbom::today(World::now())?;
    let judgement = policy::decide(&Policy::of_verification(), findings, &coverage, today);
    let summary = Summary::count(judgement.open(), &packages);
    let report = Report {
        schema: SCHEMA.to_owned(),
        tool: World::tool(),
        subject,
        distribution,
        layers,
        packages,
        findings: judgement.findings,
        coverage,
        databases: Vec::new(),
        summary,
        decision: judgement.decision,
        files: Vec::new(),
    };
    let format = default_format(world)?.unwrap_or(Format::Table);
    output::deliver(&world.printing, &args.output, format, |format, style, out| {
        report::render(&report, format, style, out)
    })?;
    Ok(sbom::exit_of(report.decision.outcome))
}
