//! What the tests of this crate share: a source of version-like texts, and the real advisories.

#![allow(dead_code, reason = "each test takes what it needs")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on fails"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use version::Scheme;

/// A small generator (xorshift64*), so that runs are the same everywhere.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let value = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(value).expect("31 bits") % bound
    }

    pub(crate) fn pick<'list, T>(&mut self, list: &'list [T]) -> &'list T {
        &list[self.below(list.len())]
    }
}

/// Pieces of which versions of a scheme are made.
pub(crate) fn pieces(scheme: Scheme) -> &'static [&'static str] {
    match scheme {
        Scheme::Debian => &[
            "0", "1", "2", "10", "09", "00", ".", ".", "-", "~", "+", "a", "b", "rc", "deb",
            "ubuntu", "1:", "A", "Z",
        ],
        Scheme::Rpm => &[
            "0", "1", "2", "10", "09", "00", ".", ".", "-", "~", "^", "_", "+", "a", "b", "rc",
            "el8", "git", "1:", "0:",
        ],
        Scheme::Alpine => &[
            "0", "1", "2", "10", "09", "00", ".1", ".2", ".0", ".01", ".10", "a", "b", "_alpha",
            "_beta", "_pre", "_rc", "_p", "_git", "_cvs", "_hg", "_svn", "1", "-r0", "-r1", "-r10",
            "~ab1",
        ],
        Scheme::Pep440 => &[
            "0", "1", "2", "10", "09", ".", ".", ".", "-", "_", "a", "b", "rc", "c", "alpha",
            "beta", "preview", "pre", "post", "rev", "r", "dev", "1!", "v", "+", "ubuntu", "x1",
        ],
        // Without `..` and without items of digits and letters, of which pacman's and Conan's own
        // orders are not transitive.
        Scheme::Alpm => {
            &[".0", ".1", ".2", ".10", ".09", "a", "b", "rc", "_1", "+1", ".a", ".r1", "-1", "-2"]
        }
        Scheme::Conan => {
            &[".0", ".1", ".2", ".10", ".09", ".a", ".b", ".rc", "-a", "-1", "-rc.2", "+1", "+b"]
        }
        Scheme::Portage => &[
            ".0", ".1", ".2", ".10", ".01", ".010", "a", "b", "_alpha", "_beta1", "_pre2", "_rc",
            "_p", "_p0", "_p10", "-r0", "-r1", "-r10", "9",
        ],
        Scheme::Opam => &[
            "0", "1", "2", "10", "09", "00", ".", ".", "-", "~", "+", "a", "b", "rc", "dev", "v",
            "~beta", ":",
        ],
        Scheme::Numbers => &["0", "1", "2", "10", "09", "00", ".", ".", ".", "-"],
        Scheme::Maven => &[
            "0",
            "1",
            "2",
            "10",
            "09",
            "00",
            ".",
            ".",
            ".",
            "-",
            "-",
            "a",
            "b",
            "m",
            "alpha",
            "beta",
            "milestone",
            "rc",
            "cr",
            "SNAPSHOT",
            "snapshot",
            "ga",
            "Final",
            "release",
            "sp",
            "foo",
            "v2019",
            "jre",
        ],
        Scheme::RubyGems => &[
            "0", "1", "2", "10", "09", ".", ".", ".0", ".1", "-", "a", "b", "rc", "pre", ".pre",
            "A", "z", ".b1",
        ],
        Scheme::Semver
        | Scheme::Npm
        | Scheme::NuGet
        | Scheme::Packagist
        | Scheme::Pub
        | Scheme::Go => &[
            "0", "1", "2", "10", ".", ".", ".", "-", "-", "+", "a", "b", "rc", "alpha", "beta",
            ".1", ".0", "x", "RC", "dev", "2",
        ],
    }
}

/// A version-like text.
pub(crate) fn text_like(scheme: Scheme, random: &mut Random) -> String {
    let mut text = String::new();
    if !matches!(scheme, Scheme::Maven) || random.below(10) > 0 {
        text.push_str(random.pick::<&str>(&["0", "1", "1.0", "1.2", "1.2.3", "10", "1.0.0"]));
    }
    for _ in 0..random.below(7) {
        text.push_str(random.pick::<&str>(pieces(scheme)));
    }
    text
}

/// Versions by ecosystem.
pub(crate) type Versions = BTreeMap<String, BTreeSet<String>>;

/// The versions that real advisories name: those in `../shared`, else the few of the demo. None where
/// nothing reads them.
pub(crate) fn real_versions() -> Option<&'static Versions> {
    static VERSIONS: OnceLock<Option<Versions>> = OnceLock::new();
    let read = VERSIONS.get_or_init(|| {
        let checkout = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mirror = checkout.join("../shared/osv-mirror");
        let records = if mirror.is_dir() { mirror } else { checkout.join("demo/advisories") };
        let output = Command::new("python3").arg("-c").arg(READ_RECORDS).arg(records).output();
        let output = output.ok()?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut versions = Versions::new();
        for line in String::from_utf8(output.stdout).expect("UTF-8").lines() {
            let (ecosystem, version) = line.split_once('\t').expect("a tab");
            versions.entry(ecosystem.to_owned()).or_default().insert(version.to_owned());
        }
        assert!(versions.values().map(BTreeSet::len).sum::<usize>() > 100, "next to none");
        Some(versions)
    });
    read.as_ref()
}

const READ_RECORDS: &str = r#"
import glob, json, sys, zipfile
seen = set()
def texts():
    for path in glob.glob(sys.argv[1] + "/*/all.zip"):
        archive = zipfile.ZipFile(path)
        yield from map(archive.read, archive.namelist())
    for path in glob.glob(sys.argv[1] + "/*/*.json"):
        yield open(path, "rb").read()
for text in texts():
    for affected in json.loads(text).get("affected", []):
        ecosystem = affected.get("package", {}).get("ecosystem", "?").split(":")[0]
        for version in affected.get("versions", []):
            seen.add((ecosystem, version))
        for versions in affected.get("ranges", []):
            if versions["type"] != "GIT":
                for event in versions["events"]:
                    seen.update((ecosystem, version) for version in event.values())
out = open(1, "w", encoding="utf-8")
for ecosystem, version in sorted(seen):
    if "\n" not in version:
        out.write(ecosystem + "\t" + version + "\n")
"#;

/// The lines of a scheme's table.
fn lines(scheme: Scheme) -> impl Iterator<Item = String> {
    let name = format!("{scheme:?}").to_lowercase();
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name + ".txt");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.into_iter().filter(|line| !line.starts_with('#') && !line.is_empty())
}

/// The comparisons in a scheme's table.
pub(crate) fn cases(scheme: Scheme) -> Vec<(String, char, String)> {
    let cases: Vec<_> = lines(scheme)
        .filter(|line| !line.starts_with("! "))
        .map(|line| {
            let signs = [" < ", " = ", " > "];
            let sign = signs.into_iter().find(|sign| line.contains(sign)).expect(&line);
            let (left, right) = line.split_once(sign).expect("found");
            (left.to_owned(), sign.trim().chars().next().expect("a sign"), right.to_owned())
        })
        .collect();
    assert!(cases.len() > 10, "a table of {scheme:?} with next to nothing in it");
    cases
}

/// The texts that a scheme's table refuses.
pub(crate) fn texts_refused(scheme: Scheme) -> Vec<String> {
    lines(scheme).filter_map(|line| line.strip_prefix("! ").map(str::to_owned)).collect()
}
