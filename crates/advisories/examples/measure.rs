//! Measures building and matching on a mirror of the feed: `measure build MIRROR DB`, or
//! `measure match DB PURL-FILE [DISTRIBUTION]`, where the file has one purl a line.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a measuring tool"
)]

use advisories::{Databases, Quiet, Source, purls};
use std::path::PathBuf;
use std::time::Instant;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let start = Instant::now();
    match arguments[1].as_str() {
        "build" => {
            let source = Source::Directory(PathBuf::from(&arguments[2]));
            let client = fetch::Client::new(fetch::Options { offline: true, ..Default::default() });
            let updates = advisories::update(
                arguments[3].as_ref(),
                &source,
                &[],
                &client.unwrap(),
                jiff::Timestamp::now(),
                &Quiet,
            );
            let mut total = 0;
            for update in updates.unwrap() {
                let manifest = update.manifest.unwrap();
                total += manifest.bytes;
                println!(
                    "{:12} {:6} records {:9} bytes {:?}",
                    update.ecosystem.to_string(),
                    manifest.records,
                    manifest.bytes,
                    update.changed
                );
            }
            println!("{total} bytes in all");
        }
        _ => {
            let distribution = arguments.get(4).map(|text| purls::distribution(text).unwrap());
            let text = std::fs::read_to_string(&arguments[3]).unwrap();
            let packages: Vec<_> = text
                .lines()
                .filter_map(|line| purls::package(&line.parse().ok()?, distribution.as_ref()).ok())
                .map(|(package, _)| package)
                .collect();
            let databases = Databases::open(
                arguments[2].as_ref(),
                advisories::ecosystems_of(&packages),
                jiff::Timestamp::now(),
            );
            let matched = databases.matches(&packages, distribution.as_ref());
            println!("{} packages, {} findings", packages.len(), matched.findings.len());
            for coverage in matched.coverage {
                println!("{coverage:?}");
            }
        }
    }
    println!("{:?} wall", start.elapsed());
}
