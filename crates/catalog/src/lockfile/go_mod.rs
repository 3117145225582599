//! `go.mod`, with `go.sum` and `go.work`. Source: "Go Modules Reference", go.mod file syntax, go.sum
//! files, Workspaces.
//!
//! `require` lists modules; since Go 1.17 all that the build needs are there. Before, what these need in
//! turn stands in `go.sum` alone: of each module the highest version whose content it vouches for. A
//! `replace` with a version stands in for what it replaces; one with a folder leaves it without a
//! version, with the path of the folder; one of a workspace holds for all its modules. `exclude` forbids versions that another
//! line then replaces by a higher one, so it changes nothing here. The standard library is listed in the
//! version of the `toolchain` line, else in that of the `go` line: nothing older builds it.

use super::listing::{Entry, Listing};
use super::requirements::beside;
use super::{Declared, Lockfile, Part, Reader, Together, is_named};
use crate::decoded::decoded;
use crate::elsewhere::Elsewhere;
use crate::go::semantic;
use image::Interest;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use vocabulary::{Ecosystem, Purl, Relation};

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "go-mod",
    ecosystem: Ecosystem::GO,
    interests: &[Interest::Name("go.mod"), Interest::Name("go.sum"), Interest::Name("go.work")],
    accepts: |path| is_named(path, &["go.mod", "go.sum", "go.work"]),
    at_most: 32 << 20,
    reader: Reader::Together(Together {
        counts: |path| is_named(path, &["go.mod", "go.work"]),
        read,
        join,
    }),
};

/// The first release of Go whose `go.mod` names all modules that the build needs.
const COMPLETE: (u32, u32) = (1, 17);
/// What is said of an older one without a `go.sum`.
const NO_SUM: &str = "it is of Go 1.16 or older and there is no go.sum: what its modules need in turn is not known; run `go mod tidy -go=1.17`";

#[derive(Serialize, Deserialize)]
enum File {
    Module(Module),
    /// `go.work`, and the folders that it uses.
    Work(Module, Vec<String>),
    /// Of each module the highest version whose content is vouched for, and its line.
    Sum(Vec<(String, String, u32)>),
}

#[derive(Default, Serialize, Deserialize)]
struct Module {
    /// Its path.
    path: String,
    required: Vec<(String, String, u32)>,
    /// Lines of what only other modules need, in order.
    indirect: Vec<u32>,
    replaced: Vec<Replacement>,
    go: Option<(String, u32)>,
    toolchain: Option<(String, u32)>,
}

/// What is replaced, all versions or one; by what, a module with its version or a folder.
#[derive(Clone, Serialize, Deserialize)]
struct Replacement {
    module: String,
    version: Option<String>,
    target: Option<(String, String)>,
    /// Where it is a folder.
    folder: String,
}

fn read(path: &str, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let text = decoded(bytes)?;
    let file = if is_named(path, &["go.sum"]) {
        File::Sum(sum(&text))
    } else {
        let work = is_named(path, &["go.work"]);
        let (module, uses, named) = module(&text)?;
        if !named && !text.trim().is_empty() && !work {
            return Err("it is not a go.mod: it has no `module` line".to_owned());
        }
        if work { File::Work(module, uses) } else { File::Module(module) }
    };
    postcard::to_allocvec(&file).map(Some).map_err(|_| "it is too large to be kept".to_owned())
}

/// A `go.mod` or `go.work`; the folders that it uses, and whether it names a module.
fn module(text: &str) -> Result<(Module, Vec<String>, bool), String> {
    let mut module = Module::default();
    let mut uses = Vec::new();
    let mut directive = String::new();
    let mut named = false;
    if text.replace("\r\n", "").contains('\r') {
        return Err("its lines end as Go does not read them: by a carriage return alone".to_owned());
    }
    for (line, number) in text.lines().zip(1_u32..) {
        let words = words(line).ok_or_else(|| {
            format!("line {number} is of no go.mod: a text in it does not end or cannot be read")
        })?;
        let words: Vec<&str> = words.iter().map(|word| &**word).collect();
        let (verb, rest) = match words.as_slice() {
            [")"] => {
                directive.clear();
                continue;
            }
            [verb, "("] => {
                directive = (*verb).to_owned();
                continue;
            }
            [_, "(", ")"] => continue,
            words if !directive.is_empty() => (directive.as_str(), words),
            [verb, rest @ ..] => (*verb, rest),
            [] => continue,
        };
        named |= verb == "module";
        let replacement = |module: &str, version: Option<&str>, new: &[&str]| Replacement {
            module: module.to_owned(),
            version: version.map(str::to_owned),
            target: match new {
                [path, version, ..] => Some(((*path).to_owned(), (*version).to_owned())),
                _ => None,
            },
            folder: new.first().copied().unwrap_or_default().to_owned(),
        };
        match (verb, rest) {
            ("module", [path, ..]) => module.path = (*path).to_owned(),
            ("require", [path, version, ..]) => {
                module.indirect.extend(is_indirect(line).then_some(number));
                module.required.push(((*path).to_owned(), (*version).to_owned(), number));
            }
            // Go refuses a line like this; what it would name is not known.
            ("require", [path]) => {
                module.required.push(((*path).to_owned(), String::new(), number));
            }
            ("replace", [old, "=>", new @ ..]) => module.replaced.push(replacement(old, None, new)),
            ("replace", [old, version, "=>", new @ ..]) => {
                module.replaced.push(replacement(old, Some(version), new));
            }
            ("go", [version, ..]) => module.go = Some((format!("go{version}"), number)),
            ("toolchain", [name, ..]) if *name != "default" => {
                module.toolchain = Some(((*name).to_owned(), number));
            }
            ("use", [folder, ..]) => uses.push((*folder).to_owned()),
            _ => {}
        }
    }
    Ok((module, uses, named))
}

/// Source: Go, `modfile/rule.go`, `isIndirect`.
fn is_indirect(line: &str) -> bool {
    let comment = line.split_once("//").map_or("", |(_, comment)| comment).trim();
    comment == "indirect" || comment.starts_with("indirect;")
}

/// Most words of a line that count: `replace a v1 => b v2`.
const WORDS: usize = 7;

/// The words of a line, without its comment; none where a text is not whole. A word is a bracket, a run
/// of other letters up to a blank, a bracket, a comma or a comment, or a text in quotes. Source: "Go
/// Modules Reference", go.mod files, lexical elements; Go, `modfile/read.go`, `lex`.
fn words(line: &str) -> Option<Vec<Cow<'_, str>>> {
    const SINGLE: &[char] = &['(', ')', '[', ']', '{', '}', ','];
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next().filter(|_| words.len() < WORDS) {
        if rest.starts_with("//") {
            break;
        }
        let end = if SINGLE.contains(&first) {
            first.len_utf8()
        } else if matches!(first, '"' | '`') {
            let (text, end) = quoted(rest, first)?;
            words.push(text);
            rest = rest.get(end..)?.trim_start();
            continue;
        } else {
            let stop = |letter: char| letter.is_whitespace() || SINGLE.contains(&letter);
            let blank = rest.find(stop).unwrap_or(rest.len());
            rest.find("//").map_or(blank, |comment| comment.min(blank))
        };
        words.push(Cow::Borrowed(rest.get(..end)?));
        rest = rest.get(end..)?.trim_start();
    }
    Some(words)
}

/// The text at the beginning of a line, and where it ends. Source: "The Go Programming Language
/// Specification", String literals.
fn quoted(line: &str, quote: char) -> Option<(Cow<'_, str>, usize)> {
    let inner = line.get(1..)?;
    let plain = inner.find(quote)?;
    let text = inner.get(..plain)?;
    if quote == '`' || !text.contains('\\') {
        return Some((Cow::Borrowed(text), plain + 2));
    }
    let mut text = Vec::new();
    let mut letters = inner.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((Cow::Owned(String::from_utf8(text).ok()?), at + 2)),
            '\\' => {
                let (_, kind) = letters.next()?;
                let mut number = |first: &str, count: usize, radix: u32| {
                    let mut digits = first.to_owned();
                    digits.extend(letters.by_ref().take(count).map(|(_, digit)| digit));
                    u32::from_str_radix(&digits, radix).ok()
                };
                match kind {
                    '\\' | '"' => text.push(u8::try_from(kind).ok()?),
                    'x' => text.push(u8::try_from(number("", 2, 16)?).ok()?),
                    '0'..='7' => {
                        text.push(u8::try_from(number(&kind.to_string(), 2, 8)?).ok()?);
                    }
                    'u' | 'U' => {
                        let count = if kind == 'u' { 4 } else { 8 };
                        let letter = char::from_u32(number("", count, 16)?)?;
                        text.extend(letter.to_string().as_bytes());
                    }
                    // The others are control characters, which no path or version has.
                    _ => return None,
                }
            }
            _ => text.extend(letter.to_string().as_bytes()),
        }
    }
    None
}

/// `module version h1:…`; a version that ends with `/go.mod` vouches for that file alone.
fn sum(text: &str) -> Vec<(String, String, u32)> {
    let order = version::Scheme::of_ecosystem(Ecosystem::GO.as_str());
    let mut highest: BTreeMap<&str, (&str, u32)> = BTreeMap::new();
    for (line, number) in text.lines().zip(1_u32..) {
        let mut words = line.split_whitespace();
        let (Some(module), Some(version)) = (words.next(), words.next()) else { continue };
        if version.ends_with("/go.mod") || !version.starts_with('v') {
            continue;
        }
        let known = highest.entry(module).or_insert((version, number));
        let bare = |version: &str| version.trim_start_matches('v').to_owned();
        let compared = order.map(|order| order.compare(&bare(version), &bare(known.0)));
        if matches!(compared, Some(Ok(Ordering::Greater))) {
            *known = (version, number);
        }
    }
    highest
        .into_iter()
        .map(|(module, (version, line))| (module.to_owned(), version.to_owned(), line))
        .collect()
}

impl Module {
    fn is_complete(&self) -> bool {
        let version = self.go.as_ref().and_then(|(go, _)| semantic(go)).unwrap_or_default();
        let mut numbers = version.split('.').map_while(|part| part.parse::<u32>().ok());
        // Without a `go` line 1.16 is assumed.
        numbers.next().zip(numbers.next()).is_some_and(|release| release >= COMPLETE)
    }

    fn standard_library(&self) -> Option<Entry> {
        let (version, line) = self.toolchain.as_ref().or(self.go.as_ref())?;
        let version = semantic(version);
        let declared = version.and_then(|version| Declared::new("stdlib", &version, *line));
        Some(Entry::package(declared, *line))
    }

    /// What it requires, with what replaces that; `more` are the replacements of a workspace.
    fn listing(&self, more: &[Replacement]) -> Listing {
        let all = self.replaced.iter().chain(more);
        let replaced: HashMap<_, _> =
            all.map(|one| ((one.module.as_str(), one.version.as_deref()), one)).collect();
        let mut listing = Listing::of_list(self.required.iter().map(|(path, version, line)| {
            let replacement = replaced
                .get(&(path.as_str(), Some(version.as_str())))
                .or_else(|| replaced.get(&(path.as_str(), None)));
            let mut entry = match replacement {
                None => package(path, version, *line),
                Some(Replacement { target: Some((path, version)), .. }) => {
                    package(path, version, *line)
                }
                // Which version the folder holds, nobody says.
                Some(Replacement { folder, .. }) => {
                    let elsewhere = Elsewhere::path(folder);
                    Entry::package(Declared::from_elsewhere(path, None, elsewhere, *line), *line)
                }
            };
            if let Entry::Package(declared) = &mut entry {
                let indirect = self.indirect.binary_search(line).is_ok();
                let relation = if indirect { Relation::Indirect } else { Relation::Direct };
                declared.relation = Some(relation);
            }
            entry
        }));
        listing.extend(self.standard_library());
        listing
    }
}

/// The package URL of a module without a version, where its path is plain text.
pub(crate) fn purl_of(path: &str) -> Option<Purl> {
    let path = super::plain_text(path)?;
    let parts = path.split('/').all(|part| !part.trim().is_empty());
    let purl = |(folder, name): (&str, &str)| Purl::new("golang", name).with_namespace(folder);
    let purl = path.rsplit_once('/').map_or_else(|| Purl::new("golang", path), purl);
    parts.then_some(purl)
}

fn package(path: &str, version: &str, line: u32) -> Entry {
    let plain = version.starts_with('v');
    Entry::package(plain.then(|| Declared::new(path, version, line)).flatten(), line)
}

fn join(parts: &[Part<'_>]) -> Vec<Option<Listing>> {
    let files: Vec<Option<File>> =
        parts.iter().map(|part| postcard::from_bytes(part.fact).ok()).collect();
    let folder = |path: &str| path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    // The folders of modules that a workspace uses, and what it replaces.
    let mut of_work: HashMap<String, &[Replacement]> = HashMap::new();
    let mut sums: HashMap<String, usize> = HashMap::new();
    for (at, (part, file)) in parts.iter().zip(&files).enumerate() {
        match file {
            Some(File::Work(work, uses)) => {
                let used = uses.iter().filter_map(|used| beside(part.path, used));
                of_work.extend(used.map(|used| (used, work.replaced.as_slice())));
            }
            Some(File::Sum(_)) => {
                sums.insert(folder(part.path), at);
            }
            _ => {}
        }
    }
    let mut listings: Vec<Option<Listing>> = parts.iter().map(|_| None).collect();
    for (at, (part, file)) in parts.iter().zip(&files).enumerate() {
        let listing = match file {
            Some(File::Module(module)) => {
                let more = of_work.get(&folder(part.path)).copied().unwrap_or_default();
                let mut listing = module.listing(more);
                listing.main = Some(module.path.clone()).filter(|path| !path.is_empty());
                if !module.is_complete() && !module.required.is_empty() {
                    match sums.get(&folder(part.path)) {
                        Some(sum) => complete(module, files.get(*sum), listings.get_mut(*sum)),
                        None => listing.gaps.push(NO_SUM.to_owned()),
                    }
                }
                listing
            }
            Some(File::Work(work, _)) => Listing::of_list(work.standard_library()),
            _ => continue,
        };
        if let Some(place) = listings.get_mut(at) {
            *place = Some(listing);
        }
    }
    listings
}

/// Lists of a `go.sum` what its module does not require itself.
fn complete(module: &Module, sum: Option<&Option<File>>, place: Option<&mut Option<Listing>>) {
    let (Some(Some(File::Sum(all))), Some(place)) = (sum, place) else { return };
    let known = |path: &str| {
        let targets = module.replaced.iter().filter_map(|one| one.target.as_ref());
        module.required.iter().any(|(required, ..)| required == path)
            || targets.into_iter().any(|(target, _)| target == path)
    };
    let others = all.iter().filter(|(path, ..)| !known(path));
    *place =
        Some(Listing::of_list(others.map(|(path, version, line)| package(path, version, *line))));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(files: &[(&str, &str)]) -> Vec<String> {
        let facts: Vec<(&str, Vec<u8>)> = files
            .iter()
            .map(|(path, text)| (*path, read(path, text.as_bytes()).unwrap().unwrap()))
            .collect();
        let parts: Vec<Part<'_>> = facts.iter().map(|(path, fact)| Part { path, fact }).collect();
        let mut all = Vec::new();
        for (part, listing) in parts.iter().zip(join(&parts)) {
            let Some(listing) = listing else { continue };
            let packages = listing.packages.iter();
            all.extend(
                packages
                    .map(|one| format!("{}:{} {}@{}", part.path, one.line, one.name, one.version)),
            );
            all.extend(listing.problems());
        }
        all
    }

    #[test]
    fn before_go_1_17_what_modules_need_stands_in_go_sum() {
        let module = "module a\n\ngo 1.16\n\nrequire h.test/b v0.9.1\n";
        let sum = "h.test/c v0.3.0 h1:x=\nh.test/c v0.3.0/go.mod h1:x=\nh.test/c v0.10.0 h1:x=\n\
            h.test/c v0.20.0/go.mod h1:x=\nh.test/b v0.9.1 h1:x=\n";
        let expected =
            ["go.mod:5 h.test/b@v0.9.1", "go.mod:3 stdlib@1.16.0", "go.sum:3 h.test/c@v0.10.0"];
        assert_eq!(listed(&[("go.mod", module), ("go.sum", sum)]), expected);
        let alone = listed(&[("go.mod", module), ("other/go.sum", sum)]);
        assert!(alone.last().unwrap().contains("there is no go.sum"), "{alone:?}");
        let newer = module.replace("1.16", "1.17");
        assert_eq!(listed(&[("go.mod", &newer), ("go.sum", sum)]).len(), 2);
        let unknown = module.replace("go 1.16\n", "");
        assert_eq!(listed(&[("go.mod", &unknown)]).len(), 2);
    }

    #[test]
    fn paths_and_versions_may_stand_in_quotes_and_comments_directly_behind() {
        for line in [
            "require `h.test/b` v1.3.1",
            "require \"h.test/b\" \"v1.3.1\"",
            "require h.test/b `v1.3.1`// indirect",
            "require h.test/b v1.3.1//indirect",
            "require\t`h.test/b`\"v1.3.1\"",
            "\"require\" \"h.test\\x2f\\u0062\" v1.3.1",
            "require ( // all",
            "require(",
            "require (\n\t`h.test/b` v1.3.1//)\n)//end\nretract (\n\t[v1.0.0, v2.0.0]",
        ] {
            let block = line.ends_with('(') || line.ends_with("all");
            let inner = if block { "\n\t\"h.test/b\" v1.3.1\n)" } else { "" };
            let module = format!("module `a`//me\n{line}{inner}\n");
            let found: Vec<String> = listed(&[("go.mod", &module)])
                .into_iter()
                .filter(|one| !one.contains("there is no go.sum"))
                .collect();
            let number = if block || line.contains('\n') { 3 } else { 2 };
            assert_eq!(found, [format!("go.mod:{number} h.test/b@v1.3.1")], "{line}");
        }
        let replaced = "module a\ngo 1.22\nrequire h.test/b v1.0.0\n\
            replace \"h.test/b\" => `h.test/c` `v2.0.0`//x\nrequire ()\n";
        assert_eq!(
            listed(&[("go.mod", replaced)]),
            ["go.mod:3 h.test/c@v2.0.0", "go.mod:2 stdlib@1.22.0"]
        );
        let work = "go 1.22\nuse `./a`//x\nreplace \"h.test/b\" => `h.test/c` v2.0.0\n";
        let module = "module a\ngo 1.22\nrequire h.test/b v1.0.0\n";
        let found = listed(&[("go.work", work), ("a/go.mod", module)]);
        assert_eq!(found[1], "a/go.mod:3 h.test/c@v2.0.0");
    }

    #[test]
    fn a_line_that_go_refuses_is_a_problem() {
        for line in ["require `h.test/b v1.0.0", "require \"h.test/b\\q\" v1.0.0", "use \"a\\"] {
            assert!(read("go.mod", format!("module a\n{line}\n").as_bytes()).is_err(), "{line}");
        }
        let found = listed(&[("go.mod", "module a\ngo 1.22\nrequire h.test/b\n")]);
        assert!(found.contains(&"the entry in line 3 could not be read".to_owned()), "{found:?}");
    }

    #[test]
    fn the_toolchain_is_the_standard_library() {
        let module = "module a\ngo 1.21\ntoolchain go1.22.3\n";
        assert_eq!(listed(&[("go.mod", module)]), ["go.mod:3 stdlib@1.22.3"]);
        assert_eq!(
            listed(&[("go.mod", "module a\ngo 1.21rc2\n")]),
            ["go.mod:2 stdlib@1.21.0-rc.2"]
        );
        assert_eq!(
            listed(&[("go.mod", "module a\ngo x\n")]),
            ["the entry in line 2 could not be read"]
        );
    }

    #[test]
    fn a_replacement_of_a_workspace_holds_for_its_modules() {
        let work = "go 1.22\nuse (\n\t./a\n)\nreplace h.test/b => h.test/c v2.0.0\n";
        let module = "module a\ngo 1.22\nrequire h.test/b v1.0.0\n";
        let found = listed(&[("w/go.work", work), ("w/a/go.mod", module), ("w/x/go.mod", module)]);
        assert_eq!(
            found,
            [
                "w/go.work:1 stdlib@1.22.0",
                "w/a/go.mod:3 h.test/c@v2.0.0",
                "w/a/go.mod:2 stdlib@1.22.0",
                "w/x/go.mod:3 h.test/b@v1.0.0",
                "w/x/go.mod:2 stdlib@1.22.0",
            ]
        );
    }
}
