//! Why an engine could not be asked, or had no answer.

use crate::reference::ReferenceError;
use std::io;
use std::path::PathBuf;
use vocabulary::Engine;

/// Why an engine could not be asked, or had no answer. One line each, with what to do.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The address is none.
    #[error("`{0}` is not an address of Docker; use unix:///PATH or tcp://HOST:PORT")]
    Address(String),
    /// Nothing listens there.
    #[error("{engine} does not listen at `{address}`; start it, or say where it listens with {}", option_of(*engine))]
    NotThere {
        /// The engine.
        engine: Engine,
        /// Where it was looked for.
        address: String,
    },
    /// The socket may not be opened.
    #[error(
        "permission denied on {engine}'s socket `{address}`; run as root, or as a member of the socket's group"
    )]
    Denied {
        /// The engine.
        engine: Engine,
        /// Its address.
        address: String,
    },
    /// It could not be spoken to.
    #[error("cannot speak to {engine} at `{address}`: {reason}")]
    Connection {
        /// The engine.
        engine: Engine,
        /// Its address.
        address: String,
        /// What happened.
        reason: String,
    },
    /// It took too long.
    #[error("{engine} at `{address}` did not answer within {seconds} seconds")]
    Timeout {
        /// The engine.
        engine: Engine,
        /// Its address.
        address: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// It refused, with its own words.
    #[error("{engine} refuses `{what}`: {message}")]
    Refused {
        /// The engine.
        engine: Engine,
        /// What was asked for.
        what: String,
        /// Its words, one line.
        message: String,
    },
    /// What it said is not what it should be.
    #[error("{engine}'s answer to `{what}` cannot be read: {reason}")]
    Answer {
        /// The engine.
        engine: Engine,
        /// What was asked for.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A bound was passed.
    #[error(
        "{engine}'s answer to `{what}` is over the limit of {limit} bytes; refusing to read it"
    )]
    Limit {
        /// The engine.
        engine: Engine,
        /// What was asked for.
        what: String,
        /// The bound.
        limit: u64,
    },
    /// There is no such image.
    #[error("{engine} has no image `{name}`; pull or build it, or list what there is with `{}`", list_of(*engine))]
    NoImage {
        /// The engine.
        engine: Engine,
        /// The name that was asked for.
        name: String,
    },
    /// A store on disk does not have what it should.
    #[error("the store at `{path}` cannot be used: {reason}")]
    Store {
        /// Its index, or its root.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// There is no such container.
    #[error("no engine has a container `{name}`; list what there is with `docker ps --all`")]
    NoContainer {
        /// The name that was asked for.
        name: String,
    },
    /// The name is none.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// A container's file system is none that can be read.
    #[error("the file system of container `{container}` cannot be read: {reason}")]
    FileSystem {
        /// The container.
        container: String,
        /// Why.
        reason: String,
    },
    /// A file of this machine, such as one in the engine's store.
    #[error("cannot read `{path}`: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// What was exported could not be written.
    #[error("cannot write the export of `{image}`: {source}; is the disk full?")]
    Write {
        /// The image.
        image: String,
        /// The system's reason.
        source: io::Error,
    },
}

const fn option_of(engine: Engine) -> &'static str {
    match engine {
        Engine::Docker => "--docker-host",
        Engine::Containerd => "--containerd-address",
    }
}

const fn list_of(engine: Engine) -> &'static str {
    match engine {
        Engine::Docker => "docker images",
        Engine::Containerd => "ctr images list",
    }
}

/// One line of at most [`crate::limits::ERROR_CHARACTERS`], without control characters: an engine's
/// words repeat names that others wrote.
pub(crate) fn one_line(text: &str) -> String {
    let mut line: String = text
        .trim()
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .take(crate::limits::ERROR_CHARACTERS)
        .collect();
    if line.is_empty() {
        line.push_str("without a reason");
    }
    line
}
