//! Writes tar archives, honest and hostile.
//!
//! Source: POSIX.1-2017 pax, "ustar Interchange Format" and "pax Header Block"; GNU tar manual,
//! "Basic Tar Format" and "Storing Sparse Files".

/// The size of a tar block.
pub const BLOCK: usize = 512;

/// One entry; every field can be made a false one.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Name as it is written, with or without a leading slash or `./`.
    pub path: Vec<u8>,
    /// The type flag: `b'0'` file, `b'1'` hard link, `b'2'` symlink, `b'5'` directory, and so on.
    pub flag: u8,
    /// Content.
    pub content: Vec<u8>,
    /// Link target.
    pub link: Vec<u8>,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u64,
    /// Group.
    pub gid: u64,
    /// Time in seconds.
    pub mtime: u64,
    /// Size in the header, where it is not that of the content.
    pub size: Option<u64>,
    /// Records of a pax header before the entry.
    pub pax: Vec<(String, Vec<u8>)>,
    /// How names of more than 100 bytes are written.
    pub long_names: LongNames,
    /// Whether the header checksum is right.
    pub good_checksum: bool,
}

/// How names of more than 100 bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LongNames {
    /// In entries of type `L` and `K` before.
    Gnu,
    /// As `path` and `linkpath` of a pax header.
    Pax,
    /// In the `prefix` field, where they fit.
    Ustar,
}

impl Entry {
    /// A regular file of mode 0644.
    pub fn file(path: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Self {
        Self { content: content.as_ref().to_vec(), ..Self::of(b'0', path, 0o644) }
    }

    /// A directory of mode 0755.
    pub fn directory(path: impl AsRef<[u8]>) -> Self {
        Self::of(b'5', path, 0o755)
    }

    /// A symbolic link.
    pub fn symlink(path: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> Self {
        Self { link: target.as_ref().to_vec(), ..Self::of(b'2', path, 0o777) }
    }

    /// A hard link to an earlier entry, or to a file of a layer below.
    pub fn hard_link(path: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> Self {
        Self { link: target.as_ref().to_vec(), ..Self::of(b'1', path, 0o644) }
    }

    /// An entry of any type without content.
    pub fn of(flag: u8, path: impl AsRef<[u8]>, mode: u32) -> Self {
        Self {
            path: path.as_ref().to_vec(),
            flag,
            content: Vec::new(),
            link: Vec::new(),
            mode,
            uid: 0,
            gid: 0,
            mtime: 1_600_000_000,
            size: None,
            pax: Vec::new(),
            long_names: LongNames::Gnu,
            good_checksum: true,
        }
    }

    /// With other permission bits.
    #[must_use]
    pub fn mode(self, mode: u32) -> Self {
        Self { mode, ..self }
    }

    /// With another owner and group.
    #[must_use]
    pub fn owner(self, uid: u64, gid: u64) -> Self {
        Self { uid, gid, ..self }
    }

    /// With a size in the header that the content does not have.
    #[must_use]
    pub fn claiming(self, size: u64) -> Self {
        Self { size: Some(size), ..self }
    }

    /// With a record in a pax header before it.
    #[must_use]
    pub fn pax(mut self, key: impl Into<String>, value: impl AsRef<[u8]>) -> Self {
        self.pax.push((key.into(), value.as_ref().to_vec()));
        self
    }

    /// With another form for long names.
    #[must_use]
    pub fn long_names(self, long_names: LongNames) -> Self {
        Self { long_names, ..self }
    }

    /// With a checksum that is wrong.
    #[must_use]
    pub fn bad_checksum(self) -> Self {
        Self { good_checksum: false, ..self }
    }
}

/// A tar in the making.
#[derive(Clone, Debug, Default)]
pub struct Tar {
    bytes: Vec<u8>,
}

impl Tar {
    /// An empty one.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    /// Adds an entry.
    #[must_use]
    pub fn entry(mut self, entry: &Entry) -> Self {
        self.push(entry);
        self
    }

    /// Adds a file.
    #[must_use]
    pub fn file(self, path: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Self {
        self.entry(&Entry::file(path, content))
    }

    /// Adds bytes as they are.
    #[must_use]
    pub fn raw(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// Adds a sparse file in the old GNU form: pieces of data at offsets.
    #[must_use]
    pub fn sparse_gnu(mut self, path: &str, pieces: &[(u64, &[u8])], real_size: u64) -> Self {
        let content: Vec<u8> = pieces.iter().flat_map(|(_, data)| data.iter().copied()).collect();
        let mut header = header(&Entry { flag: b'S', ..Entry::file(path, &content) });
        put(&mut header, 257, b"ustar  \0");
        for (index, (offset, data)) in pieces.iter().take(4).enumerate() {
            put_number(&mut header, 386 + index * 24, 12, *offset);
            put_number(&mut header, 398 + index * 24, 12, size_of_content(data));
        }
        put_number(&mut header, 483, 12, real_size);
        let mut more = pieces.get(4..).unwrap_or_default().chunks(21).peekable();
        put(&mut header, 482, &[u8::from(more.peek().is_some())]);
        seal(&mut header, true);
        self.bytes.extend_from_slice(&header);
        while let Some(pieces) = more.next() {
            let mut block = [0; BLOCK];
            for (index, (offset, data)) in pieces.iter().enumerate() {
                put_number(&mut block, index * 24, 12, *offset);
                put_number(&mut block, 12 + index * 24, 12, size_of_content(data));
            }
            put(&mut block, 504, &[u8::from(more.peek().is_some())]);
            self.bytes.extend_from_slice(&block);
        }
        self.content(&content);
        self
    }

    /// Adds a sparse file in GNU's pax form 1.0, where the map precedes the data.
    #[must_use]
    pub fn sparse_pax(mut self, path: &str, pieces: &[(u64, &[u8])], real_size: u64) -> Self {
        let mut content = format!("{}\n", pieces.len()).into_bytes();
        for (offset, data) in pieces {
            content.extend_from_slice(format!("{offset}\n{}\n", data.len()).as_bytes());
        }
        content.resize(content.len().next_multiple_of(BLOCK), 0);
        pieces.iter().for_each(|(_, data)| content.extend_from_slice(data));
        let entry = Entry::file(format!("GNUSparseFile.0/{path}"), content)
            .pax("GNU.sparse.major", "1")
            .pax("GNU.sparse.minor", "0")
            .pax("GNU.sparse.name", path)
            .pax("GNU.sparse.realsize", real_size.to_string());
        self.push(&entry);
        self
    }

    /// Adds a sparse file in GNU's pax form 0.0 or 0.1, where the extended header holds the map.
    #[must_use]
    pub fn sparse_pax_old(
        mut self,
        path: &str,
        pieces: &[(u64, &[u8])],
        real_size: u64,
        minor: u8,
    ) -> Self {
        let content: Vec<u8> = pieces.iter().flat_map(|(_, data)| data.iter().copied()).collect();
        let name = if minor == 0 { path.to_owned() } else { format!("GNUSparseFile.0/{path}") };
        let mut entry = Entry::file(name, content)
            .pax("GNU.sparse.size", real_size.to_string())
            .pax("GNU.sparse.numblocks", pieces.len().to_string());
        if minor == 0 {
            for (offset, data) in pieces {
                entry = entry
                    .pax("GNU.sparse.offset", offset.to_string())
                    .pax("GNU.sparse.numbytes", data.len().to_string());
            }
        } else {
            let numbers = pieces.iter().map(|(offset, data)| format!("{offset},{}", data.len()));
            let map = numbers.collect::<Vec<_>>().join(",");
            entry = entry.pax("GNU.sparse.name", path).pax("GNU.sparse.map", map);
        }
        self.push(&entry);
        self
    }

    /// The archive with its two closing blocks.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        self.bytes.resize(self.bytes.len() + 2 * BLOCK, 0);
        self.bytes
    }

    /// The archive without closing blocks.
    #[must_use]
    pub fn unfinished(self) -> Vec<u8> {
        self.bytes
    }

    /// Adds an entry in place.
    pub fn push(&mut self, entry: &Entry) {
        let mut pax = entry.pax.clone();
        for (name, flag, key) in [(&entry.path, b'L', "path"), (&entry.link, b'K', "linkpath")] {
            match entry.long_names {
                LongNames::Gnu if name.len() > 100 => {
                    let mut content = name.clone();
                    content.push(0);
                    let long = Entry { flag, ..Entry::file("././@LongLink", &content) };
                    self.bytes.extend_from_slice(&header(&long));
                    self.content(&content);
                }
                LongNames::Pax if name.len() > 100 => pax.push((key.to_owned(), name.clone())),
                _ => {}
            }
        }
        if !pax.is_empty() {
            let content: Vec<u8> =
                pax.iter().flat_map(|(key, value)| pax_record(key, value)).collect();
            let before = Entry { flag: b'x', ..Entry::file("PaxHeaders/0", &content) };
            self.bytes.extend_from_slice(&header(&before));
            self.content(&content);
        }
        self.bytes.extend_from_slice(&header(entry));
        self.content(&entry.content);
    }

    fn content(&mut self, content: &[u8]) {
        self.bytes.extend_from_slice(content);
        self.bytes.resize(self.bytes.len().next_multiple_of(BLOCK), 0);
    }
}

/// `length key=value\n`, where the length counts itself.
#[must_use]
pub fn pax_record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    [format!("{length} {key}=").as_bytes(), value, b"\n"].concat()
}

fn header(entry: &Entry) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let short = &entry.path;
    let split = match entry.long_names {
        LongNames::Ustar if short.len() > 100 => {
            short.iter().enumerate().find(|(at, byte)| **byte == b'/' && short.len() - at <= 101)
        }
        _ => None,
    };
    match split.and_then(|(at, _)| short.split_at_checked(at)) {
        Some((prefix, name)) => {
            put(&mut block, 0, name.get(1..).unwrap_or_default());
            put(&mut block, 345, prefix);
        }
        None => put(&mut block, 0, short.get(..100).unwrap_or(short)),
    }
    put_number(&mut block, 100, 8, u64::from(entry.mode));
    put_number(&mut block, 108, 8, entry.uid);
    put_number(&mut block, 116, 8, entry.gid);
    put_number(&mut block, 124, 12, entry.size.unwrap_or(size_of_content(&entry.content)));
    put_number(&mut block, 136, 12, entry.mtime);
    put(&mut block, 156, &[entry.flag]);
    put(&mut block, 157, entry.link.get(..100).unwrap_or(&entry.link));
    put(&mut block, 257, b"ustar\x0000");
    seal(&mut block, entry.good_checksum);
    block
}

fn size_of_content(content: &[u8]) -> u64 {
    u64::try_from(content.len()).unwrap_or(u64::MAX)
}

fn put(block: &mut [u8; BLOCK], at: usize, bytes: &[u8]) {
    block.iter_mut().skip(at).zip(bytes).for_each(|(place, byte)| *place = *byte);
}

/// Octal, or base 256 with the top bit set where octal has no room.
fn put_number(block: &mut [u8; BLOCK], at: usize, width: usize, value: u64) {
    let octal = format!("{value:0>width$o}\0", width = width - 1);
    if octal.len() <= width {
        return put(block, at, octal.as_bytes());
    }
    let mut field = vec![0; width.saturating_sub(8)];
    field.extend_from_slice(&value.to_be_bytes());
    let skipped = field.len().saturating_sub(width);
    let mut field: Vec<u8> = field.into_iter().skip(skipped).collect();
    if let Some(first) = field.first_mut() {
        *first |= 0x80;
    }
    put(block, at, &field);
}

fn seal(block: &mut [u8; BLOCK], good: bool) {
    put(block, 148, b"        ");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    put(block, 148, format!("{:06o}\0 ", sum + u32::from(!good)).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    /// What the system's tar makes of an archive; none where there is no tar.
    fn listed(archive: &[u8]) -> Option<String> {
        let mut child = Command::new("tar")
            .args(["tvf", "-", "--numeric-owner"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        child.stdin.take().unwrap().write_all(archive).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        Some(String::from_utf8(output.stdout).unwrap())
    }

    #[test]
    fn the_systems_tar_reads_what_is_written() {
        let long = format!("{}/name", "folder/".repeat(30));
        let tar = Tar::new()
            .entry(&Entry::directory("etc/"))
            .entry(&Entry::file("etc/passwd", "root").mode(0o4755).owner(7, 3_000_000))
            .entry(&Entry::symlink("lib", "usr/lib"))
            .entry(&Entry::hard_link("etc/other", "etc/passwd"))
            .entry(&Entry::file(format!("g{long}"), "x"))
            .entry(&Entry::file(format!("p{long}"), "x").long_names(LongNames::Pax))
            .entry(&Entry::file(format!("u{long}"), "x").long_names(LongNames::Ustar))
            .sparse_gnu("sparse", &[(4096, b"data")], 10_000)
            .sparse_pax("sparser", &[(0, b"a"), (65536, b"b")], 70_000)
            .finish();
        let Some(listed) = listed(&tar) else { return };
        let expected = [
            "-rwsr-xr-x 7/3000000".to_owned(),
            "lib -> usr/lib".to_owned(),
            "etc/other link to etc/passwd".to_owned(),
            format!(" g{long}\n"),
            format!(" p{long}\n"),
            format!(" u{long}\n"),
            "10000 2020-09-13".to_owned(),
            "70000 2020-09-13".to_owned(),
            " sparser\n".to_owned(),
        ];
        for part in expected {
            assert!(listed.contains(&part), "{part} in\n{listed}");
        }
    }

    #[test]
    fn a_pax_record_counts_itself() {
        assert_eq!(pax_record("path", b"x"), b"9 path=x\n");
        assert_eq!(pax_record("a", b"b"), b"6 a=b\n");
        let long = pax_record("path", &[b'x'; 91]);
        assert!(long.starts_with(b"101 path=") && long.len() == 101, "{}", long.len());
    }
}
