//! The names of the functions that the linker left in a program, which passes by as a stream.
//!
//! Go programs carry a table for stack traces, stripped or not: a header, then the names of all
//! functions, those that were inlined included, each ended by a zero byte. Section headers tell where
//! it lies, but a stream has not seen them yet, so the table is told by its header, which stands at a
//! multiple of 16. A program that holds another program inside has two tables; all are read, as too
//! many names hide nothing.
//!
//! Before Go 1.16 names stood among other data: such tables are not read, and a program without the
//! name that each has, `runtime.main`, has no table that is understood.
//! Source: Go `cmd/link/internal/ld/pcln.go`, `debug/gosym`, `cmd/internal/objabi.PathToPrefix`.

use std::borrow::Cow;
use std::collections::HashSet;
use vocabulary::Functions;

/// The header's first four bytes, by Go's release: 1.20 and later, 1.18, 1.16.
const MAGICS: [(u32, usize); 3] = [(0xffff_fff1, 8), (0xffff_fff0, 8), (0xffff_fffa, 7)];
const ALIGNMENT: usize = 16;
/// Numbers behind the first eight bytes of the header, at most eight bytes wide.
const HEADER_BYTES: usize = 8 + 8 * 8;
/// How far behind the header's start the names may begin.
const MAX_NAMES_START: u64 = 512;
/// How many bytes names may take; Kubernetes has about 10 MB.
const MAX_NAMES: u64 = 256 << 20;
/// How many functions one program may have; Kubernetes has about 150,000.
const MAX_FUNCTIONS: usize = 2 << 20;
/// Longest name; those of generic functions spell out their types.
const MAX_NAME: usize = 64 << 10;

/// Reads the tables of one program.
pub(super) struct Tables {
    state: State,
    /// Bytes that are not done with: of a header, or of a name.
    held: Vec<u8>,
    /// Offset in the file of the first of them, or of the next byte.
    at: u64,
    found: HashSet<u32>,
    broken: bool,
}

#[derive(Clone, Copy)]
enum State {
    /// Looks for a header.
    Seek,
    /// Names lie from the first offset up to the second.
    Names(u64, u64),
}

/// What stands where a header may stand.
enum Header {
    Cut,
    None,
    Names(u64, u64),
}

impl Tables {
    pub(super) fn new() -> Self {
        Self { state: State::Seek, held: Vec::new(), at: 0, found: HashSet::new(), broken: false }
    }

    /// Takes the next bytes of the file.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        if self.broken {
            return;
        }
        self.held.extend_from_slice(bytes);
        while !self.broken {
            let go_on = match self.state {
                State::Seek => self.seek(),
                State::Names(from, to) => self.names(from, to),
            };
            if !go_on {
                break;
            }
        }
    }

    /// Whether a header was found.
    fn seek(&mut self) -> bool {
        let first = self.at.next_multiple_of(ALIGNMENT as u64) - self.at;
        let mut index = usize::try_from(first).unwrap_or_default();
        while let Some(rest) = self.held.get(index..).filter(|rest| rest.len() >= 8) {
            match header(rest) {
                Header::None => index += ALIGNMENT,
                Header::Cut => break,
                Header::Names(from, to) => {
                    self.forget(index);
                    let (from, to) = (self.at.saturating_add(from), self.at.saturating_add(to));
                    self.state = State::Names(from, to);
                    return true;
                }
            }
        }
        self.forget(index);
        false
    }

    /// Whether all names have passed by.
    fn names(&mut self, from: u64, to: u64) -> bool {
        if let Ok(skip) = usize::try_from(from.saturating_sub(self.at)) {
            self.forget(skip);
        }
        let left = usize::try_from(to.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let held = std::mem::take(&mut self.held);
        let inside = held.get(..left.min(held.len())).unwrap_or_default();
        let mut done = 0;
        if self.at >= from {
            for end in memchr::memchr_iter(0, inside) {
                self.add(inside.get(done..end).unwrap_or_default());
                done = end + 1;
            }
        }
        let whole = inside.len() == left;
        self.broken |= inside.len() - done > MAX_NAME || self.found.len() > MAX_FUNCTIONS;
        self.held = held;
        if whole {
            self.state = State::Seek;
            done = left;
        }
        self.forget(done);
        whole
    }

    fn forget(&mut self, count: usize) {
        let count = count.min(self.held.len());
        self.held.drain(..count);
        self.at = self.at.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
    }

    fn add(&mut self, name: &[u8]) {
        let Ok(name) = std::str::from_utf8(name) else { return };
        if let Some((package, function)) = split(name) {
            self.found.insert(Functions::hash(&package, ""));
            self.found.insert(Functions::hash(&package, &function));
        }
    }

    /// The functions, at the end of the program.
    pub(super) fn finish(self) -> Option<Functions> {
        let whole = !self.broken && matches!(self.state, State::Seek);
        let functions = Functions::new(self.found.into_iter().collect());
        (whole && functions.hold("runtime", "main")).then_some(functions)
    }
}

/// Reads a header: where names begin and end, from its own start on.
fn header(bytes: &[u8]) -> Header {
    let Some([a, b, c, d, 0, 0, 1 | 2 | 4, width @ (4 | 8)]) = bytes.first_chunk() else {
        return Header::None;
    };
    let (little, big) =
        (u32::from_le_bytes([*a, *b, *c, *d]), u32::from_be_bytes([*a, *b, *c, *d]));
    let Some((magic, fields)) = MAGICS.into_iter().find(|(magic, _)| [little, big].contains(magic))
    else {
        return Header::None;
    };
    if bytes.len() < HEADER_BYTES {
        return Header::Cut;
    }
    let read = crate::binary::Fields { bytes, big: big == magic, wide: *width == 8 };
    let width = usize::from(*width);
    // The last five are: names, compilation units, files, program counters, functions.
    let field = |back: usize| read.address(8 + (fields - back) * width).unwrap_or_default();
    let (functions, from, to) = (read.address(8).unwrap_or_default(), field(5), field(4));
    let least = u64::try_from(8 + fields * width).unwrap_or_default();
    let sound = (least..=MAX_NAMES_START).contains(&from)
        && to > from
        && to - from <= MAX_NAMES
        && functions > 0
        && functions <= to - from;
    if sound { Header::Names(from, to) } else { Header::None }
}

/// Package and function of a symbol, as advisories write them: methods as `Type.Method`, without
/// what makes a generic one special.
fn split(symbol: &str) -> Option<(Cow<'_, str>, String)> {
    // Types' own functions (`type:.eq.…`) and the linker's have no package.
    let end = symbol.find(['[', '(', '{']).unwrap_or(symbol.len());
    let path_end = symbol.get(..end)?.rfind('/').map_or(0, |slash| slash + 1);
    let dot = path_end + symbol.get(path_end..end)?.find('.')?;
    let (package, name) = (symbol.get(..dot)?, symbol.get(dot + 1..)?);
    let of_linker = symbol.starts_with("type..") || package.contains(':') || package == "go";
    if package.is_empty() || name.is_empty() || of_linker {
        return None;
    }
    let mut function = String::with_capacity(name.len());
    let mut depth = 0_usize;
    for letter in name.chars() {
        match letter {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            '(' | ')' | '*' if depth == 0 => {}
            _ if depth == 0 => function.push(letter),
            _ => {}
        }
    }
    Some((unescape(package), function))
}

/// The linker writes dots of a path's last part, and what is no plain letter, as `%2e`.
fn unescape(path: &str) -> Cow<'_, str> {
    if !path.contains('%') {
        return Cow::Borrowed(path);
    }
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        let code = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        match code.filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(symbol: &str) -> Option<String> {
        split(symbol).map(|(package, function)| format!("{package} {function}"))
    }

    #[test]
    fn symbols_are_read_as_advisories_write_them() {
        for (symbol, expected) in [
            ("net/http.Get", Some("net/http Get")),
            ("net/http.(*Client).Do", Some("net/http Client.Do")),
            ("net/http.Header.Get", Some("net/http Header.Get")),
            ("net/http.(*Client).Do-fm", Some("net/http Client.Do-fm")),
            ("net/http.(*Client).do.func1", Some("net/http Client.do.func1")),
            ("gopkg.in/yaml%2ev2.Unmarshal", Some("gopkg.in/yaml.v2 Unmarshal")),
            ("github.com/a/b.c/d.E", Some("github.com/a/b.c/d E")),
            ("slices.SortFunc[go.shape.[]a/b.C,go.shape.int]", Some("slices SortFunc")),
            ("a/b.(*List[go.shape.struct { x.Y }]).Push", Some("a/b List.Push")),
            ("main.main", Some("main main")),
            ("main.init#1", Some("main init#1")),
            ("type:.eq.net/http.Header", None),
            ("type..eq.net/http.Header", None),
            ("go:buildid", None),
            ("go.buildid", None),
            ("_rt0_amd64_linux", None),
            (".x", None),
            ("x.", None),
            ("", None),
        ] {
            assert_eq!(named(symbol).as_deref(), expected, "{symbol}");
        }
    }
}
