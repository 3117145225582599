//! What distributions' archives are asked by, as flags say.

use crate::args::ScanArgs;
use crate::exit::Failure;
use crate::settings;
use crate::world::World;
use freshness::openpgp::Keyring;
use freshness::{Asked, Freshness, Means};
use jiff::Timestamp;
use scan::Inventory;
use std::path::PathBuf;

/// Bytes of a keyring.
const KEYRING_BYTES: u64 = 8 << 20;

/// The means to ask archives.
pub(crate) struct Archives {
    client: fetch::Client,
    cache: Option<PathBuf>,
    mirror: Option<String>,
    keyring: Keyring,
}

impl Archives {
    /// None where freshness was not asked for.
    pub(crate) fn of(world: &World, args: &ScanArgs) -> Result<Option<Self>, Failure> {
        let wanted = &args.freshness;
        if !wanted.freshness {
            return match (&wanted.archive_mirror, wanted.keyring.as_slice()) {
                (_, [_, ..]) => Err(Failure::usage("`--keyring` goes with `--freshness`")),
                _ => Ok(None),
            };
        }
        let mirror = wanted.archive_mirror.clone();
        if let Some(url) = &mirror
            && !(url.starts_with("http://") || url.starts_with("https://"))
        {
            return Err(Failure::usage(format!(
                "`{}` is no mirror of an archive; give a URL, http:// or https://",
                fetch::redact(url)
            )));
        }
        let mut keyring = Keyring::default();
        for file in &wanted.keyring {
            let bytes = settings::read(file, KEYRING_BYTES)?;
            keyring
                .add(&bytes)
                .map_err(|error| Failure::usage(format!("`{}`: {error}", file.display())))?;
        }
        let named = args.read.cache_dir.as_ref().or(world.settings.cache_dir.as_ref());
        let cache = match (args.read.no_cache, named) {
            (true, _) => None,
            (false, Some(folder)) => Some(folder.join("archives")),
            (false, None) => settings::default_archives(),
        };
        let cache =
            cache.map(|folder| crate::ours::ours("cache", "--cache-dir", folder)).transpose()?;
        Ok(Some(Self { client: world.client()?, cache, mirror, keyring }))
    }

    /// Asks for one subject.
    pub(crate) fn ask(&self, inventory: &Inventory, now: Timestamp) -> Freshness {
        let asked = Asked {
            distribution: inventory.software.distribution.as_ref(),
            packages: &inventory.software.packages,
            sources: &inventory.apt.sources,
            keyrings: &inventory.apt.keyrings,
        };
        let means = Means {
            client: &self.client,
            cache: self.cache.as_deref(),
            mirror: self.mirror.as_deref(),
            keyring: &self.keyring,
            now,
        };
        freshness::check(&asked, &means)
    }
}
