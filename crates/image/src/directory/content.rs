//! Reads the content of one file of a directory in pieces, holes of sparse files apart.

use super::{Child, Visit};
use crate::limits;
use crate::tar::{Meta, Sink};
use rustix::fs::{FileType, Mode, OFlags, SeekFrom, Stat};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::atomic::Ordering;

impl Visit<'_> {
    pub(super) fn read(
        &mut self,
        child: Child<'_>,
        meta: &Meta<'_>,
        listed: &Stat,
    ) -> Result<(), String> {
        let (mut file, length) = open(child, listed)?;
        let first = self.piece(&mut file, self.buffer.len() as u64)?;
        if first < self.buffer.len() {
            let head = self.buffer.get(..first).unwrap_or_default();
            self.sink.whole(&Meta { size: first as u64, ..*meta }, head);
            return Ok(());
        }
        if length < first as u64 {
            return Err("of no certain size: it holds more than it says".to_owned());
        }
        let runs = self.runs(&file, first as u64, length)?;
        let meta = Meta { size: length, ..*meta };
        let head = self.buffer.get(..first).unwrap_or_default();
        let shown = head.get(..limits::HEAD_BYTES).unwrap_or(head);
        let mut more = self.sink.start(&meta, shown) && self.sink.data(head);
        let mut at = first as u64;
        for run in runs {
            more = more && self.zeros(run.start.saturating_sub(at));
            if !more {
                break;
            }
            io::Seek::seek(&mut file, io::SeekFrom::Start(run.start)).map_err(cannot)?;
            at = run.start;
            while more && at < run.end {
                let count = self.piece(&mut file, run.end - at)?;
                if count == 0 {
                    return Err("became shorter while it was read".to_owned());
                }
                at += count as u64;
                more = self.sink.data(self.buffer.get(..count).unwrap_or_default());
            }
        }
        if more {
            self.zeros(length.saturating_sub(at));
        }
        self.sink.end();
        Ok(())
    }

    /// Reads a piece into the buffer, of a file of which at most `left` bytes are wanted.
    fn piece(&mut self, file: &mut File, left: u64) -> Result<usize, String> {
        if self.bytes >= limits::LAYER_BYTES {
            return Err("more than 256 GiB were read of this folder; left out".to_owned());
        }
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(self.buffer.len());
        let room = self.buffer.get_mut(..wanted).unwrap_or_default();
        let count = read_full(file, room).map_err(cannot)?;
        self.count(count);
        Ok(count)
    }

    /// The runs of data in a file from an offset on. Holes between them are taken off what may be
    /// written out; where that is not enough, the file is not read at all.
    fn runs(&mut self, file: &File, from: u64, length: u64) -> Result<Vec<Range<u64>>, String> {
        let whole = || Vec::from_iter([Range { start: from, end: length }]);
        let stat = rustix::fs::fstat(file).map_err(|error| cannot(error.into()))?;
        let stored = u64::try_from(stat.st_blocks).unwrap_or_default().saturating_mul(512);
        if stored >= length {
            return Ok(whole());
        }
        let (mut runs, mut at, mut holes) = (Vec::new(), from, 0_u64);
        while at < length {
            let data = match rustix::fs::seek(file, SeekFrom::Data(at)) {
                Ok(data) => data.min(length),
                Err(Errno::NXIO) => length,
                // A file system that knows no holes has none.
                Err(_) => return Ok(whole()),
            };
            holes = holes.saturating_add(data.saturating_sub(at));
            if data >= length {
                break;
            }
            let end = rustix::fs::seek(file, SeekFrom::Hole(data)).unwrap_or(length).min(length);
            if end <= data || runs.len() >= limits::SPARSE_PIECES {
                return Err("its holes make no sense".to_owned());
            }
            runs.push(data..end);
            at = end;
        }
        if holes > self.holes {
            return Err(format!(
                "sparse, with {holes} bytes of holes: more than are read of one folder"
            ));
        }
        self.holes -= holes;
        Ok(runs)
    }

    /// Shows zeros for a hole. Whether more is wanted.
    fn zeros(&mut self, mut count: u64) -> bool {
        self.buffer.fill(0);
        while count > 0 {
            let piece = usize::try_from(count).unwrap_or(usize::MAX).min(self.buffer.len());
            if !self.sink.data(self.buffer.get(..piece).unwrap_or_default()) {
                return false;
            }
            count -= piece as u64;
        }
        true
    }

    fn count(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        self.walker.progress.read.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// Opens what was listed. What became a link or a pipe meanwhile is neither followed nor waited for.
fn open(child: Child<'_>, listed: &Stat) -> Result<(File, u64), String> {
    let flags =
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(child.folder, child.name, flags, Mode::empty());
    let file = File::from(opened.map_err(|error| cannot(error.into()))?);
    let stat = rustix::fs::fstat(&file).map_err(|error| cannot(error.into()))?;
    if (stat.st_dev, stat.st_ino) != (listed.st_dev, listed.st_ino)
        || FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile
    {
        return Err("changed while it was read".to_owned());
    }
    Ok((file, length(&stat)))
}

// A reason is built from it, and nothing else.
#[expect(clippy::needless_pass_by_value, reason = "it is mapped over errors")]
fn cannot(error: io::Error) -> String {
    format!("cannot read: {error}")
}

pub(super) fn length(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or_default()
}

fn read_full(file: &mut File, mut room: &mut [u8]) -> io::Result<usize> {
    let mut count = 0;
    while !room.is_empty() {
        match file.read(room) {
            Ok(0) => break,
            Ok(read) => {
                count += read;
                room = room.get_mut(read..).unwrap_or_default();
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}
