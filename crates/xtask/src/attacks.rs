//! Keeps the table of attacks in SECURITY.md: made of the tests that try them.
//!
//! In go the modules of every `tests/attacks` folder: the first line of each says what is attacked,
//! the names of its tests say what holds. Out comes a table between two marks of SECURITY.md; what
//! stands there is never written by hand, so no promise is made that nothing tries.

use anyhow::{Context as _, Result, bail};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const FILE: &str = "SECURITY.md";
const FROM: &str = "<!-- made by `cargo xtask attacks --write`: do not edit -->\n";
const TO: &str = "<!-- end of what is made -->\n";

/// Fails where SECURITY.md has another table than the tests make; `--write` writes it.
pub(crate) fn check(root: &Path, write: bool) -> Result<()> {
    let modules = modules(root)?;
    let tests: usize = modules.iter().map(|module| module.tests.len()).sum();
    if tests == 0 {
        bail!("there is no test in any `tests/attacks`");
    }
    let path = root.join(FILE);
    let text = std::fs::read_to_string(&path).context(FILE)?;
    let updated = replaced(&text, &table(&modules))?;
    if updated == text {
        println!("attacks: {tests} tests of {} kinds are as {FILE} says", modules.len());
        return Ok(());
    }
    if !write {
        bail!("`{FILE}` does not say what the tests do: run `cargo xtask attacks --write`");
    }
    std::fs::write(&path, updated)?;
    println!("attacks: {FILE} names {tests} tests of {} kinds", modules.len());
    Ok(())
}

/// One kind of attack.
#[derive(Debug, PartialEq)]
struct Module {
    /// The file, from the root.
    path: String,
    /// What it is, in a line.
    title: String,
    /// Names of its tests.
    tests: Vec<String>,
}

fn modules(root: &Path) -> Result<Vec<Module>> {
    let mut modules = Vec::new();
    for krate in sorted(&root.join("crates"))? {
        let folder = krate.join("tests/attacks");
        if !folder.is_dir() {
            continue;
        }
        for file in sorted(&folder)? {
            let path = file.strip_prefix(root).unwrap_or(&file).to_string_lossy().into_owned();
            let is_module = file.extension().is_some_and(|extension| extension == "rs");
            if !is_module || file.file_name().is_some_and(|name| name == "main.rs") {
                continue;
            }
            let module = parse(path, &std::fs::read_to_string(&file)?)?;
            modules.extend((!module.tests.is_empty()).then_some(module));
        }
    }
    Ok(modules)
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn parse(path: String, text: &str) -> Result<Module> {
    let title = text.lines().next().and_then(|line| line.strip_prefix("//! "));
    let title = title.with_context(|| format!("`{path}` does not begin with what it is"))?;
    let mut tests = Vec::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if line == "#[test]" {
            is_test = true;
        } else if let Some(name) = line.strip_prefix("fn ")
            && is_test
        {
            tests.extend(name.split('(').next().map(str::to_owned));
            is_test = false;
        }
    }
    Ok(Module { path, title: title.to_owned(), tests })
}

fn table(modules: &[Module]) -> String {
    let mut table = String::from("| attack | what holds | tried by |\n|---|---|---|\n");
    for module in modules {
        let title = module.title.trim_end_matches('.').replace('|', "\\|");
        let claims: Vec<String> = module.tests.iter().map(|name| name.replace('_', " ")).collect();
        let (claims, path) = (claims.join("; "), &module.path);
        let _ = writeln!(table, "| {title} | {claims} | [{path}]({path}) |");
    }
    table
}

fn replaced(text: &str, table: &str) -> Result<String> {
    let (before, rest) =
        text.split_once(FROM).with_context(|| format!("{FILE} has no `{FROM}`"))?;
    let (_, after) = rest.split_once(TO).with_context(|| format!("{FILE} has no `{TO}`"))?;
    Ok([before, FROM, "\n", table, "\n", TO, after].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_tests_become_claims() {
        let text = "//! Files that lie there.\n\n#[test]\nfn a_found_file_says_nothing() {}\n\
            fn helper() {}\n    #[test]\n    #[cfg(unix)]\n    fn a_link_is_refused() {}\n";
        let module = parse("crates/cli/tests/attacks/found.rs".to_owned(), text).unwrap();
        assert_eq!(module.tests, ["a_found_file_says_nothing", "a_link_is_refused"]);
        let table = table(&[module]);
        assert!(
            table.contains(
                "| Files that lie there | a found file says nothing; a link is refused |"
            )
        );
        let page = format!("# x\n{FROM}former\n{TO}end\n");
        let updated = replaced(&page, &table).unwrap();
        assert!(
            updated.starts_with("# x\n")
                && updated.ends_with("end\n")
                && !updated.contains("former")
        );
        assert_eq!(replaced(&updated, &table).unwrap(), updated);
        assert!(parse(String::new(), "fn x() {}").is_err());
    }
}
