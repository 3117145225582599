//! What the entries of a layer try: floods, links, lies about sizes, names.

use super::{Hostile, Make, Scale, image, in_each_packing};
use crate::tar::pax_record;
use crate::{Entry, Layer, Tar};

pub(super) fn all(scale: Scale) -> Vec<Hostile> {
    let of_one_layer: [(&str, Make); 18] = [
        ("a flood of empty files", empty_files),
        ("a flood of folders, each in the last", nested_folders),
        ("a flood of files that a check wants", wanted_files),
        ("one path, again and again", one_path),
        ("whiteouts of what is not there", whiteouts),
        ("a chain of hard links", hard_link_chain),
        ("hard links to one wanted file", hard_links_to_one),
        ("symbolic links in a circle", symlink_circle),
        ("symbolic links that double", symlink_doubling),
        ("folders that links replace", replaced_folders),
        ("names of 60,000 bytes", long_names),
        ("names of other bytes than text", raw_names),
        ("an extended header of 100 MB", large_extended_header),
        ("a flood of extended records", many_extended_records),
        ("sparse files of exabytes", sparse_files),
        ("a sparse file of many pieces", sparse_pieces),
        ("headers that claim the largest size", claimed_sizes),
        ("wrong checksums", wrong_checksums),
    ];
    let mut all: Vec<Hostile> = of_one_layer
        .into_iter()
        .flat_map(|(name, layer)| in_each_packing(name, layer, scale))
        .collect();
    for (name, cut) in [("at a header", 512), ("in a header", 700), ("in a file", 1700)] {
        all.push(Hostile::new(format!("a layer cut off {name}"), move || {
            let mut plain = Tar::new().file("a", "b").file("w", [b'x'; 4000]).finish();
            plain.truncate(cut);
            image(vec![Layer::of_bytes(plain)])
        }));
    }
    let layers_of: [(&str, usize, Make); 3] = [
        ("four layers of wanted files", 4, wanted_files),
        ("a hundred layers of whiteouts", 100, few_whiteouts),
        ("120 layers of links to the layer below", 120, few_links),
    ];
    for (name, count, layer) in layers_of {
        all.push(Hostile::new(name, move || {
            let one = |index: usize| {
                // Different layers, so that none is read from the cache.
                let mut plain = Tar::new().file("number", index.to_string()).unfinished();
                plain.extend(layer(scale));
                Layer::of_bytes(plain)
            };
            image((0..count).map(one).collect())
        }));
    }
    all
}

fn tar(entries: impl Iterator<Item = Entry>) -> Vec<u8> {
    let mut tar = Tar::new();
    entries.for_each(|entry| tar.push(&entry));
    tar.finish()
}

fn empty_files(scale: Scale) -> Vec<u8> {
    tar((0..scale.of(300_000)).map(|at| Entry::file(format!("a/{at}"), "")))
}

fn nested_folders(scale: Scale) -> Vec<u8> {
    let depth = scale.of(2_000);
    tar((1..depth).map(|depth| Entry::directory(vec!["d"; depth].join("/"))))
}

fn wanted_files(scale: Scale) -> Vec<u8> {
    tar((0..scale.of(300_000)).map(|at| {
        let content = format!(r#"{{"name":"p{at}","version":"1.{at}.0"}}"#);
        Entry::file(format!("app/node_modules/p{at}/package.json"), content)
    }))
}

fn one_path(scale: Scale) -> Vec<u8> {
    let content = r#"{"name":"a","version":"1.0.0"}"#;
    tar((0..scale.of(200_000)).map(|_| Entry::file("app/node_modules/a/package.json", content)))
}

fn whiteouts(scale: Scale) -> Vec<u8> {
    tar((0..scale.of(300_000)).map(|at| Entry::file(format!("a/{at}/.wh.b"), "")))
}

fn few_whiteouts(scale: Scale) -> Vec<u8> {
    tar((0..scale.of(3_000)).map(|at| Entry::file(format!("a/{at}/.wh.b"), "")))
}

fn few_links(scale: Scale) -> Vec<u8> {
    tar((0..scale.of(2_000)).map(|at| {
        Entry::symlink(format!("app/{at}/package.json"), format!("../{}/package.json", at + 1))
    }))
}

fn hard_link_chain(scale: Scale) -> Vec<u8> {
    let count = scale.of(100_000);
    let first = Entry::file("app/0/package.json", r#"{"name":"a","version":"1.0.0"}"#);
    let links = (1..count).map(|at| {
        Entry::hard_link(format!("app/{at}/package.json"), format!("app/{}/package.json", at - 1))
    });
    tar(std::iter::once(first).chain(links))
}

fn hard_links_to_one(scale: Scale) -> Vec<u8> {
    let first = Entry::file("store/one", r#"{"name":"axios","version":"0.18.0"}"#);
    let links = (0..scale.of(100_000))
        .map(|at| Entry::hard_link(format!("app/node_modules/{at}/package.json"), "store/one"));
    tar(std::iter::once(first).chain(links))
}

fn symlink_circle(scale: Scale) -> Vec<u8> {
    let count = scale.of(50_000);
    tar((0..count).map(|at| {
        Entry::symlink(
            format!("l/{at}/package.json"),
            format!("../{}/package.json", (at + 1) % count),
        )
    }))
}

/// Each leads twice through the next: 2 to the power of their number steps for who follows naively.
fn symlink_doubling(_: Scale) -> Vec<u8> {
    let links = (0..40).map(|at| {
        let next = format!("d{}/../d{}", at + 1, at + 1);
        Entry::symlink(format!("d{at}"), next)
    });
    let read = Entry::symlink("var/lib/dpkg", "../../d0");
    tar(links.chain(std::iter::once(read)))
}

fn replaced_folders(scale: Scale) -> Vec<u8> {
    tar((0..scale.of(50_000)).flat_map(|at| {
        [
            Entry::file(format!("f{at}/package.json"), r#"{"name":"a","version":"1.0.0"}"#),
            Entry::symlink(format!("f{at}"), "elsewhere"),
        ]
    }))
}

fn long_names(scale: Scale) -> Vec<u8> {
    tar((0..scale.of(1_000)).map(|at| {
        let folder = "n".repeat(250);
        Entry::file(format!("{}/{at}", vec![folder; 240].join("/")), "")
    }))
}

fn raw_names(scale: Scale) -> Vec<u8> {
    tar((0..scale.of(100_000)).map(|at| {
        let mut name = at.to_le_bytes().to_vec();
        name.retain(|byte| *byte != 0 && *byte != b'/');
        name.extend(b"\xff\xfe\x1b[31m::error::\xe2\x80\xae/package.json");
        Entry::file(name, r#"{"name":"a","version":"1.0.0"}"#)
    }))
}

fn large_extended_header(scale: Scale) -> Vec<u8> {
    let value = vec![b'v'; scale.of(100_000_000)];
    Tar::new().entry(&Entry::file("a", "b").pax("comment", value)).finish()
}

fn many_extended_records(scale: Scale) -> Vec<u8> {
    let mut content = Vec::new();
    for at in 0..scale.of(500_000) {
        content.extend(pax_record(&format!("SCHILY.xattr.user.{at}"), b"x"));
    }
    let header = Entry { flag: b'x', ..Entry::file("PaxHeaders/0", content) };
    Tar::new().entry(&header).file("a", "b").finish()
}

fn sparse_files(scale: Scale) -> Vec<u8> {
    let pieces: &[(u64, &[u8])] = &[(0, b"x"), (u64::MAX / 4, b"y")];
    (0..scale.of(200))
        .fold(Tar::new(), |tar, at| {
            tar.sparse_gnu(&format!("usr/bin/{at}"), pieces, u64::MAX / 2).sparse_pax(
                &format!("app/{at}/package.json"),
                pieces,
                u64::MAX / 2,
            )
        })
        .finish()
}

fn sparse_pieces(scale: Scale) -> Vec<u8> {
    let pieces: Vec<(u64, &[u8])> =
        (0..scale.of(100_000) as u64).map(|at| (at * 1024, &b"x"[..])).collect();
    let size = pieces.len() as u64 * 1024 + 1;
    Tar::new().sparse_pax("usr/bin/a", &pieces, size).finish()
}

fn claimed_sizes(scale: Scale) -> Vec<u8> {
    let sizes = [u64::MAX, i64::MAX as u64, 1 << 62, 1 << 40, 1 << 33];
    let entries = (0..scale.of(1_000)).zip(sizes.into_iter().cycle());
    tar(entries.map(|(at, size)| Entry::file(format!("a/{at}"), "x").claiming(size)))
}

fn wrong_checksums(scale: Scale) -> Vec<u8> {
    tar((0..scale.of(100_000)).map(|at| Entry::file(format!("a/{at}"), "x").bad_checksum()))
}
