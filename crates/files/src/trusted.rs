//! Reading what merely lies there, if nobody but us and root could have put it there.

use crate::Folder;
use crate::bounded::regular;
use crate::owner::distrust;
use crate::way;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

/// A file that was found, and the open folder where it was.
#[derive(Debug)]
pub struct Found {
    /// What is in it.
    pub content: Vec<u8>,
    /// The folder of its name: where it is a link, that of the link.
    pub folder: Folder,
}

/// Reads a file that merely lies there, up to `limit` bytes and without waiting for anything; none
/// where nothing has that name. Links are followed: who may make one here is believed.
///
/// # Errors
/// Where something is there that cannot be read, is no regular file or larger; and where others may
/// write it, its folder, or the folder of a link to it ([`io::ErrorKind::PermissionDenied`], with the
/// reason and what to do).
pub fn read_trusted(path: &Path, limit: u64) -> io::Result<Option<Found>> {
    if let Err(error) = std::fs::symlink_metadata(path) {
        return if error.kind() == io::ErrorKind::NotFound { Ok(None) } else { Err(error) };
    }
    let folder = Folder::reach(parent(path))?;
    believe("its folder", &folder)?;
    // Gone part by part and held: what is asked is what is read, whatever is exchanged meanwhile.
    let reached = way::to(path, None)?;
    let content = Folder::of(reached.folder).read_found(&reached.name, limit)?;
    Ok(Some(Found { content, folder }))
}

impl Folder {
    /// Reads a regular file below this folder, reached by no link, which nobody else may write, nor the
    /// folder that it lies in.
    ///
    /// # Errors
    /// As [`Self::read`], and as [`read_trusted`].
    pub fn read_found(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        believe("its folder", self)?;
        for within in path.ancestors().skip(1).filter(|within| !within.as_os_str().is_empty()) {
            believe("its folder", &self.reach_folder(within)?)?;
        }
        let mut file = self.file(path)?;
        believe("it", &file)?;
        regular(&mut file, limit)
    }
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn believe(what: &str, file: impl AsFd) -> io::Result<()> {
    let Some(reason) = distrust(file)? else { return Ok(()) };
    let mend = reason.mend();
    Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("{what} {reason}; {mend}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    fn mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_others_could_have_put_there_is_refused_and_what_is_missing_is_none() {
        let outer = tempfile::tempdir().unwrap();
        let inner = outer.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        let (file, link) = (inner.join("file"), outer.path().join("link"));
        std::fs::write(&file, "x").unwrap();
        symlink("inner/file", &link).unwrap();
        mode(&inner, 0o755);
        mode(&file, 0o644);
        for path in [&file, &link] {
            assert_eq!(read_trusted(path, 9).unwrap().unwrap().content, b"x");
        }
        assert!(read_trusted(&outer.path().join("nothing"), 9).unwrap().is_none());
        symlink("nowhere", outer.path().join("dangling")).unwrap();
        assert!(read_trusted(&outer.path().join("dangling"), 9).is_err());
        for (path, wrong, right) in [(&file, 0o646, 0o644), (&inner, 0o757, 0o755)] {
            mode(path, wrong);
            for path in [&file, &link] {
                let error = read_trusted(path, 9).unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
                assert!(error.to_string().contains("chmod"), "{error}");
            }
            mode(path, right);
        }
        // Who may add to a folder with a sticky bit cannot replace what is ours there.
        mode(&inner, 0o1777);
        assert!(read_trusted(&file, 9).unwrap().is_some());
    }
}
