//! Reading one file whole, up to a bound.

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
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let mut file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let content = regular(&mut file, limit)?;
    Ok((file, content))
}

/// Reads an open file if it is a regular one.
pub(crate) fn regular(file: &mut File, limit: u64) -> io::Result<Vec<u8>> {
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    up_to(file, limit)
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
        }
    }
}
