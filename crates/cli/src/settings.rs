//! The folders of the user, and who we are.
//!
//! Read once, at the start; nothing below wiring looks at the environment.

use crate::exit::Failure;
use std::path::{Path, PathBuf};

/// Reads a text file that the user named, up to a limit.
pub(crate) fn read_text(file: &Path, limit: u64) -> Result<String, Failure> {
    let text = String::from_utf8(read(file, limit)?).map_err(|_| {
        let file = file.display();
        Failure::usage(format!("cannot read `{file}`: stream did not contain valid UTF-8"))
    })?;
    Ok(text.strip_prefix(crate::found::BYTE_ORDER_MARK).map(str::to_owned).unwrap_or(text))
}

/// Reads a file that the user named, up to a limit.
pub(crate) fn read(file: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    files::read(file, limit).map_err(|error| match error.kind() {
        std::io::ErrorKind::FileTooLarge => {
            Failure::usage(format!("`{}` is larger than {limit} bytes", file.display()))
        }
        _ => Failure::usage(format!("cannot read `{}`: {error}", file.display())),
    })
}

/// `$VARIABLE/lazaret`, else `$HOME/<fallback>/lazaret` (XDG Base Directory Specification).
pub(crate) fn user_folder(variable: &str, fallback: &str) -> Option<PathBuf> {
    let absolute =
        |text: std::ffi::OsString| Some(PathBuf::from(text)).filter(|path| path.is_absolute());
    let base = std::env::var_os(variable)
        .and_then(absolute)
        .or_else(|| Some(std::env::var_os("HOME").and_then(absolute)?.join(fallback)))?;
    Some(base.join("lazaret"))
}

/// Who we are to registries: `LAZARET_REGISTRY_…` to those that `LAZARET_REGISTRY` names, else Docker's
/// `config.json` in `DOCKER_CONFIG` or the user's folder.
pub(crate) fn registry_credentials() -> image::Credentials {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let named = std::env::var_os("DOCKER_CONFIG").filter(|folder| !folder.is_empty());
    let docker_config_found = named.is_none();
    let folder = named
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".docker")));
    let registries = set("LAZARET_REGISTRY").unwrap_or_default();
    let registries = registries.split(',').map(|name| name.trim().to_owned());
    image::Credentials {
        registries: registries.filter(|name| !name.is_empty()).collect(),
        token: set("LAZARET_REGISTRY_TOKEN").map(image::Secret::new),
        username: set("LAZARET_REGISTRY_USERNAME"),
        password: set("LAZARET_REGISTRY_PASSWORD").map(image::Secret::new),
        docker_config: folder.map(|folder| folder.join("config.json")),
        docker_config_found,
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
