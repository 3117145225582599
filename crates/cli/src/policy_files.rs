//! The policy file of every command that decides.
//!
//! A file is looked for upward from the working folder, to the root of the repository, the user's
//! folder or the file system. One that others may write is refused and named: it could silence
//! whatever it likes. What one that was found includes lies below its folder.

use crate::args::PolicyArgs;
use crate::exit::{Exit, Failure};
use crate::world::World;
use crate::{found, settings};
use policy::Policy;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

/// The name of a policy file.
pub(crate) const FILE: &str = "lazaret.yaml";
/// Bytes of a policy file.
pub(crate) const BYTES: u64 = 4 << 20;

/// The policy of a file that is named, else of one that is found; the empty one where there is none.
pub(crate) fn load(world: &World, args: &PolicyArgs) -> Result<Policy, Failure> {
    match args.policy.as_ref().or(world.settings.policy.as_ref()) {
        Some(file) => read(file),
        None if without_found(world, args) => Ok(Policy::default()),
        None => find()?.map_or_else(|| Ok(Policy::default()), |found| found.read()),
    }
}

/// Whether files that nobody named are left out.
pub(crate) fn without_found(world: &World, args: &PolicyArgs) -> bool {
    args.no_project_policy || world.settings.no_project_policy.unwrap_or(false)
}

/// A policy that nobody named.
pub(crate) struct Found {
    pub(crate) name: PathBuf,
    pub(crate) text: String,
    folder: files::Folder,
}

/// The nearest file upward.
pub(crate) fn find() -> Result<Option<Found>, Failure> {
    for name in places()? {
        let otherwise = "name it with --policy, or leave it out with --no-project-policy";
        if let Some(found) = found::read(&name, BYTES, otherwise)? {
            return Ok(Some(Found { name, text: found.text, folder: found.folder }));
        }
    }
    Ok(None)
}

/// Where a file is looked for: here and upward, to the root of the repository or the user's folder.
pub(crate) fn places() -> Result<Vec<PathBuf>, Failure> {
    let here = std::env::current_dir()
        .map_err(|error| Failure::usage(format!("the working folder cannot be told: {error}")))?;
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let mut places = Vec::new();
    for (steps, folder) in here.ancestors().enumerate() {
        // As people would write it, where it lies here.
        places.push(if steps == 0 { PathBuf::from(FILE) } else { folder.join(FILE) });
        if is_root_of_repository(folder) || home.as_deref() == Some(folder) {
            break;
        }
    }
    Ok(places)
}

/// Whether a repository begins here. A mark that somebody else made hides no policy further up.
fn is_root_of_repository(folder: &Path) -> bool {
    std::fs::symlink_metadata(folder.join(".git"))
        .is_ok_and(|mark| files::may_write(mark.uid(), mark.gid(), 0).is_none())
}

impl Found {
    /// Reads it with what it includes, which lies below its folder.
    pub(crate) fn read(&self) -> Result<Policy, Failure> {
        let top = self.name.parent().unwrap_or(Path::new(""));
        let name = self.name.display().to_string();
        let names = RefCell::new(BTreeSet::from([name.clone()]));
        let include = |from: &str, path: &str| {
            let inner = Path::new(path).components().collect::<PathBuf>();
            let plain = |part| matches!(part, Component::Normal(_) | Component::CurDir);
            if !inner.components().all(plain) {
                return Err("it leads out of the folder of a policy that was found; name the policy with --policy".to_owned());
            }
            let file = Path::new(from).parent().unwrap_or(Path::new("")).join(inner);
            let below = file.strip_prefix(top).map_err(|error| error.to_string())?;
            let content =
                self.folder.read_found(below, BYTES).map_err(|error| error.to_string())?;
            let text = String::from_utf8(content).map_err(|_| "it is no text".to_owned())?;
            let name = file.display().to_string();
            names.borrow_mut().insert(name.clone());
            Ok((name, text))
        };
        let read = policy::parse_policy(&name, &self.text, &crate::rules::all(), &include);
        let mut policy =
            read.map_err(|error| Failure::new(Exit::Usage, anyhow::Error::new(error)))?;
        policy.found = names.into_inner();
        Ok(policy)
    }
}

/// One that was named.
pub(crate) fn read(file: &Path) -> Result<Policy, Failure> {
    let text = settings::read_text(file, BYTES)?;
    let name = file.display().to_string();
    policy::parse_policy(&name, &text, &crate::rules::all(), &include)
        .map_err(|error| Failure::new(Exit::Usage, anyhow::Error::new(error)))
}

/// A file that a named one includes, by a path that stays a path.
pub(crate) fn include(from: &str, path: &str) -> Result<(String, String), String> {
    if path.contains("://") {
        return Err("only files are included; fetch it first".to_owned());
    }
    let file = Path::new(from).parent().unwrap_or(Path::new("")).join(path);
    let text = settings::read_text(&file, BYTES).map_err(|failure| failure.error.to_string())?;
    Ok((file.display().to_string(), text))
}
