//! Holds the dependencies between the workspace's crates against the drawing in ARCHITECTURE.md.
//!
//! The drawing is read from the page itself, the first fenced block that has a line `WORDS`, so that
//! page and check cannot drift apart. A row may use the rows below it. Within a row only an arrow
//! that is drawn (`image -> fetch`) is one. Dependencies of tests obey the same, but `testkit` is
//! open to all tests. Within a crate no files may need each other in a circle ([`crate::circles`]).

use crate::circles;
use crate::command::{command, output};
use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The crate that every test may use.
const TEST_HELPER: &str = "testkit";

/// How many files stand in circles, of crates in which some are still to be undone. Nothing may be added.
const TANGLED: &[(&str, usize)] = &[];

/// Checks, prints a line, and fails with all that is wrong.
pub(crate) fn check(root: &Path) -> Result<()> {
    let page = root.join("ARCHITECTURE.md");
    let text = std::fs::read_to_string(&page)
        .with_context(|| format!("`{}` cannot be read", page.display()))?;
    let drawing = Drawing::parse(&text)?;
    let arguments = ["metadata", "--no-deps", "--offline", "--format-version", "1"];
    let metadata = output(command("cargo", arguments).current_dir(root))?;
    let arrows = arrows(&serde_json::from_slice(&metadata)?)?;
    let wrong = drawing.hold_against(&arrows);
    if !wrong.is_empty() {
        bail!("the crates are not as ARCHITECTURE.md draws them:\n  {}", wrong.join("\n  "));
    }
    let in_circles = in_circles(root, arrows.keys())?;
    let count: usize = arrows.values().map(BTreeSet::len).sum();
    println!(
        "rooms: {} crates and {count} arrows are as drawn; {in_circles} files in circles",
        arrows.len()
    );
    Ok(())
}

/// How many files stand in circles. Those of [`TANGLED`] may, and no others.
fn in_circles<'name>(root: &Path, crates: impl Iterator<Item = &'name String>) -> Result<usize> {
    let (mut all, mut wrong) = (0, Vec::new());
    for name in crates {
        let circles = circles::of(&root.join("crates").join(name).join("src"))?;
        let count = circles.iter().map(Vec::len).sum::<usize>();
        let known = TANGLED.iter().find(|(known, _)| known == name).map_or(0, |(_, count)| *count);
        if count > known {
            wrong.extend(circles.iter().map(|files| format!("{name}: {}", files.join(", "))));
        } else if count < known {
            wrong.push(format!("{name}: {count} and not {known} now; say so in `TANGLED`"));
        }
        all += count;
    }
    if !wrong.is_empty() {
        bail!("files of a crate need each other in a circle:\n  {}", wrong.join("\n  "));
    }
    Ok(all)
}

/// A dependency of a crate on another of the workspace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Arrow {
    to: String,
    for_tests: bool,
}

/// The rows of the page, top first.
#[derive(Debug, Default)]
struct Drawing {
    row_of: BTreeMap<String, usize>,
    drawn: BTreeSet<(String, String)>,
}

impl Drawing {
    fn parse(page: &str) -> Result<Self> {
        let block = page
            .split("```")
            .skip(1)
            .step_by(2)
            .find(|block| block.lines().any(|line| line.starts_with("WORDS ")))
            .context("ARCHITECTURE.md has no drawing: a fenced block with a row `WORDS`")?;
        let mut drawing = Self::default();
        for (row, line) in block.lines().filter(|line| !line.trim().is_empty()).enumerate() {
            let line = line.split('(').next().unwrap_or_default();
            let mut words = line.split_whitespace().skip(1).peekable();
            while let Some(word) = words.next() {
                if drawing.row_of.insert(word.to_owned(), row).is_some_and(|before| before != row) {
                    bail!("`{word}` is drawn twice in ARCHITECTURE.md");
                }
                if words.next_if_eq(&"->").is_some() {
                    let to = words.peek().context("an arrow in the drawing leads nowhere")?;
                    drawing.drawn.insert((word.to_owned(), (*to).to_owned()));
                }
            }
        }
        Ok(drawing)
    }

    /// All that differs, one line each.
    fn hold_against(&self, arrows: &BTreeMap<String, BTreeSet<Arrow>>) -> Vec<String> {
        let mut wrong = Vec::new();
        for name in self.row_of.keys().filter(|name| !arrows.contains_key(*name)) {
            wrong.push(format!("`{name}` is drawn, but is no crate: draw only what is there"));
        }
        for (from, arrows) in arrows {
            let Some(from_row) = self.row_of.get(from) else {
                wrong.push(format!("crate `{from}` is not drawn: give it a row"));
                continue;
            };
            for arrow in arrows {
                let allowed = match self.row_of.get(&arrow.to) {
                    _ if arrow.for_tests && arrow.to == TEST_HELPER => true,
                    Some(to_row) if to_row == from_row => {
                        self.drawn.contains(&(from.clone(), arrow.to.clone()))
                    }
                    Some(to_row) => to_row > from_row,
                    None => false,
                };
                if !allowed {
                    let tests = if arrow.for_tests { " (for tests)" } else { "" };
                    wrong.push(format!(
                        "`{from}` uses `{}`{tests}: that arrow is not drawn",
                        arrow.to
                    ));
                }
            }
        }
        wrong
    }
}

/// The dependencies of each crate of the workspace on others of it.
fn arrows(metadata: &Value) -> Result<BTreeMap<String, BTreeSet<Arrow>>> {
    let packages = metadata.get("packages").and_then(Value::as_array);
    let packages = packages.context("`cargo metadata` lists no packages")?;
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let mut arrows = BTreeMap::new();
    for package in packages {
        let name =
            text(package, "name").context("`cargo metadata` has a package without a name")?;
        let dependencies = package.get("dependencies").and_then(Value::as_array);
        let own = dependencies.into_iter().flatten().filter(|one| text(one, "path").is_some());
        let to = own.filter_map(|one| {
            let for_tests = text(one, "kind").as_deref() == Some("dev");
            Some(Arrow { to: text(one, "name")?, for_tests })
        });
        arrows.insert(name, to.collect());
    }
    Ok(arrows)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# A\n```\nnot this\n```\ntext\n```\n\
        DEV      testkit\n\
        FLOW     scan report\n\
        ROOMS    catalog advisories   (none imports another)\n\
        READING  image -> fetch\n\
        WORDS    vocabulary version\n```\n";

    fn wrong(arrows: &[(&str, &str, bool)]) -> Vec<String> {
        let names = ["testkit", "scan", "report", "catalog", "advisories", "image", "fetch"];
        let mut map: BTreeMap<String, BTreeSet<Arrow>> = names
            .into_iter()
            .chain(["vocabulary", "version"])
            .map(|name| (name.to_owned(), BTreeSet::new()))
            .collect();
        for (from, to, for_tests) in arrows {
            let arrow = Arrow { to: (*to).to_owned(), for_tests: *for_tests };
            map.entry((*from).to_owned()).or_default().insert(arrow);
        }
        Drawing::parse(PAGE).unwrap().hold_against(&map)
    }

    #[test]
    fn arrows_that_point_down_or_are_drawn_hold() {
        let arrows = [
            ("scan", "catalog", false),
            ("catalog", "image", false),
            ("image", "fetch", false),
            ("fetch", "testkit", true),
            ("advisories", "version", false),
        ];
        assert_eq!(wrong(&arrows), Vec::<String>::new());
    }

    #[test]
    fn arrows_up_across_or_into_the_unknown_are_found() {
        for arrow in [
            ("catalog", "advisories", false),
            ("scan", "report", false),
            ("vocabulary", "image", false),
            ("fetch", "image", false),
            ("fetch", "testkit", false),
            ("image", "catalog", true),
            ("image", "core", false),
        ] {
            let wrong = wrong(&[arrow]);
            assert!(wrong.iter().any(|line| line.contains("is not drawn")), "{arrow:?}");
        }
        assert!(wrong(&[("utils", "version", false)])[0].contains("give it a row"));
    }

    #[test]
    fn the_drawing_of_this_project_holds() {
        check(&crate::root()).unwrap();
    }
}
