//! What a command is run by, apart from its own arguments: places, engines, registries, and how it
//! prints, as flags, environment and configuration say.

use crate::args::Global;
use crate::config::{FormatSetting, Settings};
use crate::exit::{Exit, Failure};
use crate::output::Printing;
use crate::{forms, ours, settings};
use report::Format;
use std::path::PathBuf;
use std::sync::Arc;

/// What a command is run by, apart from its own arguments.
pub(crate) struct World {
    pub(crate) global: Global,
    pub(crate) settings: Settings,
    pub(crate) printing: Printing,
    /// Who runs the helpers that keep credentials; none where none is named.
    pub(crate) helpers: Option<Arc<dyn image::Helpers>>,
}

impl World {
    pub(crate) fn offline(&self) -> bool {
        self.global.offline.or(self.settings.offline).unwrap_or(false)
    }

    /// Where the database is, whoever else may write there.
    pub(crate) fn named_db(&self) -> Result<PathBuf, Failure> {
        match self.global.db.as_ref().or(self.settings.db.as_ref()) {
            Some(folder) => Ok(folder.clone()),
            None => settings::default_db(),
        }
    }

    /// The format that the configuration names: `LAZARET_FORMAT`, else its file.
    pub(crate) fn default_format(&self) -> Result<Option<Format>, Failure> {
        match &self.settings.format {
            None => Ok(None),
            Some(FormatSetting::BuiltIn(format)) => Ok(Some(*format)),
            Some(FormatSetting::Named(text)) => {
                forms::format(text).map(Some).map_err(Failure::usage)
            }
        }
    }

    /// The folder of the database.
    pub(crate) fn db(&self) -> Result<PathBuf, Failure> {
        let folder = self.named_db()?;
        let folder = ours::ours("database", "--db", folder)?;
        ours::ours("database", "--db", advisories::paths::version_folder(&folder))?;
        Ok(folder)
    }

    /// Where the engines listen.
    pub(crate) fn engines(&self) -> engine::Endpoints {
        let defaults = engine::Endpoints::default();
        let Self { global, settings, .. } = self;
        let docker = global.docker_host.as_ref().or(settings.docker_host.as_ref());
        let containerd =
            global.containerd_address.as_ref().or(settings.containerd_address.as_ref());
        let namespace =
            global.containerd_namespace.as_ref().or(settings.containerd_namespace.as_ref());
        engine::Endpoints {
            docker: docker.cloned().unwrap_or(defaults.docker),
            containerd: containerd.cloned().unwrap_or(defaults.containerd),
            namespace: namespace.cloned().unwrap_or(defaults.namespace),
            containerd_roots: match &global.containerd_root {
                Some(root) => vec![root.clone()],
                None => settings::roots("containerd", defaults.containerd_roots),
            },
            docker_root: global.docker_root.clone().unwrap_or(defaults.docker_root),
            podman_roots: match &global.podman_root {
                Some(root) => vec![root.clone()],
                None => settings::roots("containers/storage", defaults.podman_roots),
            },
        }
    }

    /// The folder of [`Self::state`]; none where there is no place for it.
    pub(crate) fn known_state(&self) -> Result<Option<PathBuf>, Failure> {
        let named = self.global.state.is_some() || self.settings.state.is_some();
        if !named && settings::default_state().is_err() {
            return Ok(None);
        }
        self.state().map(Some)
    }

    /// Where the state is, whoever else may write there.
    pub(crate) fn named_state(&self) -> Result<PathBuf, Failure> {
        match self.global.state.as_ref().or(self.settings.state.as_ref()) {
            Some(folder) => Ok(folder.clone()),
            None => settings::default_state(),
        }
    }

    /// The folder for seals (`seals`) and for what the agent saw (`usage`).
    pub(crate) fn state(&self) -> Result<PathBuf, Failure> {
        let folder = self.named_state()?;
        let folder = ours::ours("state folder", "--state", folder)?;
        ours::ours("folder of what the agent saw", "--state", folder.join("usage"))?;
        Ok(folder)
    }

    /// How registries are asked, and who we are to them.
    pub(crate) fn registry(&self) -> image::RegistryOptions {
        image::RegistryOptions {
            fetch: self.fetching(),
            plain_http: self.global.plain_http,
            credentials: image::Credentials {
                helpers: self.helpers.clone(),
                ..settings::registry_credentials()
            },
        }
    }

    pub(crate) fn fetching(&self) -> fetch::Options {
        let mut options = fetch::Options::from_environment(|name| std::env::var(name).ok());
        options.offline = self.offline();
        options.roots.added = self.global.ca_file.clone();
        options
    }

    pub(crate) fn client(&self) -> Result<fetch::Client, Failure> {
        fetch::Client::new(self.fetching()).map_err(|error| Failure::new(Exit::Usage, error))
    }

    pub(crate) fn tool() -> vocabulary::Tool {
        vocabulary::Tool {
            name: "lazaret".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}
