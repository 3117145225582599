//! What works on this machine, which engines answer, and which containers are sealed.

use crate::Report;
use crate::seals::{Seals, Standing};
use engine::{Containerd, Docker, Endpoints, EngineError};
use serde::Serialize;
use std::path::Path;
use vocabulary::{Container, counted};

/// Version of the JSON form.
pub const STATUS_SCHEMA: &str = "lazaret.agent-status/1";

/// What the agent could do here.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Status {
    /// [`STATUS_SCHEMA`].
    pub schema: &'static str,
    /// What the kernel can do, each as it was tried.
    pub capabilities: Vec<Capability>,
    /// The agent that watches, if any does.
    pub agent: AgentStatus,
    /// The engines.
    pub engines: Vec<EngineStatus>,
    /// The containers that run.
    pub containers: Vec<ContainerStatus>,
}

/// How the agent goes, by what it wrote into the state folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "standing", rename_all = "kebab-case")]
pub enum AgentStatus {
    /// None has written there.
    None,
    /// It runs, and wrote a moment ago.
    Runs {
        /// Its own words.
        #[serde(flatten)]
        report: Report,
    },
    /// It is there, and has not written for a while.
    Stalled {
        /// Its own words.
        #[serde(flatten)]
        report: Report,
    },
    /// It is there no more.
    Ended {
        /// Its own words.
        #[serde(flatten)]
        report: Report,
    },
}

impl AgentStatus {
    fn of(state: &Path) -> Self {
        let Some(report) = Report::read(state) else { return Self::None };
        let age = report.until.parse::<jiff::Timestamp>();
        let age =
            age.map_or(i64::MAX, |until| jiff::Timestamp::now().duration_since(until).as_secs());
        if !crate::process::is_there(report.pid) {
            Self::Ended { report }
        } else if age > STALE_SECONDS {
            Self::Stalled { report }
        } else {
            Self::Runs { report }
        }
    }
}

/// After this time without a word in the state folder the agent stands still: it writes every two
/// seconds.
const STALE_SECONDS: i64 = 20;

/// Something that the kernel can, or cannot, do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Capability {
    /// What.
    pub name: String,
    /// Whether it was seen to work.
    pub works: bool,
    /// What was seen, or why not.
    pub detail: String,
}

/// An engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EngineStatus {
    /// `docker` or `containerd`.
    pub engine: &'static str,
    /// Where it was looked for.
    pub address: String,
    /// Whether it answers.
    pub answers: bool,
    /// How many containers run, or why it does not answer.
    pub detail: String,
}

/// A container that runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ContainerStatus {
    /// The container.
    pub container: Container,
    /// The seal of its image, as `repository #counter`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seal: Option<String>,
    /// Why there is none that holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Status {
    /// Whether the agent can run here: it needs the kernel's events, and to find the processes that they
    /// name.
    #[must_use]
    pub fn can_run(&self) -> bool {
        let needed = ["process ids", "ring buffer", "tp_btf exec", "tp_btf exit"];
        let works = |name: &&str| {
            self.capabilities.iter().any(|capability| capability.name == **name && capability.works)
        };
        needed.iter().all(works)
    }
}

/// Tries everything, and asks everyone.
#[must_use]
pub fn status(endpoints: &Endpoints, store: &Path, state: &Path) -> Status {
    let capabilities = sensor::probe().into_iter().map(|capability| Capability {
        name: capability.name.to_owned(),
        works: capability.works,
        detail: capability.detail,
    });
    let docker = Docker::connect(endpoints).and_then(|docker| docker.containers());
    let containerd = Containerd::connect(endpoints).and_then(|engine| engine.containers());
    let address = endpoints.containerd.display().to_string();
    let engines = vec![
        engine_status("docker", endpoints.docker.clone(), &docker),
        engine_status("containerd", address, &containerd),
    ];
    let seals = Seals::new(store);
    let running = docker.into_iter().chain(containerd).flatten();
    Status {
        schema: STATUS_SCHEMA,
        capabilities: capabilities.collect(),
        agent: AgentStatus::of(state),
        engines,
        containers: running.map(|container| container_status(container, &seals)).collect(),
    }
}

fn engine_status(
    engine: &'static str,
    address: String,
    answer: &Result<Vec<Container>, EngineError>,
) -> EngineStatus {
    let detail = match answer {
        Ok(containers) => {
            format!("{} running", counted(containers.len(), "container", "containers"))
        }
        Err(error) => error.to_string(),
    };
    EngineStatus { engine, address, answers: answer.is_ok(), detail }
}

fn container_status(container: Container, seals: &Seals) -> ContainerStatus {
    let standing = match &container.image_id {
        Some(image) => seals.of(image),
        None => Standing::Broken("its engine does not say which image it is of".to_owned()),
    };
    let (seal, reason) = match standing {
        Standing::Sealed(sealed) => (Some(sealed.name.clone()), None),
        Standing::NotSealed => (None, Some("its image is not sealed".to_owned())),
        Standing::Broken(reason) => (None, Some(reason)),
    };
    ContainerStatus { container, seal, reason }
}
