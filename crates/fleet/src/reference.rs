//! What an engine is asked for: the image of a container, and whether it still is that.

use engine::EngineError;
use vocabulary::{Container, Digest, Engine, NotChecked};

/// What an engine is asked for: an image by its id where that is known, which no tag can move.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Reference(pub(crate) String);

impl Reference {
    /// The image of a container.
    pub(crate) fn of(container: &Container) -> Self {
        match (container.engine, &container.image_id) {
            (Engine::Docker, Some(id)) => Self::by_id(id),
            (engine, _) => Self(format!("{engine}:{}", container.image)),
        }
    }

    /// An image of Docker.
    pub(crate) fn by_id(id: &Digest) -> Self {
        Self(format!("{}:{id}", Engine::Docker))
    }
}

/// Why an image is not, or may not be, the one that a container was made from. Where the engine does
/// not say which that was, its name is no answer: another image may have taken it.
pub(crate) fn moved(container: &Container, found: Option<&Digest>) -> Option<String> {
    match (&container.image_id, found) {
        (Some(made_from), Some(found)) if made_from == found => None,
        (Some(made_from), Some(found)) => Some(format!(
            "`{}` is another image by now ({}); the container was made from {}",
            container.image,
            found.short(),
            made_from.short()
        )),
        _ => Some(format!(
            "{} does not say which image the container was made from; `{}` may be another image by now",
            container.engine, container.image
        )),
    }
}

/// What an engine did not answer.
pub(crate) fn unanswered(error: &EngineError) -> NotChecked {
    let what = match error {
        EngineError::NotThere { engine, .. }
        | EngineError::Denied { engine, .. }
        | EngineError::Connection { engine, .. }
        | EngineError::Timeout { engine, .. }
        | EngineError::Refused { engine, .. }
        | EngineError::Answer { engine, .. }
        | EngineError::Limit { engine, .. }
        | EngineError::NoImage { engine, .. } => engine.name(),
        _ => "engine",
    };
    NotChecked { what: what.to_owned(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_that_moved_since_is_noticed() {
        let own = Container {
            engine: Engine::Docker,
            id: "ab".to_owned(),
            name: "shop".to_owned(),
            image: "shop:1".to_owned(),
            image_id: Some(Digest::of(b"config")),
            pid: Some(1),
            started: None,
        };
        assert_eq!(moved(&own, Some(&Digest::of(b"config"))), None);
        assert!(moved(&own, Some(&Digest::of(b"other"))).unwrap().contains("another image"));
        let silent = Container { image_id: None, ..own };
        assert!(moved(&silent, Some(&Digest::of(b"config"))).unwrap().contains("does not say"));
    }
}
