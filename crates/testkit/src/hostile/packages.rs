//! What package databases and lock files try: depth, repetition, and texts without end.

use super::{Hostile, Make, Scale, image};
use crate::Layer;

const JSON: &[&str] = &["app/package-lock.json", "app/composer.lock", "app/Pipfile.lock"];
const YAML: &[&str] = &["app/pnpm-lock.yaml", "app/pubspec.lock"];
const TOML: &[&str] = &["app/Cargo.lock", "app/poetry.lock"];
const XML: &[&str] = &["app/pom.xml", "app/packages.config"];
const LINES: &[&str] = &["app/requirements.txt", "app/go.sum", "app/Gemfile.lock", "app/yarn.lock"];
const DATABASES: &[&str] = &[
    "var/lib/dpkg/status",
    "lib/apk/db/installed",
    "usr/lib/python3/dist-packages/a.dist-info/METADATA",
    "var/lib/rpm/rpmdb.sqlite",
    "var/lib/rpm/Packages",
    "var/lib/rpm/Packages.db",
];

pub(super) fn all(scale: Scale) -> Vec<Hostile> {
    let tried: [(&'static str, &'static [&'static str], Make); 14] = [
        ("JSON nested without end", JSON, |scale| b"[".repeat(scale.of(4_000_000))),
        ("JSON objects nested without end", JSON, |scale| br#"{"a":"#.repeat(scale.of(800_000))),
        ("JSON of one name, again and again", JSON, |scale| {
            [&b"{"[..], &br#""packages":{},"#.repeat(scale.of(400_000)), br#""x":0}"#].concat()
        }),
        ("YAML nested without end", YAML, |scale| b"- ".repeat(scale.of(2_000_000))),
        ("YAML flows nested without end", YAML, |scale| b"[".repeat(scale.of(2_000_000))),
        ("YAML whose aliases multiply", YAML, aliases),
        ("TOML nested without end", TOML, |scale| {
            [&b"a = "[..], &b"[".repeat(scale.of(1_000_000))].concat()
        }),
        ("TOML of one dotted key", TOML, |scale| {
            [&b"a"[..], &b".a".repeat(scale.of(400_000)), b" = 1"].concat()
        }),
        ("XML nested without end", XML, |scale| b"<a>".repeat(scale.of(1_500_000))),
        ("XML whose entities multiply", XML, entities),
        ("a line without end", LINES, |scale| vec![b'a'; scale.of(8_000_000)]),
        ("lines of brackets and quotes", LINES, |scale| b"(\"[{;\\\n".repeat(scale.of(1_000_000))),
        ("a version of a megabyte", DATABASES, long_version),
        ("pages that lead to themselves", DATABASES, |scale| pages(scale.of(1_000))),
    ];
    tried
        .into_iter()
        .flat_map(|(name, paths, text)| {
            paths.iter().map(move |path| {
                Hostile::new(format!("{name}: {path}"), move || {
                    image(vec![Layer::new().file(path, text(scale))])
                })
            })
        })
        .chain(programs(scale))
        .collect()
}

/// Nine aliases of nine: the ninth level stands for a billion.
fn aliases(_: Scale) -> Vec<u8> {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let below = format!("*a{}", level - 1);
        text.push_str(&format!("a{level}: &a{level} [{}]\n", vec![below; 9].join(", ")));
    }
    text.push_str("packages: *a9\n");
    text.into_bytes()
}

fn entities(_: Scale) -> Vec<u8> {
    let mut text = String::from("<!DOCTYPE a [<!ENTITY e0 \"xxxxxxxxx\">");
    for level in 1..10 {
        let below = format!("&e{};", level - 1);
        text.push_str(&format!("<!ENTITY e{level} \"{}\">", below.repeat(9)));
    }
    text.push_str("]><project><artifactId>&e9;</artifactId></project>");
    text.into_bytes()
}

fn long_version(scale: Scale) -> Vec<u8> {
    let version = "1.~0a".repeat(scale.of(200_000));
    let stanza = format!(
        "Package: libssl3\nName: libssl3\nP:libssl3\nV:{version}\nStatus: install ok installed\n\
         Architecture: all\nVersion: {version}\n\n"
    );
    stanza.repeat(3).into_bytes()
}

/// Pages of a database that name each other: what begins as SQLite, Berkeley DB or ndb by its magic
/// goes on with page numbers that lead back.
fn pages(count: usize) -> Vec<u8> {
    let mut bytes = b"SQLite format 3\0\x10\0\x01\x01\0\x40\x20\x20".to_vec();
    bytes.resize(100, 0xff);
    for page in 0..count {
        // An inner page of a table, whose cells and right child are page one and itself.
        bytes.extend([5, 0, 0, 0, 8, 0, 0, 0]);
        bytes.extend((page as u32 + 1).to_be_bytes());
        bytes.extend([0, 16].repeat(8));
        bytes.resize(bytes.len().next_multiple_of(4096), 1);
    }
    bytes
}

/// Programs whose tables claim more than there is, or lead to themselves.
fn programs(scale: Scale) -> Vec<Hostile> {
    let elf = |sections: u16, at: u64| {
        let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
        bytes.resize(64, 0);
        bytes[16] = 2;
        bytes[18] = 62;
        bytes[32..40].copy_from_slice(&at.to_le_bytes());
        bytes[40..48].copy_from_slice(&at.to_le_bytes());
        bytes[54..56].copy_from_slice(&56_u16.to_le_bytes());
        bytes[56..58].copy_from_slice(&sections.to_le_bytes());
        bytes[58..60].copy_from_slice(&64_u16.to_le_bytes());
        bytes[60..62].copy_from_slice(&sections.to_le_bytes());
        bytes
    };
    let tried: [(&str, Vec<u8>); 4] = [
        ("a program of 65,535 sections that are its header", elf(u16::MAX, 0)),
        ("a program whose sections lie beyond its end", elf(u16::MAX, u64::MAX - 64)),
        ("a program of marks of Go and Rust", {
            let marks = b"\xff Go buildinf:\x08\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0.dep-v0\0";
            [elf(2, 64), marks.repeat(scale.of(200_000))].concat()
        }),
        ("a program of version strings", {
            let marks = b"nginx/1.22.1\0OpenSSL 1.1.1\0node.js/v18.20.4\0Python 3.11.2\0go1.20.1\0";
            [elf(2, 64), marks.repeat(scale.of(300_000))].concat()
        }),
    ];
    tried
        .into_iter()
        .map(|(name, bytes)| {
            Hostile::new(name, move || image(vec![Layer::new().program("usr/bin/tool", &bytes)]))
        })
        .collect()
}
