//! The configuration file and the folders of the user.
//!
//! Read once, at the start; nothing below wiring looks at the environment.

use crate::args::Color;
use crate::exit::Failure;
use std::path::{Path, PathBuf};

/// Bytes of a configuration file.
const CONFIG_BYTES: u64 = 1 << 20;

/// The configuration file of a folder.
const LOCAL_FILE: &str = "lazaret.toml";

/// What the configuration file may say. Flags and environment variables come first.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) color: Option<Color>,
    pub(crate) offline: Option<bool>,
    pub(crate) db: Option<PathBuf>,
    pub(crate) state: Option<PathBuf>,
    pub(crate) docker_host: Option<String>,
    pub(crate) containerd_address: Option<PathBuf>,
    pub(crate) containerd_namespace: Option<String>,
    pub(crate) db_source: Option<String>,
    pub(crate) kev: Option<String>,
    pub(crate) epss: Option<String>,
    pub(crate) cache_dir: Option<PathBuf>,
    pub(crate) platform: Option<String>,
    pub(crate) format: Option<String>,
    pub(crate) fail_on: Option<String>,
    pub(crate) fail_on_unknown: Option<bool>,
    pub(crate) fail_on_exploited: Option<bool>,
    pub(crate) allow_partial: Option<bool>,
    pub(crate) ignore_file: Option<PathBuf>,
    pub(crate) policy: Option<PathBuf>,
}

/// Reads the configuration file that was named, else `lazaret.toml` in this folder, else
/// `lazaret/config.toml` in the user's configuration folder, else none.
pub(crate) fn load(named: Option<&Path>) -> Result<Settings, Failure> {
    if let Some(file) = named {
        return read(file);
    }
    let here = Path::new(LOCAL_FILE);
    if here.is_file() {
        return read(here).and_then(of_this_folder);
    }
    match user_folder("XDG_CONFIG_HOME", ".config").map(|folder| folder.join("config.toml")) {
        Some(file) if file.is_file() => read(&file),
        _ => Ok(Settings::default()),
    }
}

/// A file that merely lies where the program was started may be part of somebody else's sources: it
/// has no say in whose seals are believed and which engines are asked.
fn of_this_folder(settings: Settings) -> Result<Settings, Failure> {
    let refused = [
        ("state", settings.state.is_some()),
        ("docker-host", settings.docker_host.is_some()),
        ("containerd-address", settings.containerd_address.is_some()),
        ("containerd-namespace", settings.containerd_namespace.is_some()),
    ];
    match refused.into_iter().find(|(_, given)| *given) {
        None => Ok(settings),
        Some((name, _)) => Err(Failure::usage(format!(
            "`{LOCAL_FILE}`: `{name}` is not taken from a file that was not asked for; move it to the \
             user's configuration file, or name this one with --config"
        ))),
    }
}

fn read(file: &Path) -> Result<Settings, Failure> {
    let text = read_text(file, CONFIG_BYTES)?;
    toml::from_str(&text).map_err(|error| {
        let reason = error.message().to_owned();
        let line = error
            .span()
            .map_or(1, |span| 1 + text.bytes().take(span.start).filter(|b| *b == b'\n').count());
        Failure::usage(format!("`{}`, line {line}: {reason}", file.display()))
    })
}

/// Reads a text file that the user named, up to a limit.
pub(crate) fn read_text(file: &Path, limit: u64) -> Result<String, Failure> {
    use std::io::Read as _;
    let fail = |error: std::io::Error| {
        Failure::usage(format!("cannot read `{}`: {error}", file.display()))
    };
    let mut text = String::new();
    std::fs::File::open(file)
        .map_err(fail)?
        .take(limit + 1)
        .read_to_string(&mut text)
        .map_err(fail)?;
    if text.len() as u64 > limit {
        return Err(Failure::usage(format!("`{}` is larger than {limit} bytes", file.display())));
    }
    Ok(text)
}

/// `$VARIABLE/lazaret`, else `$HOME/<fallback>/lazaret` (XDG Base Directory Specification).
fn user_folder(variable: &str, fallback: &str) -> Option<PathBuf> {
    let absolute =
        |text: std::ffi::OsString| Some(PathBuf::from(text)).filter(|path| path.is_absolute());
    let base = std::env::var_os(variable)
        .and_then(absolute)
        .or_else(|| Some(std::env::var_os("HOME").and_then(absolute)?.join(fallback)))?;
    Some(base.join("lazaret"))
}

/// Who we are to registries: `LAZARET_REGISTRY_…`, else Docker's `config.json` in `DOCKER_CONFIG` or
/// the user's folder.
pub(crate) fn registry_credentials() -> image::Credentials {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let folder = std::env::var_os("DOCKER_CONFIG")
        .filter(|folder| !folder.is_empty())
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".docker")));
    image::Credentials {
        token: set("LAZARET_REGISTRY_TOKEN").map(image::Secret::new),
        username: set("LAZARET_REGISTRY_USERNAME"),
        password: set("LAZARET_REGISTRY_PASSWORD").map(image::Secret::new),
        docker_config: folder.map(|folder| folder.join("config.json")),
        helpers: None,
    }
}

/// Stores of an engine: the user's own, below the folder for data, before those of the machine.
pub(crate) fn roots(own: &str, of_machine: Vec<PathBuf>) -> Vec<PathBuf> {
    let own = std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/share")))
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(own));
    own.into_iter().chain(of_machine).collect()
}

/// Where the database is by default.
pub(crate) fn default_db() -> Result<PathBuf, Failure> {
    cache_folder().map(|folder| folder.join("db"))
}

/// Where seals and what the agent saw are kept by default.
pub(crate) fn default_state() -> Result<PathBuf, Failure> {
    if nix::unistd::geteuid().is_root() {
        return Ok(PathBuf::from("/var/lib/lazaret"));
    }
    user_folder("XDG_STATE_HOME", ".local/state")
        .ok_or_else(|| Failure::usage("neither HOME nor XDG_STATE_HOME is set; give --state"))
}

/// Where facts are kept by default.
pub(crate) fn default_cache() -> Option<PathBuf> {
    cache_folder().ok().map(|folder| folder.join("facts"))
}

/// Where what archives publish is kept by default.
pub(crate) fn default_archives() -> Option<PathBuf> {
    cache_folder().ok().map(|folder| folder.join("archives"))
}

fn cache_folder() -> Result<PathBuf, Failure> {
    user_folder("XDG_CACHE_HOME", ".cache").ok_or_else(|| {
        Failure::usage("neither HOME nor XDG_CACHE_HOME is set; give --db and --cache-dir")
    })
}
