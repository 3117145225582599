//! `lazaret db pull`, and updates whose source is an artefact.

use super::push::ecosystem;
use super::source::Source;
use super::{Named, Trust};
use crate::args::TrustArgs;
use crate::exit::{Exit, Failure};
use crate::progress::Updating;
use crate::world::World;
use crate::{clock, updates};
use advisories::artefact::{self, Contents, PullOptions, Pulled};
use advisories::{Changed, RiskFeed, RiskUpdated};
use std::cell::OnceCell;
use std::path::Path;
use vocabulary::Ecosystem;

/// An artefact that databases are taken from, and whom to believe.
pub(crate) struct Taking {
    pub(crate) named: Named,
    trust: Trust,
    /// What was found there: one command asks once.
    opened: OnceCell<(Source, Contents)>,
}

impl Taking {
    /// # Errors
    /// Where nothing says whom to believe, or a key cannot be read.
    pub(crate) fn new(world: &World, named: Named, args: &TrustArgs) -> Result<Self, Failure> {
        let trust = Trust::of(world, &named, args)?;
        Ok(Self { named, trust, opened: OnceCell::new() })
    }

    /// What the source of a command is, where it is an artefact.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(crate) fn of_source(
        world: &World,
        source: Option<&str>,
        args: &TrustArgs,
    ) -> Result<Option<Self>, Failure> {
        let named = Named::of_world(world, source);
        named.map(|named| Self::new(world, named, args)).transpose()
    }

    /// Takes the named databases, or all.
    pub(crate) fn pull(
        &self,
        world: &World,
        folder: &Path,
        wanted: &[Ecosystem],
    ) -> Result<Pulled, anyhow::Error> {
        let (source, contents) = self.opened(world)?;
        let options = PullOptions { allow_older: self.trust.allow_older, now: clock::now() };
        let progress = Updating::new(&world.printing);
        Ok(artefact::pull(folder, contents, wanted, source, options, &progress)?)
    }

    fn opened(&self, world: &World) -> Result<&(Source, Contents), anyhow::Error> {
        if let Some(opened) = self.opened.get() {
            return Ok(opened);
        }
        let Self { named, trust, .. } = self;
        if trust.unsigned && named.pin.is_none() {
            world.printing.remark(&format!(
                "lazaret: warning: `{}` is taken unsigned: whoever may write there decides what is found",
                named.shown
            ));
        }
        let source = Source::open(world, named)?;
        let contents = source.contents(named, trust)?;
        Ok(self.opened.get_or_init(|| (source, contents)))
    }

    /// Takes one feed about exploitation.
    pub(crate) fn pull_feed(
        &self,
        world: &World,
        folder: &Path,
        feed: RiskFeed,
    ) -> Result<RiskUpdated, anyhow::Error> {
        let updates = self.pull(world, folder, &[feed.name()])?.updates;
        let update = updates.first();
        let records = update.and_then(|update| update.manifest.as_ref()).map_or(0, |it| it.records);
        Ok(match update.map(|update| &update.changed) {
            Some(Changed::NotThere) | None => RiskUpdated::NotThere,
            Some(Changed::Unchanged) => RiskUpdated::Unchanged(records),
            Some(_) => RiskUpdated::Built(records),
        })
    }

    /// The same for a command, which says what became of each.
    ///
    /// # Errors
    /// Where they cannot be taken.
    pub(crate) fn run(
        &self,
        world: &World,
        folder: &Path,
        names: &[String],
    ) -> Result<Exit, Failure> {
        let wanted: Vec<Ecosystem> = names.iter().map(|name| ecosystem(name)).collect();
        let pulled = self
            .pull(world, folder, &wanted)
            .map_err(|error| Failure::new(Exit::NoDatabase, error))?;
        let exit = updates::show(world, &pulled.updates, &wanted);
        for (ecosystem, time) in &pulled.kept {
            world.printing.remark(&format!(
                "lazaret: warning: `{}` does not have {ecosystem}: that of {time} is kept as it is",
                self.named.shown
            ));
        }
        let (source, contents) =
            self.opened(world).map_err(|error| Failure::new(Exit::Internal, error))?;
        if clock::now().duration_since(contents.created) > advisories::manifest::FRESH {
            world.printing.remark(&format!(
                "lazaret: warning: `{}` is of {}, older than a day",
                self.named.shown, contents.created
            ));
        }
        let bytes = pulled.bytes.saturating_add(source.fetched());
        world.printing.remark(&format!("fetched {bytes} bytes from `{}`", self.named.shown));
        Ok(exit)
    }
}

pub(crate) fn pull_command(
    world: &World,
    folder: &Path,
    from: &str,
    trust: &TrustArgs,
    names: &[String],
) -> Result<Exit, Failure> {
    Taking::new(world, Named::of_argument(from), trust)?.run(world, folder, names)
}
