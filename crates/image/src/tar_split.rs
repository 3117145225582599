//! Makes a layer's tar again from its unpacked folder, byte for byte.
//!
//! When Docker unpacks a layer it keeps what of the tar is no file's content (headers, padding) in
//! `tar-split.json.gz`. Laid together with the files of the folder that gives the very tar whose
//! digest is the diffID: so a layer in Docker's store is walked and verified like any other, and
//! nothing is exported. Source: the project vbatts/tar-split, `tar/storage`: one JSON object a line,
//! of type 2 (raw bytes) or type 1 (a file whose content belongs here).
//!
//! A file that is not as it was makes an honest tar of another digest: its header gets the size that
//! the file has now, and one that is gone is left out. What was changed is noted by name.

use crate::kept::Kept;
use crate::tar::normalise;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::bufread::MultiGzDecoder;
use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use std::borrow::Cow;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of one line. A line holds the headers of one entry (two of them at most a long-name or PAX
/// record of 1 MiB each) or zeros at a tar's end, as base64.
const LINE_BYTES: u64 = 16 << 20;

/// What a tar is divided into.
const BLOCK: usize = 512;

/// Notes kept of one layer.
const NOTES: usize = 1_000;

/// What was found to be otherwise than recorded: path and reason.
pub(crate) type Notes = Arc<Mutex<Kept<(String, String)>>>;

#[derive(serde::Deserialize)]
struct Line<'line> {
    #[serde(rename = "type")]
    kind: u8,
    #[serde(default, borrow)]
    name: Option<Cow<'line, str>>,
    /// Base64, where the name is not UTF-8.
    #[serde(default, borrow)]
    name_raw: Option<Cow<'line, str>>,
    #[serde(default)]
    size: u64,
    #[serde(default, borrow)]
    payload: Option<Cow<'line, str>>,
}

/// Reads the tar.
pub(crate) struct Assembler<R> {
    lines: R,
    line: Vec<u8>,
    root: OwnedFd,
    /// Raw bytes that are ready, and how many of them were taken.
    ready: Vec<u8>,
    taken: usize,
    /// Raw bytes before the next file, not looked at yet.
    held: Vec<u8>,
    /// The file whose content comes after what is ready.
    file: Option<Content>,
    /// How many bytes at the beginning of `held` are padding of the file before.
    lead: usize,
    /// Recorded padding that is still to be dropped, where the file before has another size now.
    dropped: usize,
    notes: Notes,
    ended: bool,
}

struct Content {
    file: File,
    left: u64,
    /// Padding to be made behind it, where the recorded one does not fit.
    padding: usize,
}

/// Opens a layer of Docker's store.
pub(crate) fn open(
    tar_split: &Path,
    folder: &Path,
) -> io::Result<(Assembler<impl BufRead + Send + use<>>, Notes)> {
    let lines = MultiGzDecoder::new(BufReader::new(files::open_found(tar_split)?));
    let assembler = Assembler::new(BufReader::with_capacity(1 << 16, lines), folder)?;
    let notes = Arc::clone(&assembler.notes);
    Ok((assembler, notes))
}

/// Makes the tar of any record, for fuzzing.
///
/// # Errors
/// Where the record is damaged.
pub fn assemble(record: &[u8], folder: &Path, out: &mut dyn io::Write) -> io::Result<u64> {
    io::copy(&mut Assembler::new(record, folder)?, out)
}

impl<R: BufRead> Assembler<R> {
    fn new(lines: R, folder: &Path) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY;
        let root = rustix::fs::open(folder, flags, Mode::empty())?;
        Ok(Self {
            lines,
            line: Vec::new(),
            root,
            ready: Vec::new(),
            taken: 0,
            held: Vec::new(),
            file: None,
            lead: 0,
            dropped: 0,
            notes: Notes::default(),
            ended: false,
        })
    }

    /// Reads one line and makes something ready, or not yet.
    fn advance(&mut self) -> io::Result<()> {
        self.line.clear();
        let read = self.lines.by_ref().take(LINE_BYTES).read_until(b'\n', &mut self.line)?;
        if read == 0 {
            self.ended = true;
            self.release();
            return Ok(());
        }
        if !self.line.ends_with(b"\n") && read as u64 == LINE_BYTES {
            return Err(damaged("a line of it is over 16 MiB"));
        }
        let text = std::mem::take(&mut self.line);
        let taken = match text.trim_ascii() {
            [] => Ok(()),
            text => match serde_json::from_slice::<Line<'_>>(text) {
                Ok(line) => self.take_line(&line),
                Err(error) => Err(damaged(&error.to_string())),
            },
        };
        self.line = text;
        taken
    }

    fn take_line(&mut self, line: &Line<'_>) -> io::Result<()> {
        match line.kind {
            2 => {
                let payload = line.payload.as_deref().unwrap_or_default();
                let decoded = BASE64.decode_vec(payload, &mut self.held);
                decoded.map_err(|_| damaged("its bytes are not base64"))?;
                self.drop_padding();
                if self.held.len() as u64 > LINE_BYTES {
                    self.release();
                }
                Ok(())
            }
            1 => {
                let name = name_of(line)?;
                self.take_file(&name, line.size)
            }
            _ => Err(damaged("it has a line of an unknown type")),
        }
    }

    /// What was padding behind a file that has another size now is replaced by what it takes.
    fn drop_padding(&mut self) {
        if self.held.len() >= self.dropped {
            self.held.drain(..self.dropped);
            self.dropped = 0;
        }
    }

    fn take_file(&mut self, name: &[u8], size: u64) -> io::Result<()> {
        if size == 0 && !is_empty_file(&self.held, name) {
            self.release();
            return Ok(());
        }
        let found = open_below(&self.root, name).and_then(|file| {
            let about = file.metadata()?;
            if about.is_file() { Ok((about.len(), file)) } else { Err(Errno::INVAL.into()) }
        });
        match found {
            Ok((now, file)) if now == size => {
                self.release();
                self.file = Some(Content { file, left: size, padding: 0 });
                self.lead = padding(size);
            }
            Ok((now, file)) => {
                self.note(name, &format!("has {now} bytes in the engine's folder, and had {size}"));
                self.resize(now)?;
                self.release();
                self.file = Some(Content { file, left: now, padding: padding(now) });
                self.dropped = padding(size);
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Err(error),
            Err(error) => {
                self.note(name, &format!("is not in the engine's folder: {error}"));
                // The entry goes, headers and all: it is what was read since the last one.
                self.held.truncate(self.lead);
                self.dropped = padding(size);
            }
        }
        Ok(())
    }

    /// Writes another size into the header at the end of what is held.
    fn resize(&mut self, size: u64) -> io::Result<()> {
        let unknown = || damaged("a file has another size now, and its header has an unknown form");
        let header = self.held.last_chunk_mut::<BLOCK>().ok_or_else(unknown)?;
        let octal = format!("{size:011o}\0");
        let field = header.get_mut(124..136).filter(|field| field.len() == octal.len());
        field.ok_or_else(unknown)?.copy_from_slice(octal.as_bytes());
        if let Some(sum) = header.get_mut(148..156) {
            sum.fill(b' ');
        }
        let total: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        if let Some(sum) = header.get_mut(148..156) {
            sum.copy_from_slice(format!("{total:06o}\0 ").as_bytes());
        }
        Ok(())
    }

    fn release(&mut self) {
        self.ready.clear();
        self.taken = 0;
        self.lead = 0;
        std::mem::swap(&mut self.ready, &mut self.held);
    }

    fn note(&self, name: &[u8], reason: &str) {
        let mut path = String::new();
        normalise(name, &mut path);
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes.push(NOTES, || (path, reason.to_owned()));
    }

    /// Content of the file; one that ends early is an error.
    fn take_content(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(content) = &mut self.file else { return Ok(0) };
        let most = usize::try_from(content.left).unwrap_or(usize::MAX).min(buffer.len());
        let count = content.file.read(buffer.get_mut(..most).unwrap_or_default())?;
        if count == 0 {
            return Err(damaged("a file changed while it was read"));
        }
        content.left -= count as u64;
        Ok(count)
    }
}

impl<R: BufRead> Read for Assembler<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let rest = self.ready.get(self.taken..).unwrap_or_default();
            if !rest.is_empty() {
                let count = rest.len().min(buffer.len());
                let (room, rest) = (buffer.get_mut(..count), rest.get(..count));
                if let (Some(room), Some(rest)) = (room, rest) {
                    room.copy_from_slice(rest);
                }
                self.taken += count;
                return Ok(count);
            }
            match &self.file {
                Some(Content { left: 0, padding, .. }) => {
                    self.ready = vec![0; *padding];
                    self.taken = 0;
                    self.file = None;
                }
                Some(_) => return self.take_content(buffer),
                None if self.ended => return Ok(0),
                None => {
                    self.ready.clear();
                    self.taken = 0;
                    if let Err(error) = self.advance() {
                        self.ended = true;
                        return Err(error);
                    }
                }
            }
        }
    }
}

fn padding(size: u64) -> usize {
    let over = usize::try_from(size % BLOCK as u64).unwrap_or(0);
    (BLOCK - over) % BLOCK
}

fn name_of(line: &Line<'_>) -> io::Result<Vec<u8>> {
    match (&line.name, &line.name_raw) {
        (_, Some(raw)) if !raw.is_empty() => {
            BASE64.decode(raw.as_bytes()).map_err(|_| damaged("a name in it is not base64"))
        }
        (Some(name), _) => Ok(name.as_bytes().to_vec()),
        _ => Err(damaged("a file in it has no name")),
    }
}

/// Whether an entry of no size is a regular file that lies in the folder: links and folders have no
/// content, and whiteouts become something else when they are unpacked.
fn is_empty_file(raw: &[u8], name: &[u8]) -> bool {
    let kind = raw.last_chunk::<BLOCK>().and_then(|header| header.get(156));
    let last = name.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    matches!(kind, Some(b'0' | 0)) && !last.is_empty() && !last.starts_with(b".wh.")
}

/// Opens a file below a folder. Links are followed as a container would, inside of the folder only,
/// and the file itself must be none; a pipe is not waited for.
fn open_below(root: &OwnedFd, name: &[u8]) -> io::Result<File> {
    let mut path = String::new();
    normalise(name, &mut path);
    // Names that are not UTF-8 keep their bytes.
    let relative = match std::str::from_utf8(name) {
        Ok(_) => OsStr::new(path.as_str()),
        Err(_) => OsStr::from_bytes(name.strip_prefix(b"./").unwrap_or(name)),
    };
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let inside = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    match rustix::fs::openat2(root, relative, flags, Mode::empty(), inside) {
        Ok(file) => Ok(File::from(file)),
        // Kernels before 5.6 do not know the call, and some sandboxes refuse it.
        Err(Errno::NOSYS | Errno::PERM) => open_step_by_step(root, Path::new(relative), flags),
        Err(error) => Err(error.into()),
    }
}

/// The same without the newer call, and without following any link.
fn open_step_by_step(root: &OwnedFd, path: &Path, flags: OFlags) -> io::Result<File> {
    let folder = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::DIRECTORY;
    let mut at = root.try_clone()?;
    let mut parts = path.components().peekable();
    while let Some(part) = parts.next() {
        let std::path::Component::Normal(name) = part else { return Err(Errno::INVAL.into()) };
        let last = parts.peek().is_none();
        at = rustix::fs::openat(&at, name, if last { flags } else { folder }, Mode::empty())?;
        if last {
            return Ok(File::from(at));
        }
    }
    Err(Errno::INVAL.into())
}

fn damaged(reason: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("the engine's record of the layer is damaged: {reason}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use testkit::{Entry, Tar};

    /// Splits a tar of plain headers as Docker does, and puts the files into a folder.
    fn split(tar: &[u8], folder: &Path) -> String {
        let mut record = String::new();
        let (mut at, mut raw) = (0, Vec::new());
        let mut line = |value: serde_json::Value| record.push_str(&format!("{value}\n"));
        while tar[at] != 0 {
            let header = &tar[at..at + BLOCK];
            raw.extend_from_slice(header);
            at += BLOCK;
            let name = header[..100].split(|byte| *byte == 0).next().unwrap();
            let octal = std::str::from_utf8(&header[124..135]).unwrap();
            let size = usize::from_str_radix(octal, 8).unwrap();
            line(serde_json::json!({"type": 2, "payload": BASE64.encode(&raw)}));
            raw.clear();
            let name = std::str::from_utf8(name).unwrap();
            let mut entry = serde_json::json!({"type": 1, "name": name, "payload": null});
            if size > 0 {
                entry["size"] = size.into();
                entry["payload"] = "AAAAAAAAAAA=".into();
            }
            line(entry);
            let path = folder.join(name);
            match header[156] {
                b'5' => std::fs::create_dir_all(path).unwrap(),
                b'0' => std::fs::write(path, &tar[at..at + size]).unwrap(),
                _ => {}
            }
            at += size;
            raw.extend_from_slice(&tar[at..at + padding(size as u64)]);
            at += padding(size as u64);
        }
        raw.extend_from_slice(&tar[at..]);
        line(serde_json::json!({"type": 2, "payload": BASE64.encode(&raw)}));
        record
    }

    fn sample(content: &[u8]) -> Vec<u8> {
        Tar::new()
            .entry(&Entry::file("before", "of odd size"))
            .entry(&Entry::directory("d/"))
            .entry(&Entry::file("d/0", "another"))
            .entry(&Entry::file("d/a", content))
            .entry(&Entry::file("empty", ""))
            .entry(&Entry::symlink("link", "d/a"))
            .entry(&Entry::file(".wh.gone", ""))
            .entry(&Entry::file("last", "the last one"))
            .finish()
    }

    fn made(record: &str, folder: &Path) -> (Vec<u8>, Vec<(String, String)>) {
        let mut assembler = Assembler::new(record.as_bytes(), folder).unwrap();
        let mut tar = Vec::new();
        assembler.read_to_end(&mut tar).unwrap();
        let notes = assembler.notes.lock().unwrap().clone();
        (tar, notes.to_vec())
    }

    #[test]
    fn the_tar_comes_back_byte_for_byte() {
        for size in [1, 511, 512, 513, 100_000] {
            let folder = tempfile::tempdir().unwrap();
            let tar = sample(&vec![b'x'; size]);
            let record = split(&tar, folder.path());
            std::fs::remove_file(folder.path().join(".wh.gone")).unwrap();
            assert_eq!(made(&record, folder.path()), (tar, vec![]), "{size}");
        }
    }

    #[test]
    fn a_changed_file_makes_an_honest_tar_and_a_note() {
        for (before, after) in [(600, 5), (5, 600), (512, 0), (512, 513), (10, 10_000)] {
            let folder = tempfile::tempdir().unwrap();
            let record = split(&sample(&vec![b'x'; before]), folder.path());
            std::fs::remove_file(folder.path().join(".wh.gone")).unwrap();
            std::fs::write(folder.path().join("d/a"), vec![b'y'; after]).unwrap();
            let (tar, notes) = made(&record, folder.path());
            assert_eq!(tar, sample(&vec![b'y'; after]), "{before} to {after}");
            let reason = format!("has {after} bytes in the engine's folder, and had {before}");
            assert_eq!(notes, [("d/a".to_owned(), reason)]);
        }
    }

    #[test]
    fn a_missing_or_other_entry_is_left_out_and_noted() {
        let outside = tempfile::NamedTempFile::new().unwrap();
        for change in ["missing", "link", "folder"] {
            let folder = tempfile::tempdir().unwrap();
            let record = split(&sample(&[b'x'; 700]), folder.path());
            let path = folder.path().join("d/a");
            std::fs::remove_file(&path).unwrap();
            match change {
                "link" => std::os::unix::fs::symlink(outside.path(), &path).unwrap(),
                "folder" => std::fs::create_dir(&path).unwrap(),
                _ => {}
            }
            std::fs::write(folder.path().join("empty"), "grown").unwrap();
            let (tar, notes) = made(&record, folder.path());
            let left = Tar::new()
                .entry(&Entry::file("before", "of odd size"))
                .entry(&Entry::directory("d/"))
                .entry(&Entry::file("d/0", "another"))
                .entry(&Entry::file("empty", "grown"))
                .entry(&Entry::symlink("link", "d/a"))
                .entry(&Entry::file(".wh.gone", ""))
                .entry(&Entry::file("last", "the last one"))
                .finish();
            assert_eq!(tar, left, "{change}");
            assert_eq!(notes.len(), 2, "{notes:?}");
            assert!(notes[0].1.starts_with("is not in the engine's folder"), "{notes:?}");
        }
    }

    #[test]
    fn nothing_outside_of_the_folder_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), "twelve bytes").unwrap();
        std::os::unix::fs::symlink(outside.path(), folder.path().join("out")).unwrap();
        std::fs::create_dir(folder.path().join("real")).unwrap();
        std::fs::write(folder.path().join("real/file"), "inside").unwrap();
        std::os::unix::fs::symlink("/real", folder.path().join("in")).unwrap();
        let name = outside.path().join("secret").display().to_string();
        for name in ["out/secret", "../secret", &name] {
            let line = serde_json::json!({"type": 1, "name": name, "size": 12});
            let (tar, notes) = made(&line.to_string(), folder.path());
            assert!(tar.is_empty() && notes.len() == 1, "{name}: {notes:?}");
        }
        let line = serde_json::json!({"type": 1, "name": "in/file", "size": 6});
        assert_eq!(made(&line.to_string(), folder.path()).0, b"inside");
        let root = rustix::fs::open(folder.path(), OFlags::DIRECTORY, Mode::empty()).unwrap();
        let plain = OFlags::RDONLY | OFlags::NOFOLLOW;
        assert!(open_step_by_step(&root, Path::new("real/file"), plain).is_ok());
        for path in ["out/secret", "in/file", "../x", "/real/file", ""] {
            assert!(open_step_by_step(&root, Path::new(path), plain).is_err(), "{path}");
        }
    }

    #[test]
    fn a_damaged_record_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for record in [
            "nonsense",
            r#"{"type":3}"#,
            r#"{"type":1}"#,
            r#"{"type":2,"payload":"%"}"#,
            r#"{"type":1,"name_raw":"%"}"#,
        ] {
            let error = assemble(record.as_bytes(), folder.path(), &mut io::sink()).unwrap_err();
            assert!(error.to_string().contains("damaged"), "{record}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_record_ends(
            lines in prop::collection::vec((0_u8..4, "[a-z./]{0,6}", 0_u64..2000, 0_usize..1100), 0..12),
            noise in prop::collection::vec(any::<u8>(), 0..64),
        ) {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("a"), [1; 700]).unwrap();
            let mut record = String::new();
            for (kind, name, size, raw) in lines {
                let payload = BASE64.encode(vec![b'0'; raw]);
                record.push_str(&format!("{}\n", serde_json::json!({
                    "type": kind, "name": name, "size": size, "payload": payload,
                })));
            }
            let _ = assemble(record.as_bytes(), folder.path(), &mut io::sink());
            let _ = assemble(&noise, folder.path(), &mut io::sink());
        }
    }
}
