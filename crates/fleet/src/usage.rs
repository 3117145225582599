//! What containers used, as the agent wrote it down (`lazaret.usage/1`).
//!
//! A file is believed only as far as it is about this container, this run of it, and this moment.

use jiff::Timestamp;
use std::path::{Path, PathBuf};
use vocabulary::usage::USAGE_SCHEMA;
use vocabulary::{Container, Digest, NotChecked, Usage, Watched};

/// Bytes of a usage file: the agent lists at most 20,000 files, and few paths have 200 characters.
const USAGE_BYTES: u64 = 32 << 20;

/// How many usage files are looked at: a machine runs some hundreds of containers.
const USAGE_FILES: usize = 10_000;

/// How old a usage file may be for what it lacks to count as not used: an agent that has ended
/// leaves its file behind.
const USAGE_AGE: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);

/// What a container used, as the agent wrote it. A file that is not there is none; one that is of
/// another container, or of an earlier run of this one, is left aside.
pub(crate) fn usage(
    state: &Path,
    container: &Container,
    now: Timestamp,
    problems: &mut Vec<NotChecked>,
) -> Option<Usage> {
    let path = usage_path(state, container);
    let mut problem = |reason: String| {
        problems.push(NotChecked { what: path.display().to_string(), reason });
    };
    let text = match read_bounded(&path, USAGE_BYTES) {
        Ok(Some(text)) => text,
        Ok(None) => return None,
        Err(reason) => {
            problem(reason);
            return None;
        }
    };
    match serde_json::from_slice(&text).map_err(|error| format!("it cannot be read: {error}")) {
        Ok(usage) => match checked(usage, container, now) {
            Ok((usage, remark)) => {
                remark.into_iter().for_each(problem);
                Some(usage)
            }
            Err(reason) => {
                problem(reason);
                None
            }
        },
        Err(reason) => {
            problem(reason);
            None
        }
    }
}

/// What a container of an image used, where an agent watched one and its file is current: of several
/// the one that used most. `image` is the digest of the image's configuration.
#[must_use]
pub fn usage_of_image(state: &Path, image: &Digest, now: Timestamp) -> Option<Usage> {
    let entries = std::fs::read_dir(state.join("usage")).ok()?;
    let paths = entries.take(USAGE_FILES).filter_map(|entry| Some(entry.ok()?.path()));
    paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .filter_map(|path| {
            let text = read_bounded(&path, USAGE_BYTES).ok()??;
            let usage: Usage = serde_json::from_slice(&text).ok()?;
            let container = usage.container.clone();
            let (usage, _) = checked(usage, &container, now).ok()?;
            (usage.container.image_id.as_ref() == Some(image)).then_some(usage)
        })
        .max_by_key(|usage| usage.files.len())
}

/// For how long and how well that was watched.
pub(crate) fn watched(usage: &Usage) -> Watched {
    Watched {
        since: usage.since.clone(),
        until: usage.until.clone(),
        complete: usage.complete,
        lost: usage.lost,
    }
}

/// The name that the agent gives it: the id, without what could lead out of the folder.
fn usage_path(state: &Path, container: &Container) -> PathBuf {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let id: String = container.id.chars().map(|c| if plain(c) { c } else { '_' }).collect();
    state.join("usage").join(format!("{}.json", id.trim_start_matches('.')))
}

/// Holds a usage file against the container that it should be about.
fn checked(
    mut usage: Usage,
    container: &Container,
    now: Timestamp,
) -> Result<(Usage, Option<String>), String> {
    if usage.schema != USAGE_SCHEMA {
        return Err(format!("its schema is `{}`, not `{USAGE_SCHEMA}`", usage.schema));
    }
    if (usage.container.engine, &usage.container.id) != (container.engine, &container.id) {
        return Err(format!("it is about another container, `{}`", usage.container.shown()));
    }
    let moment = |text: &str| text.parse::<Timestamp>().ok();
    let run = |container: &Container| container.started.as_deref().and_then(moment);
    if let (Some(then), Some(current)) = (run(&usage.container), run(container))
        && then != current
    {
        return Err(format!("it is of an earlier run, which began at {then}"));
    }
    let Some(until) = moment(&usage.until) else {
        return Err(format!("`{}` is not a time", usage.until));
    };
    let current = now.duration_since(until) <= USAGE_AGE;
    if current || !usage.complete {
        return Ok((usage, None));
    }
    usage.complete = false;
    let remark = format!(
        "it was last written at {until}: what was used since is not known; is the agent running?"
    );
    Ok((usage, Some(remark)))
}

/// The bytes of a regular file; none where it is not there.
fn read_bounded(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, String> {
    let (folder, name) = (path.parent().unwrap_or(path), path.file_name().unwrap_or_default());
    let read = files::Folder::reach(folder).and_then(|folder| folder.read(name.as_ref(), limit));
    read.map(Some).or_else(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Ok(None),
        std::io::ErrorKind::FileTooLarge => Err(error.to_string()),
        std::io::ErrorKind::InvalidInput => Err("it is not a regular file".to_owned()),
        _ if path.is_symlink() => Err("it is not a regular file".to_owned()),
        _ => Err(format!("it cannot be read: {error}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use vocabulary::Engine;

    fn container(id: &str, started: Option<&str>) -> Container {
        Container {
            engine: Engine::Docker,
            id: id.to_owned(),
            name: "shop".to_owned(),
            image: "shop:1".to_owned(),
            image_id: Some(Digest::of(b"config")),
            pid: Some(1),
            started: started.map(str::to_owned),
        }
    }

    fn written(container: Container) -> Usage {
        Usage {
            schema: USAGE_SCHEMA.to_owned(),
            container,
            since: "2099-01-01T00:00:00Z".to_owned(),
            complete: true,
            until: "2099-01-01T01:00:00Z".to_owned(),
            files: BTreeSet::new(),
            lost: 0,
        }
    }

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    #[test]
    fn usage_of_another_container_or_of_an_earlier_run_is_left_aside() {
        let now = at("2099-01-01T01:00:10Z");
        let first = Some("2099-01-01T00:00:00.5Z");
        let own = container("ab", first);
        assert!(checked(written(own.clone()), &own, now).is_ok());
        let foreign = checked(written(container("cd", first)), &own, now);
        assert!(foreign.unwrap_err().contains("another container"));
        let earlier = checked(written(container("ab", Some("2098-01-01T00:00:00Z"))), &own, now);
        assert!(earlier.unwrap_err().contains("earlier run"));
        let same = container("ab", Some("2099-01-01T00:00:00.500000000Z"));
        assert!(checked(written(same), &own, now).is_ok(), "the same moment, written otherwise");
        let schema = Usage { schema: "lazaret.usage/9".to_owned(), ..written(own.clone()) };
        assert!(checked(schema, &own, now).is_err());
    }

    #[test]
    fn what_a_stale_usage_file_lacks_is_not_called_unused() {
        let own = container("ab", None);
        let (fresh, remark) =
            checked(written(own.clone()), &own, at("2099-01-01T01:04:00Z")).unwrap();
        assert!(fresh.complete && remark.is_none());
        let (stale, remark) =
            checked(written(own.clone()), &own, at("2099-01-01T01:06:00Z")).unwrap();
        assert!(!stale.complete && remark.unwrap().contains("is the agent running?"));
    }

    #[test]
    fn a_usage_file_is_read_up_to_its_bound_and_only_where_it_is_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        std::fs::write(&file, [b'x'; 20]).unwrap();
        assert_eq!(read_bounded(&file, 20).unwrap().unwrap().len(), 20);
        assert!(read_bounded(&file, 19).unwrap_err().contains("larger"));
        assert!(read_bounded(&folder.path().join("none"), 9).unwrap().is_none());
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(read_bounded(&link, 20).unwrap_err().contains("not a regular file"));
    }

    #[test]
    fn the_name_of_a_usage_file_stays_in_its_folder() {
        let path = |id: &str| usage_path(Path::new("/state"), &container(id, None));
        assert_eq!(path("../../etc/x"), Path::new("/state/usage/_.._etc_x.json"));
        assert_eq!(path("k8s.io-a"), Path::new("/state/usage/k8s.io-a.json"));
    }
}
