//! Reading one file, up to a bound.
//!
//! Which of these is right is decided by who chose the path. [`read`] is for what somebody named, which
//! may be a pipe of theirs. All others are for what merely lies there: a regular file, opened without
//! waiting for anything, so that neither a pipe nor a device stops or feeds us. What must be believed
//! too is read by [`read_trusted`](crate::read_trusted) and [`Folder`](crate::Folder).

use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Reads a file that somebody named, up to `limit` bytes. It may be a pipe (`<(…)`), and is then
/// waited for.
///
/// # Errors
/// Where it cannot be read, or is larger ([`io::ErrorKind::FileTooLarge`]).
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    up_to(&mut File::open(path)?, limit)
}

/// Opens and reads a file that merely lies there: a regular one, up to `limit` bytes, without waiting
/// for anything. The open file is handed out, so that what was read can be asked whose it is.
///
/// # Errors
/// As [`read`]; and where it is no regular file ([`io::ErrorKind::InvalidInput`]).
pub fn read_found(path: &Path, limit: u64) -> io::Result<(File, Vec<u8>)> {
    let mut file = open_found(path)?;
    let content = up_to(&mut file, limit)?;
    Ok((file, content))
}

/// Opens such a file for what is too large to be read whole: who reads it piece by piece has bounds of
/// their own.
///
/// # Errors
/// Where it cannot be opened, or is no regular file ([`io::ErrorKind::InvalidInput`]).
pub fn open_found(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if file.metadata()?.is_file() { Ok(file) } else { Err(no_regular_file()) }
}

/// Reads the first `count` bytes of such a file in place of what is in `start`: for what a file's
/// beginning tells, and for many files with one buffer.
///
/// # Errors
/// As [`open_found`], and where it cannot be read.
pub fn read_start(path: &Path, count: u64, start: &mut Vec<u8>) -> io::Result<()> {
    start.clear();
    open_found(path)?.take(count).read_to_end(start)?;
    Ok(())
}

/// Reads an open file if it is a regular one.
pub(crate) fn regular(file: &mut File, limit: u64) -> io::Result<Vec<u8>> {
    if file.metadata()?.is_file() { up_to(file, limit) } else { Err(no_regular_file()) }
}

pub(crate) fn no_regular_file() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file")
}

fn up_to(file: &mut File, limit: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut content)?;
    if content.len() as u64 > limit {
        let reason = format!("it is larger than {limit} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_bound_and_no_further() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, b"12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        assert_eq!(read(&path, 4).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(read_found(&path, 5).unwrap().1, b"12345");
        assert!(read(Path::new("/dev/zero"), 1 << 16).is_err());
        let mut start = b"before".to_vec();
        for (count, expected) in [(3, "123"), (9, "12345")] {
            read_start(&path, count, &mut start).unwrap();
            assert_eq!(start, expected.as_bytes());
        }
    }

    #[test]
    fn a_pipe_or_device_that_merely_lies_there_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &path,
            rustix::fs::FileType::Fifo,
            Mode::from(0o600),
            0,
        )
        .unwrap();
        for path in [path.as_path(), folder.path(), Path::new("/dev/zero")] {
            assert_eq!(read_found(path, 5).unwrap_err().kind(), io::ErrorKind::InvalidInput);
            assert_eq!(open_found(path).unwrap_err().kind(), io::ErrorKind::InvalidInput);
            assert!(read_start(path, 5, &mut Vec::new()).is_err());
        }
    }
}
