//! The result as Markdown, and the ratios that matter.

use super::images::Image;
use crate::measure::{Cost, median};
use std::collections::BTreeMap;

/// The order of the rows.
const TOOLS: &[&str] = &["floor", "gzip -dc \\| tar t", "Lazaret", "Syft", "Trivy"];

/// Prints one table an image.
pub(crate) fn print(
    images: &[Image],
    costs: &BTreeMap<(String, String), Vec<Cost>>,
    rounds: usize,
) {
    println!("Medians of {rounds}, cold, {} processors.", processors());
    for image in images {
        let of = |tool: &str| {
            costs.get(&(image.name.to_owned(), tool.to_owned())).and_then(|all| median(all))
        };
        println!(
            "\n**{}**: {}, {:.0} MB plain, {:.0} MB gzip\n\n\
             | | CPU s | wall s | peak MB | CPU × floor | wall × floor | CPU × Lazaret |\n\
             |---|---:|---:|---:|---:|---:|---:|",
            image.name,
            image.title,
            megabytes(image.plain),
            megabytes(image.packed),
        );
        let (floor, own) = (of("floor"), of("Lazaret"));
        for tool in TOOLS {
            let Some(cost) = of(tool) else { continue };
            let ratio = |to: Option<f64>, own: f64| {
                to.map_or_else(String::new, |to| format!("{:.2}", own / to.max(1e-6)))
            };
            println!(
                "| {tool} | {:.2} | {:.2} | {:.0} | {} | {} | {} |",
                cost.cpu,
                cost.wall,
                cost.peak,
                ratio(floor.map(|floor| floor.cpu), cost.cpu),
                ratio(floor.map(|floor| floor.wall), cost.wall),
                ratio(own.map(|own| own.cpu), cost.cpu),
            );
        }
    }
}

/// One row of the table of short runs.
pub(crate) fn short_row(name: &str, cost: Option<Cost>) {
    if let Some(cost) = cost {
        let (cpu, wall) = (cost.cpu * 1e3, cost.wall * 1e3);
        println!("| {name} | {cpu:.1} | {wall:.1} | {:.0} |", cost.peak);
    }
}

/// Bytes in units of 10⁶.
pub(crate) fn megabytes(bytes: u64) -> f64 {
    // Through thousands, which are exact in an `f64` for any file there is.
    f64::from(u32::try_from(bytes / 1000).unwrap_or(u32::MAX)) / 1e3
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
