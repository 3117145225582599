//! `bench match`: what matching costs for 10, 1,000 and 100,000 packages, against all the advisories
//! that lie beside the checkout.
//!
//! A bill of materials of so many components is scanned as users would. Every tenth component is one
//! of those that the benchmark's advisories speak of, the others have names of their own, as in real
//! images; so the cost is that of look-ups and, in part, of findings. The law that is looked for: ten
//! times the packages cost no more than ten times the time over that of the start.

use super::{Bench, Options, USAGE};
use crate::measure::{Cost, cost, median};
use anyhow::{Context as _, Result};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Counts of packages.
const SIZES: [u32; 3] = [10, 1_000, 100_000];

/// Measures and prints a table in Markdown.
pub(crate) fn matching(root: &Path, words: &[&str]) -> Result<()> {
    let Some(options) = Options::parse(words)? else {
        println!("{USAGE}");
        return Ok(());
    };
    std::fs::create_dir_all(&options.cache)?;
    let cache = options.cache.canonicalize()?;
    let bench = Bench::new(root, cache, options.build)?;
    let database = bench.database()?;
    let source = if bench.source().ends_with("osv-mirror") {
        "../shared/osv-mirror"
    } else {
        "demo/advisories"
    };
    println!("Medians of {}, against `{source}`.\n", options.rounds);
    println!("| packages | CPU ms | wall ms | peak MB | CPU µs each, over the start |");
    println!("|---:|---:|---:|---:|---:|");
    let mut start = 0.0;
    for size in SIZES {
        let bill = bill(&bench.cache, size)?;
        let mut costs: Vec<Cost> = Vec::new();
        for _ in 0..options.rounds {
            let mut scan = Command::new(&bench.lazaret);
            scan.args(["scan", "--offline", "--no-db-update", "--quiet", "--db"]).arg(&database);
            scan.arg(format!("sbom:{}", bill.display()));
            scan.arg("-o").arg(format!("json={}", bench.cache.join("match.json").display()));
            costs.push(cost(&bench.xtask, &mut scan, &[1, 3])?);
        }
        let middle = median(&costs).context("nothing was measured")?;
        if start == 0.0 {
            start = middle.cpu;
        }
        let each = (middle.cpu - start).max(0.0) * 1e6 / f64::from(size);
        println!(
            "| {size} | {:.1} | {:.1} | {:.0} | {each:.1} |",
            middle.cpu * 1e3,
            middle.wall * 1e3,
            middle.peak
        );
    }
    Ok(())
}

/// A CycloneDX document of so many components, made anew.
fn bill(folder: &Path, size: u32) -> Result<PathBuf> {
    let known: Vec<String> = super::images::purls(500)
        .lines()
        .filter(|line| !line.contains('?'))
        .map(str::to_owned)
        .collect();
    let mut text =
        String::from("{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\",\"components\":[");
    for number in 0..size {
        let tenth = usize::try_from(number / 10)?;
        let purl = match known.get(tenth % known.len().max(1)).filter(|_| number % 10 == 0) {
            Some(purl) => purl.clone(),
            None => {
                let kind = ["npm", "pypi", "cargo", "nuget", "gem"]
                    .get(usize::try_from(number % 5)?)
                    .copied()
                    .unwrap_or("npm");
                format!("pkg:{kind}/package-of-nobody-{number}@1.{}.0", number % 97)
            }
        };
        let comma = if number == 0 { "" } else { "," };
        write!(
            text,
            "{comma}\n{{\"type\":\"library\",\"name\":\"p{number}\",\"version\":\"1\",\"purl\":\"{purl}\"}}"
        )?;
    }
    text.push_str("]}\n");
    let file = folder.join(format!("bill-{size}.cdx.json"));
    std::fs::write(&file, text)?;
    Ok(file)
}
