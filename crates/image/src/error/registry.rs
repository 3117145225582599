//! Why an image in a registry could not be read. No text holds a secret: of tokens, passwords and what
//! helper programs print nothing is shown.

use fetch::FetchError;
use std::path::PathBuf;

/// Why an image in a registry could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The registry or its token service could not be asked.
    #[error("`{image}`: {source}")]
    Fetch {
        /// The image.
        image: String,
        /// Why.
        source: FetchError,
    },
    /// Too many requests.
    #[error(
        "`{image}`: {host} answers 429, too many requests; try again {}, or log in for a higher limit (`docker login {host}`)",
        retry_after.map_or_else(|| "later".to_owned(), |seconds| format!("in {seconds} seconds"))
    )]
    TooMany {
        /// The image.
        image: String,
        /// The registry.
        host: String,
        /// How many seconds it asks to wait.
        retry_after: Option<u64>,
    },
    /// It wants other credentials than there are.
    #[error(
        "`{image}` may not be {done}: {host} {reason}; log in with `docker login {host}`, or set LAZARET_REGISTRY to {host}, with LAZARET_REGISTRY_USERNAME and LAZARET_REGISTRY_PASSWORD"
    )]
    Denied {
        /// The image.
        image: String,
        /// The registry.
        host: String,
        /// What it answered.
        reason: &'static str,
        /// What was to be done: `read`, `written to`.
        done: &'static str,
    },
    /// There are credentials, but the connection is open to everyone.
    #[error(
        "`{image}` may not be {done}: {host} wants a login, and over plain HTTP no credentials are sent; use https, with --ca-file where it has a certificate of your own"
    )]
    NotPrivate {
        /// The image.
        image: String,
        /// The registry.
        host: String,
        /// What was to be done.
        done: &'static str,
    },
    /// It was to be asked by plain HTTP, and speaks TLS.
    #[error(
        "`{image}`: {host} speaks TLS, and --plain-http is given; leave that out, and name the authority of its certificate with --ca-file where it is not a known one"
    )]
    SpeaksTls {
        /// The image.
        image: String,
        /// The registry.
        host: String,
    },
    /// Not there.
    #[error("`{image}`: {host} has no {what}; check its name and tag, or log in if it is private")]
    NotFound {
        /// The image.
        image: String,
        /// The registry.
        host: String,
        /// What was asked for.
        what: String,
    },
    /// Another answer.
    #[error("`{image}`: {host} answers {status} for {what}; see the registry's own log")]
    Status {
        /// The image.
        image: String,
        /// The registry.
        host: String,
        /// What was asked for.
        what: String,
        /// The HTTP status.
        status: u16,
    },
    /// Its challenge or its token is none.
    #[error("`{image}`: {host} cannot be logged in to: {reason}")]
    Login {
        /// The image.
        image: String,
        /// The registry.
        host: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// What it sent broke off, or is too long.
    #[error("`{image}`: {reason}")]
    Broken {
        /// The image.
        image: String,
        /// How.
        reason: String,
    },
    /// Credentials are set, and nothing says which registry they are for.
    #[error(
        "LAZARET_REGISTRY_USERNAME, _PASSWORD or _TOKEN is set, and not for which registry: set LAZARET_REGISTRY to its host, such as {host} if that is the one, or take them out"
    )]
    ForNobody {
        /// The registry that is asked.
        host: String,
    },
    /// The file of credentials cannot be read.
    #[error("`{}` cannot be read for credentials: {reason}; mend it, or set DOCKER_CONFIG", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The program that holds the credentials gives none.
    #[error(
        "`docker-credential-{name}` gives no credentials for {host}: {reason}; log in again, or take it out of Docker's config.json"
    )]
    Helper {
        /// Its name in the file.
        name: String,
        /// The registry.
        host: String,
        /// Why.
        reason: String,
    },
}
