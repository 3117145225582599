//! Who we are to a registry: what the caller gives, else what Docker's `config.json` has.
//!
//! Sources: `docker login` and "Credential helpers" of Docker's command line. A host's own helper goes
//! first, then the store for all, then what stands in the file itself.

use super::helper::{self, Helpers};
use crate::error::RegistryError;
use base64::Engine as _;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes of `config.json`.
const CONFIG_BYTES: u64 = 1 << 20;

/// What Docker's tools call Docker Hub, for historic reasons.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// A user name that says that the password is a refresh token.
const TOKEN_USER: &str = "<token>";

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a secret.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// Where credentials come from; the first that is set counts.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// The registries that token, name and password are for, by the names that references give them.
    /// They are sent to no other; for all others the configuration counts.
    pub registries: Vec<String>,
    /// A token, sent to the registry as it is.
    pub token: Option<Secret>,
    /// A user's name.
    pub username: Option<String>,
    /// The password that belongs to it.
    pub password: Option<Secret>,
    /// Docker's `config.json`, if it exists.
    pub docker_config: Option<PathBuf>,
    /// Nobody named it: it is believed only where nobody else may write it, for it names programs that
    /// are started.
    pub docker_config_found: bool,
    /// Who runs the helpers that it names; the process itself where there is nobody.
    pub helpers: Option<Arc<dyn Helpers>>,
}

/// What there is for one registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Credential {
    Password {
        username: String,
        password: Secret,
    },
    /// Exchanged for a token of the registry (OAuth 2).
    Refresh(Secret),
    /// A token of the registry.
    Bearer(Secret),
}

impl Credential {
    /// The value of `Authorization` for name and password.
    pub(super) fn basic(username: &str, password: &Secret) -> Secret {
        let pair = format!("{username}:{}", password.reveal());
        Secret(format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(pair)))
    }

    fn of_login(username: String, secret: String) -> Option<Self> {
        match (username.as_str(), secret.is_empty()) {
            (_, true) => None,
            (TOKEN_USER, _) => Some(Self::Refresh(Secret(secret))),
            _ => Some(Self::Password { username, password: Secret(secret) }),
        }
    }
}

impl Credentials {
    /// What there is for a registry, by the name that references give it.
    pub(super) fn of(&self, host: &str) -> Result<Option<Credential>, RegistryError> {
        if self.are_for(host)? {
            if let Some(token) = &self.token {
                return Ok(Some(Credential::Bearer(token.clone())));
            }
            if let (Some(username), Some(password)) = (&self.username, &self.password) {
                let (username, password) = (username.clone(), password.clone());
                return Ok(Some(Credential::Password { username, password }));
            }
        }
        match &self.docker_config {
            Some(path) => {
                from_config(path, self.docker_config_found, host, self.helpers.as_deref())
            }
            None => Ok(None),
        }
    }

    /// The token that is given for a registry.
    pub(super) fn token_of(&self, host: &str) -> Result<Option<&Secret>, RegistryError> {
        let theirs = self.are_for(host)?;
        Ok(self.token.as_ref().filter(|_| theirs))
    }

    /// Whether what is given is for this registry. Without a word on that it is for none: whoever makes
    /// us read an image of theirs would get it.
    fn are_for(&self, host: &str) -> Result<bool, RegistryError> {
        let given = self.token.is_some() || self.username.is_some() || self.password.is_some();
        if !given {
            return Ok(false);
        }
        if self.registries.is_empty() {
            return Err(RegistryError::ForNobody { host: host.to_owned() });
        }
        let names = names(host);
        let same = |given: &String| {
            let given = bare(given.trim()).to_ascii_lowercase();
            names.iter().any(|name| name.eq_ignore_ascii_case(&given))
        };
        Ok(self.registries.iter().any(same))
    }
}

/// Docker's `config.json`, as far as it concerns credentials.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Config {
    auths: BTreeMap<String, Login>,
    cred_helpers: BTreeMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Login {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

fn from_config(
    path: &Path,
    found: bool,
    host: &str,
    helpers: Option<&dyn Helpers>,
) -> Result<Option<Credential>, RegistryError> {
    let wrong = |reason: String| RegistryError::Config { path: path.to_owned(), reason };
    let read = match found {
        // In a folder that we may not enter nothing is ours.
        true if is_out_of_reach(path) => Ok(None),
        true => files::read_trusted(path, CONFIG_BYTES).map(|read| read.map(|read| read.content)),
        false => match files::read(path, CONFIG_BYTES) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        },
    };
    let Some(bytes) = read.map_err(|error| wrong(error.to_string()))? else { return Ok(None) };
    // serde's own words may quote the file.
    let config: Config = serde_json::from_slice(&bytes).map_err(|error| {
        wrong(format!("it is not proper JSON (line {}, column {})", error.line(), error.column()))
    })?;
    let names = names(host);
    let own = names.iter().find_map(|name| config.cred_helpers.get(name));
    if let Some(program) = own.or(config.creds_store.as_ref()).filter(|name| !name.is_empty()) {
        let server = if host == "docker.io" { DOCKER_HUB } else { host };
        if let Some((username, secret)) = helper::get(program, server, helpers)? {
            return Ok(Credential::of_login(username, secret));
        }
    }
    let same = |(key, _): &(&String, &Login)| names.iter().any(|name| *name == bare(key));
    match config.auths.iter().find(same) {
        Some((_, login)) => login.credential().map_err(|reason| wrong(reason.to_owned())),
        None => Ok(None),
    }
}

fn is_out_of_reach(path: &Path) -> bool {
    let asked = std::fs::symlink_metadata(path);
    asked.is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
}

impl Login {
    fn credential(&self) -> Result<Option<Credential>, &'static str> {
        let set = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        if let Some(token) = set(&self.registrytoken) {
            return Ok(Some(Credential::Bearer(Secret(token))));
        }
        if let Some(token) = set(&self.identitytoken) {
            return Ok(Some(Credential::Refresh(Secret(token))));
        }
        if let (Some(username), Some(password)) = (set(&self.username), set(&self.password)) {
            return Ok(Credential::of_login(username, password));
        }
        let Some(auth) = set(&self.auth) else { return Ok(None) };
        let wrong = "an `auth` in it is not the base64 of NAME:PASSWORD";
        let pair = base64::prelude::BASE64_STANDARD.decode(auth.trim()).map_err(|_| wrong)?;
        let pair = String::from_utf8(pair).map_err(|_| wrong)?;
        let (username, password) = pair.split_once(':').ok_or(wrong)?;
        // Old tools padded with NUL.
        let password = password.trim_end_matches('\0');
        Ok(Credential::of_login(username.to_owned(), password.to_owned()))
    }
}

/// What the file may call a registry.
fn names(host: &str) -> Vec<String> {
    match host {
        "docker.io" => ["index.docker.io", "docker.io", "registry-1.docker.io", DOCKER_HUB]
            .map(str::to_owned)
            .to_vec(),
        host => vec![host.to_owned()],
    }
}

/// The host of a key of `auths`, which may be a URL with the path of an API version. A key with any
/// other path, as Podman knows them for parts of a registry, is none of a registry as a whole.
fn bare(key: &str) -> &str {
    let rest = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://"));
    let rest = rest.unwrap_or(key);
    match rest.split_once('/') {
        Some((host, "" | "v1" | "v1/" | "v2" | "v2/")) => host,
        _ => rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(config: &str, host: &str) -> Result<Option<Credential>, RegistryError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), config).unwrap();
        let docker_config = Some(file.path().to_owned());
        Credentials { docker_config, ..Credentials::default() }.of(host)
    }

    fn password(username: &str, password: &str) -> Option<Credential> {
        let password = Secret::new(password.to_owned());
        Some(Credential::Password { username: username.to_owned(), password })
    }

    #[test]
    fn logins_are_found_by_host_and_by_no_other() {
        let config = r#"{"auths":{
            "https://index.docker.io/v1/":{"auth":"aHViOnMzY3JldA=="},
            "registry.test:5000":{"auth":"bWU6cGE6c3M="},
            "http://old.test/v2/":{"username":"u","password":"p"},
            "registry.test/team":{"auth":"dGVhbTp4"},
            "token.test":{"auth":"PHRva2VuPjp4","identitytoken":"refresh"},
            "direct.test":{"registrytoken":"bearer"},
            "empty.test":{}}, "HttpHeaders":{}}"#;
        let find = |host| of(config, host).unwrap();
        assert_eq!(find("docker.io"), password("hub", "s3cret"));
        assert_eq!(find("registry.test:5000"), password("me", "pa:ss"));
        assert_eq!(find("old.test"), password("u", "p"));
        assert_eq!(
            find("token.test"),
            Some(Credential::Refresh(Secret::new("refresh".to_owned())))
        );
        assert_eq!(find("direct.test"), Some(Credential::Bearer(Secret::new("bearer".to_owned()))));
        for host in [
            "registry.test",
            "registry.test:5001",
            "test",
            "empty.test",
            "index.docker.io.evil.test",
        ] {
            assert_eq!(find(host), None, "{host}");
        }
    }

    #[test]
    fn a_damaged_file_is_an_error_that_shows_nothing_of_it() {
        for config in [
            r#"{"auths":{"a.test":{"auth":"hunter2"}}}"#,
            r#"{"auths":{"a.test":{"auth":"aHVudGVyMg=="}}}"#,
            r#"{"auths":{"a.test":{"auth":hunter2}}}"#,
            r#"{"auths":"hunter2"}"#,
        ] {
            let error = of(config, "a.test").unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(!text.contains("hunter2") && text.contains("DOCKER_CONFIG"), "{text}");
        }
        assert!(
            of(&" ".repeat(2 << 20), "a.test").unwrap_err().to_string().contains("larger than")
        );
    }

    #[test]
    fn what_is_given_goes_before_the_file_and_is_never_shown() {
        let given = Credentials {
            registries: vec!["any.test".to_owned()],
            username: Some("me".to_owned()),
            password: Some(Secret::new("hunter2".to_owned())),
            docker_config: Some(PathBuf::from("/nonexistent")),
            ..Credentials::default()
        };
        assert_eq!(given.of("any.test").unwrap(), password("me", "hunter2"));
        let token = Credentials { token: Some(Secret::new("t0ken".to_owned())), ..given.clone() };
        assert!(matches!(token.of("any.test").unwrap(), Some(Credential::Bearer(_))));
        let shown = format!("{given:?} {token:?} {:?}", token.of("any.test"));
        assert!(!shown.contains("hunter2") && !shown.contains("t0ken"), "{shown}");
    }

    #[test]
    fn what_is_given_is_for_the_registries_that_it_names() {
        let of = |registries: &[&str], host: &str| {
            let given = Credentials {
                registries: registries.iter().map(|&name| name.to_owned()).collect(),
                token: Some(Secret::new("t0ken".to_owned())),
                ..Credentials::default()
            };
            (given.of(host).map(|found| found.is_some()), given.token_of(host).map(|t| t.is_some()))
        };
        for (registries, host) in [
            (&["a.test"][..], "a.test"),
            (&["https://A.test/"], "a.test"),
            (&["b.test", " a.test:5000"], "a.test:5000"),
            (&["index.docker.io"], "docker.io"),
        ] {
            assert!(matches!(of(registries, host), (Ok(true), Ok(true))), "{host}");
        }
        for (registries, host) in [
            (&["a.test"][..], "a.test:5000"),
            (&["a.test:5000"], "a.test"),
            (&["a.test"], "a.test.evil.test"),
            (&["a.test"], "evil-a.test"),
            (&["a.test/team"], "a.test"),
            (&["docker.io"], "a.test"),
        ] {
            assert!(matches!(of(registries, host), (Ok(false), Ok(false))), "{host}");
        }
        let (error, token) = of(&[], "a.test");
        assert!(token.is_err());
        let text = error.unwrap_err().to_string();
        assert!(text.contains("LAZARET_REGISTRY") && !text.contains("t0ken"), "{text}");
    }
}
