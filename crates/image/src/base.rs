//! Tells the layers of the base image from those that the image's author added, offline.
//!
//! Three signs, best first. An image may state its base: `org.opencontainers.image.base.digest` says
//! that there is one, though not how many layers it has. A base image ends with a `CMD` or
//! `ENTRYPOINT` of its own, and a build on top of it appends steps behind that mark; the last such
//! mark that is followed by a step which makes a layer ends the base. Last, the first layer of an
//! image that was imported whole (`ADD file:… in /`, or no history at all) is taken for the base with
//! low confidence only where others follow it. Otherwise it is unknown, and said so.

use crate::manifest::{Config, History};
use std::collections::BTreeMap;
use vocabulary::{BaseImage, Confidence, Origin, OriginKind};

/// Longest command kept, in characters: heredocs in Dockerfiles reach tens of KiB.
const COMMAND_CHARACTERS: usize = 2_000;

/// Longest name of a base image that is kept, in characters.
const NAME_CHARACTERS: usize = 1_000;

/// The base image that the manifest's annotations or the image's labels name.
pub(crate) fn stated(config: &Config, annotations: &BTreeMap<String, String>) -> Option<BaseImage> {
    let get = |key: &str| annotations.get(key).or_else(|| config.config.labels.get(key));
    let name = get("org.opencontainers.image.base.name").filter(|name| !name.is_empty())?;
    Some(BaseImage {
        name: name.chars().take(NAME_CHARACTERS).collect(),
        digest: get("org.opencontainers.image.base.digest").and_then(|text| text.parse().ok()),
    })
}

/// The command of each layer, cleaned of what builders put around it.
pub(crate) fn commands(history: &[History], layers: usize) -> Vec<Option<String>> {
    let mut commands: Vec<Option<String>> = history
        .iter()
        .filter(|step| !step.empty_layer)
        .map(|step| step.created_by.as_deref().map(clean))
        .take(layers)
        .collect();
    commands.resize(layers, None);
    commands.into_iter().map(|command| command.filter(|text| !text.is_empty())).collect()
}

/// The command without the shell that old builders show before it.
fn clean(command: &str) -> String {
    let text = command.trim();
    let text = text.strip_prefix("/bin/sh -c #(nop)").map_or(text, str::trim_start);
    let run = text.strip_prefix("/bin/sh -c ").map(|rest| format!("RUN {rest}"));
    let text = run.unwrap_or_else(|| text.to_owned());
    let text = text.strip_suffix("# buildkit").unwrap_or(&text).trim_end();
    let text = text.replace("RUN /bin/sh -c ", "RUN ");
    text.chars().take(COMMAND_CHARACTERS).collect()
}

fn ends_an_image(step: &History) -> bool {
    let command = step.created_by.as_deref().map(clean).unwrap_or_default();
    step.empty_layer && (command.starts_with("CMD") || command.starts_with("ENTRYPOINT"))
}

/// Whose each layer is.
pub(crate) fn origins(
    config: &Config,
    annotations: &BTreeMap<String, String>,
    layers: usize,
) -> Vec<Origin> {
    let stated = ["org.opencontainers.image.base.digest", "org.opencontainers.image.base.name"]
        .iter()
        .any(|key| annotations.contains_key(*key) || config.config.labels.contains_key(*key));
    let made: usize = config.history.iter().filter(|step| !step.empty_layer).count();
    let Some(base) = base_layers(&config.history).filter(|_| made == layers) else {
        return unknown_or_lone(config, made, layers);
    };
    let (confidence, reason) = if stated {
        (Confidence::High, "the image names its base; the last CMD before its own steps ends it")
    } else {
        (Confidence::Medium, "the last CMD in the history before further steps ends the base image")
    };
    (0..layers)
        .map(|index| Origin {
            kind: if index < base { OriginKind::Base } else { OriginKind::Application },
            confidence,
            reason: reason.to_owned(),
        })
        .collect()
}

/// How many layers lie before the last end mark that further layers follow.
fn base_layers(history: &[History]) -> Option<usize> {
    let made_after = |index: usize| history.iter().skip(index + 1).any(|step| !step.empty_layer);
    let mark = history
        .iter()
        .enumerate()
        .filter(|(index, step)| ends_an_image(step) && made_after(*index))
        .map(|(index, _)| index)
        .next_back()?;
    let base = history.iter().take(mark).filter(|step| !step.empty_layer).count();
    (base > 0).then_some(base)
}

fn unknown_or_lone(config: &Config, made: usize, layers: usize) -> Vec<Origin> {
    let imported = config
        .history
        .iter()
        .find(|step| !step.empty_layer)
        .and_then(|step| step.created_by.as_deref())
        .is_some_and(|command| {
            clean(command).starts_with("ADD file:") || clean(command).starts_with("ADD rootfs")
        });
    (0..layers)
        .map(|index| match (imported && made == layers && layers > 1, index) {
            (true, 0) => Origin {
                kind: OriginKind::Base,
                confidence: Confidence::Low,
                reason: "the first layer was imported as a whole root file system".to_owned(),
            },
            (true, _) => Origin {
                kind: OriginKind::Application,
                confidence: Confidence::Low,
                reason: "it lies above an imported root file system".to_owned(),
            },
            (false, _) => Origin {
                kind: OriginKind::Unknown,
                confidence: Confidence::None,
                reason: "the history does not tell".to_owned(),
            },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(command: &str, empty_layer: bool) -> History {
        History { created_by: Some(command.to_owned()), comment: None, empty_layer }
    }

    fn kinds(history: Vec<History>, layers: usize) -> Vec<OriginKind> {
        let config = Config { history, ..Config::default() };
        origins(&config, &BTreeMap::new(), layers).into_iter().map(|origin| origin.kind).collect()
    }

    #[test]
    fn the_last_command_before_further_layers_ends_the_base() {
        let history = vec![
            step("/bin/sh -c #(nop) ADD file:abc in /", false),
            step("/bin/sh -c #(nop)  CMD [\"bash\"]", true),
            step("RUN /bin/sh -c apt-get install -y python3 # buildkit", false),
            step("CMD [\"python3\"]", true),
            step("COPY app /app # buildkit", false),
            step("CMD [\"/app\"]", true),
        ];
        assert_eq!(
            kinds(history.clone(), 3),
            [OriginKind::Base, OriginKind::Base, OriginKind::Application]
        );
        assert_eq!(
            commands(&history, 3),
            [
                Some("ADD file:abc in /".to_owned()),
                Some("RUN apt-get install -y python3".to_owned()),
                Some("COPY app /app".to_owned())
            ]
        );
    }

    #[test]
    fn a_history_that_does_not_fit_its_layers_tells_nothing() {
        let history = vec![step("ADD x", false), step("CMD x", true), step("COPY y", false)];
        assert_eq!(kinds(history, 3), [OriginKind::Unknown; 3]);
        assert_eq!(kinds(Vec::new(), 1), [OriginKind::Unknown]);
    }
}
