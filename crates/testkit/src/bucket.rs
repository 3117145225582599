//! A bucket of advisories of real size, made up in code: the same one each time.
//!
//! In go a folder and how large a part of the real size is wanted, out comes the layout of the public
//! OSV bucket: `<Ecosystem>/all.zip`, `<Ecosystem>/modified_id.csv`, single records of what changed
//! later, and `ecosystems.txt`. Counts of records, their sizes and what they hold are like those of the
//! public bucket in 2026: most of npm's are `MAL-`, Ubuntu's list binaries of every release, and one in
//! thirty of them is a kernel's.

use flate2::Compression;
use flate2::write::DeflateEncoder;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// What the records of an ecosystem are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// So many of a hundred are malicious packages.
    Registry(u32),
    Ubuntu,
    Debian,
    Alpine,
    Rpm,
    Go,
}

/// Ecosystems, how many records each has, and of what kind.
const ALL: [(&str, u32, Kind); 15] = [
    ("AlmaLinux", 6_000, Kind::Rpm),
    ("Alpine", 12_000, Kind::Alpine),
    ("Bitnami", 6_000, Kind::Registry(0)),
    ("Debian", 50_000, Kind::Debian),
    ("Go", 6_000, Kind::Go),
    ("Maven", 7_000, Kind::Registry(1)),
    ("NuGet", 3_000, Kind::Registry(60)),
    ("Packagist", 6_000, Kind::Registry(1)),
    ("PyPI", 25_000, Kind::Registry(55)),
    ("Red Hat", 20_000, Kind::Rpm),
    ("Rocky Linux", 4_000, Kind::Rpm),
    ("RubyGems", 3_000, Kind::Registry(50)),
    ("Ubuntu", 60_000, Kind::Ubuntu),
    ("crates.io", 2_500, Kind::Registry(5)),
    ("npm", 250_000, Kind::Registry(96)),
];

const WORDS: [&str; 24] = [
    "package",
    "attacker",
    "remote",
    "memory",
    "crafted",
    "request",
    "version",
    "before",
    "allows",
    "arbitrary",
    "code",
    "because",
    "does",
    "not",
    "validate",
    "input",
    "token",
    "installs",
    "script",
    "users",
    "overflow",
    "through",
    "header",
    "parser",
];

/// A bucket in a folder.
#[derive(Debug)]
pub struct Bucket {
    folder: PathBuf,
    /// By ecosystem: its records, by number, with how often each was changed.
    states: BTreeMap<&'static str, Vec<u32>>,
}

impl Bucket {
    /// Writes a bucket of one `part`th of the real size.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(folder: &Path, part: u32) -> io::Result<Self> {
        let mut names = String::new();
        let mut states = BTreeMap::new();
        for (name, count, kind) in ALL {
            let count = (count / part.max(1)).max(4);
            names.push_str(name);
            names.push('\n');
            let own = folder.join(name);
            std::fs::create_dir_all(&own)?;
            let mut zip = Zip::new(File::create(own.join("all.zip"))?);
            for number in 0..count {
                let record = record(name, kind, number, 0);
                zip.add(&format!("{}.json", id(name, kind, number)), record.as_bytes())?;
            }
            zip.finish()?;
            states.insert(name, vec![0; usize::try_from(count).unwrap_or(0)]);
        }
        std::fs::write(folder.join("ecosystems.txt"), names)?;
        let this = Self { folder: folder.to_owned(), states };
        this.lists()?;
        Ok(this)
    }

    /// A bucket that [`Self::write`] wrote before, as it was then.
    ///
    /// # Errors
    /// Where its lists cannot be written.
    pub fn known(folder: &Path, part: u32) -> io::Result<Self> {
        let count = |count: u32| usize::try_from((count / part.max(1)).max(4)).unwrap_or(0);
        let states = ALL.iter().map(|(name, all, _)| (*name, vec![0; count(*all)])).collect();
        let this = Self { folder: folder.to_owned(), states };
        this.lists()?;
        Ok(this)
    }

    /// A library of a registry, and a version that a record concerns.
    #[must_use]
    pub fn affected(ecosystem: &str) -> Option<(String, String)> {
        let (name, _, kind) = ALL.into_iter().find(|(name, ..)| *name == ecosystem)?;
        let number = (0..100).find(|number| !is_malicious(kind, *number))?;
        Some((library(name, number), format!("{}.0.0", number % 4)))
    }

    /// Changes so many records, in proportion to what ecosystems have; their archives stay as they are.
    ///
    /// # Errors
    /// Where they cannot be written.
    pub fn change(&mut self, count: u32) -> io::Result<()> {
        let all: usize = self.states.values().map(Vec::len).sum();
        let mut left = usize::try_from(count).unwrap_or(0);
        for (name, _, kind) in ALL {
            let Some(states) = self.states.get_mut(name) else { continue };
            let own = usize::try_from(count).unwrap_or(0) * states.len() / all.max(1);
            let last = name == "npm";
            let own = if last { left } else { own.min(left) };
            left -= own;
            let step = (states.len() / own.max(1)).max(1);
            for (number, state) in states.iter_mut().enumerate().step_by(step).take(own) {
                *state += 1;
                let number = u32::try_from(number).unwrap_or(0);
                let path = self.folder.join(name).join(format!("{}.json", id(name, kind, number)));
                std::fs::write(path, record(name, kind, number, *state))?;
            }
        }
        self.lists()
    }

    /// Writes the lists: what changed last comes first.
    fn lists(&self) -> io::Result<()> {
        for (name, _, kind) in ALL {
            let mut lines = Vec::new();
            for (number, state) in self.states.get(name).into_iter().flatten().enumerate() {
                let number = u32::try_from(number).unwrap_or(0);
                lines.push((*state, number));
            }
            lines.sort_unstable_by(|left, right| right.cmp(left));
            let mut text = String::new();
            for (state, number) in lines {
                let _ = writeln!(text, "{},{}", time(number, state), id(name, kind, number));
            }
            std::fs::write(self.folder.join(name).join("modified_id.csv"), text)?;
        }
        Ok(())
    }
}

/// When a record was changed: later with each change.
fn time(number: u32, state: u32) -> String {
    let (day, hour, minute) = (1 + number / 1440 % 28, number / 60 % 24, number % 60);
    format!(
        "{}-{:02}-{day:02}T{hour:02}:{minute:02}:07.{:06}Z",
        2020 + state,
        1 + number % 12,
        number
    )
}

fn is_malicious(kind: Kind, number: u32) -> bool {
    matches!(kind, Kind::Registry(percent) if number.wrapping_mul(37) % 100 < percent)
}

fn id(ecosystem: &str, kind: Kind, number: u32) -> String {
    let letter = |shift: u32| char::from(b'a' + u8::try_from((number >> shift) & 15).unwrap_or(0));
    match kind {
        _ if is_malicious(kind, number) => format!("MAL-{}-{number}", 2022 + number % 4),
        Kind::Registry(_) => {
            let tail: String = [0, 4, 8, 12].map(letter).iter().collect();
            let middle = ecosystem.len();
            format!("GHSA-{tail}-{middle:04}-{:04}", number % 10_000)
        }
        Kind::Ubuntu => format!("UBUNTU-{}", cve(number)),
        Kind::Debian => format!("DEBIAN-{}", cve(number)),
        Kind::Alpine => format!("ALPINE-{}", cve(number)),
        Kind::Go => format!("GO-{}-{number:04}", 2020 + number % 6),
        Kind::Rpm => {
            format!("{}-2024:{number:05}", if ecosystem == "Red Hat" { "RHSA" } else { "ALSA" })
        }
    }
}

fn cve(number: u32) -> String {
    format!("CVE-{}-{:05}", 2005 + number % 21, 10_000 + number / 21)
}

fn word(number: u32) -> &'static str {
    let at = usize::try_from(number).unwrap_or(0) % WORDS.len();
    WORDS.get(at).copied().unwrap_or("a")
}

/// Made-up prose of some length; another one for each seed.
fn prose(seed: u32, words: u32) -> String {
    let mut text = String::new();
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    for at in 0..words {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        text.push_str(word(state >> 16));
        text.push_str(if at % 13 == 12 { ".\\n" } else { " " });
    }
    text
}

fn record(ecosystem: &str, kind: Kind, number: u32, state: u32) -> String {
    let (id, modified) = (id(ecosystem, kind, number), time(number, state));
    let mut text = format!(
        r#"{{"schema_version":"1.7.3","id":"{id}","published":"2020-01-01T00:00:00Z","modified":"{modified}","#
    );
    let vector =
        r#""severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:L/A:N"}]"#;
    let _ = match kind {
        _ if is_malicious(kind, number) => {
            let name = format!("{}-made-up-{number}", word(number));
            write!(
                text,
                r#""summary":"Malicious code in {name} ({ecosystem})","details":"{}","affected":[{{"package":{{"ecosystem":"{ecosystem}","name":"{name}"}},{},"database_specific":{{"cwes":[{{"cweId":"CWE-506","name":"Embedded Malicious Code","description":"{}"}}]}}}}],"credits":[{{"name":"A made-up finder","type":"FINDER","contact":["https://finder.example"]}}],"database_specific":{{"malicious-packages-origins":[{{"id":"F-{number}","import_time":"{modified}","modified_time":"{modified}","sha256":"{:064x}","source":"made-up","versions":["1.0.{state}"]}}]}}}}"#,
                prose(number, 90),
                if number.is_multiple_of(3) {
                    r#""ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]"#.to_owned()
                } else {
                    format!(r#""versions":["1.0.{}","99.{}.1"]"#, number % 7, number % 11 + state)
                },
                prose(7, 30),
                u64::from(number) * 7_919,
            )
        }
        Kind::Registry(_) | Kind::Go => registry(&mut text, ecosystem, kind, number, state, vector),
        Kind::Ubuntu | Kind::Debian | Kind::Alpine => {
            distribution(&mut text, kind, number, state, vector)
        }
        Kind::Rpm => rpm(&mut text, ecosystem, number, state),
    };
    text
}

/// The library that a record is about.
fn library(ecosystem: &str, number: u32) -> String {
    match ecosystem {
        "Maven" => format!("org.example.group{}:artifact-{}", number % 400, number % 1_500),
        "Go" => format!("example.com/owner{}/module-{}", number % 900, number % 2_000),
        "Packagist" => format!("vendor{}/package-{}", number % 500, number % 1_800),
        _ => format!("{}-lib-{}", word(number), number % 3_000),
    }
}

fn registry(
    text: &mut String,
    ecosystem: &str,
    kind: Kind,
    number: u32,
    state: u32,
    vector: &str,
) -> std::fmt::Result {
    let name = library(ecosystem, number);
    let versions: Vec<String> =
        (0..40).map(|minor| format!("\"{}.{minor}.0\"", number % 4)).collect();
    let extra = match kind {
        Kind::Go => {
            let symbols = r#""Parse","Server.Handle","Decode""#;
            format!(r#"{{"imports":[{{"path":"{name}/internal","symbols":[{symbols}]}}]}}"#)
        }
        _ => "{}".to_owned(),
    };
    write!(
        text,
        r#""summary":"{}","details":"{}","aliases":["{}"],{vector},"affected":[{{"package":{{"ecosystem":"{ecosystem}","name":"{name}"}},"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"{}.0.0"}},{{"fixed":"{}.{}.{state}"}}]}}],"versions":[{}],"ecosystem_specific":{extra}}}],"references":[{{"type":"ADVISORY","url":"https://advisories.example/{number}"}},{{"type":"WEB","url":"https://example.com/{number}/commit"}}],"database_specific":{{"severity":"HIGH","cwe_ids":["CWE-79"]}}}}"#,
        prose(number, 9).trim_end(),
        prose(number + 1, 220),
        cve(number),
        number % 4,
        number % 4,
        20 + number % 9,
        versions.join(","),
    )
}

fn distribution(
    text: &mut String,
    kind: Kind,
    number: u32,
    state: u32,
    vector: &str,
) -> std::fmt::Result {
    let releases: &[&str] = match kind {
        Kind::Ubuntu => &[
            "Ubuntu:20.04:LTS",
            "Ubuntu:22.04:LTS",
            "Ubuntu:24.04:LTS",
            "Ubuntu:25.10",
            "Ubuntu:Pro:18.04:LTS",
        ],
        Kind::Debian => &["Debian:11", "Debian:12", "Debian:13", "Debian:14"],
        _ => &["Alpine:v3.19", "Alpine:v3.20", "Alpine:v3.21", "Alpine:v3.22"],
    };
    let kernel = kind == Kind::Ubuntu && number.is_multiple_of(30);
    let sources = if kernel { 30 } else { 1 };
    write!(
        text,
        r#""details":"{}","upstream":["{}"],{vector},"affected":["#,
        prose(number, 60),
        cve(number)
    )?;
    let mut first = true;
    for release in releases {
        for source in 0..sources {
            let name = match kernel {
                true => format!("linux-flavour{source}"),
                false => {
                    format!("{}-source-{}", word(number), number % 2_500)
                }
            };
            let fixed = format!("{}.{}-{}+r{}", number % 9, number % 40, 1 + state, release.len());
            let versions: Vec<String> =
                (0..15).map(|minor| format!("\"{}.{minor}-1\"", number % 9)).collect();
            let binaries: Vec<String> = (0..if kernel { 6 } else { 4 })
                .map(|binary| {
                    format!(r#"{{"binary_name":"lib{name}-{binary}","binary_version":"{fixed}"}}"#)
                })
                .collect();
            let end = match number % 5 {
                0 => String::new(),
                _ => format!(r#",{{"fixed":"{fixed}"}}"#),
            };
            let extra = match kind {
                Kind::Ubuntu => format!(
                    r#""availability":"No subscription required","ubuntu_priority":"medium","binaries":[{}]"#,
                    binaries.join(",")
                ),
                Kind::Debian => r#""urgency":"not yet assigned""#.to_owned(),
                _ => String::new(),
            };
            let between = if first { "" } else { "," };
            first = false;
            write!(
                text,
                r#"{between}{{"package":{{"ecosystem":"{release}","name":"{name}","purl":"pkg:deb/example/{name}?arch=source"}},"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}}{end}]}}],"versions":[{}],"ecosystem_specific":{{{extra}}}}}"#,
                versions.join(",")
            )?;
        }
    }
    write!(
        text,
        r#"],"references":[{{"type":"REPORT","url":"https://tracker.example/{number}"}}]}}"#
    )
}

fn rpm(text: &mut String, ecosystem: &str, number: u32, state: u32) -> std::fmt::Result {
    let release = match ecosystem {
        "Red Hat" => "enterprise_linux:9::baseos",
        _ => match number % 3 {
            0 => "8",
            1 => "9",
            _ => "10",
        },
    };
    let affected: Vec<String> = (0..8)
        .map(|package| {
            format!(
                r#"{{"package":{{"ecosystem":"{ecosystem}:{release}","name":"rpm-{}-{package}"}},"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"0:{}.{}-{}.el9"}}]}}]}}"#,
                number % 1_200,
                number % 5,
                number % 60,
                1 + state
            )
        })
        .collect();
    write!(
        text,
        r#""summary":"Important: rpm-{} security update","details":"{}","upstream":["{}","{}"],"affected":[{}],"references":[{{"type":"ADVISORY","url":"https://errata.example/{number}"}}]}}"#,
        number % 1_200,
        prose(number, 80),
        cve(number),
        cve(number + 1),
        affected.join(",")
    )
}

/// Writes an archive of more members than four bytes count: zip64 (PKWARE APPNOTE 6.3.10, 4.3.14).
struct Zip {
    file: BufWriter<File>,
    place: u64,
    directory: Vec<u8>,
    members: u64,
}

impl Zip {
    fn new(file: File) -> Self {
        let file = BufWriter::with_capacity(1 << 20, file);
        Self { file, place: 0, directory: Vec::new(), members: 0 }
    }

    fn add(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut deflate = DeflateEncoder::new(Vec::new(), Compression::new(4));
        deflate.write_all(bytes)?;
        let packed = deflate.finish()?;
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        let four = |number: usize| u32::try_from(number).map_err(io::Error::other);
        let mut fields = vec![20, 0, 0, 0, 8, 0, 0, 0, 0, 0];
        fields.extend(crc.sum().to_le_bytes());
        fields.extend(four(packed.len())?.to_le_bytes());
        fields.extend(four(bytes.len())?.to_le_bytes());
        fields.extend(u16::try_from(name.len()).map_err(io::Error::other)?.to_le_bytes());
        fields.extend([0, 0]);
        let place = four(usize::try_from(self.place).map_err(io::Error::other)?)?;
        self.directory.extend(b"PK\x01\x02\x2d\0");
        self.directory.extend(&fields);
        self.directory.extend([0; 10]);
        self.directory.extend(place.to_le_bytes());
        self.directory.extend(name.as_bytes());
        for part in [b"PK\x03\x04".as_slice(), &fields, name.as_bytes(), &packed] {
            self.file.write_all(part)?;
            self.place += part.len() as u64;
        }
        self.members += 1;
        Ok(())
    }

    fn finish(mut self) -> io::Result<()> {
        let (start, bytes) = (self.place, self.directory.len() as u64);
        let mut end = self.directory;
        end.extend(b"PK\x06\x06");
        end.extend(44_u64.to_le_bytes());
        end.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        for number in [self.members, self.members, bytes, start] {
            end.extend(number.to_le_bytes());
        }
        end.extend(b"PK\x06\x07\0\0\0\0");
        end.extend((start + bytes).to_le_bytes());
        end.extend([1, 0, 0, 0]);
        end.extend(b"PK\x05\x06\0\0\0\0");
        end.extend([0xff; 12]);
        end.extend([0, 0]);
        self.file.write_all(&end)?;
        self.file.flush()
    }
}
