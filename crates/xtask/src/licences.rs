//! Holds the licences of all dependencies against the `[licenses]` table of deny.toml.
//!
//! `cargo deny` reads the same table; this check needs nothing installed. Licence expressions are
//! SPDX's; what is not allowed there, and what names no licence, fails.

use crate::command::{command, output};
use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// Checks, prints a line, and fails with all that is wrong.
pub(crate) fn check(root: &Path) -> Result<()> {
    let rules = Rules::parse(&std::fs::read_to_string(root.join("deny.toml"))?)?;
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let arguments = ["metadata", "--locked", "--format-version", "1", "--filter-platform"];
    let metadata = output(command("cargo", arguments).arg(platform).current_dir(root))?;
    let metadata: Value = serde_json::from_slice(&metadata)?;
    let packages = metadata.get("packages").and_then(Value::as_array);
    let packages = packages.context("`cargo metadata` lists no packages")?;
    let wrong: Vec<String> = packages.iter().filter_map(|one| rules.complaint(one)).collect();
    if !wrong.is_empty() {
        bail!("licences that deny.toml does not allow:\n  {}", wrong.join("\n  "));
    }
    println!("licences: those of {} crates are allowed by deny.toml", packages.len());
    Ok(())
}

/// What deny.toml allows.
struct Rules {
    allowed: BTreeSet<String>,
    /// Crate and licence.
    exceptions: BTreeSet<(String, String)>,
}

impl Rules {
    fn parse(text: &str) -> Result<Self> {
        let table: toml::Table = text.parse().context("deny.toml cannot be read")?;
        let licences = table.get("licenses").context("deny.toml has no `[licenses]`")?;
        let names = |value: &toml::Value| -> Vec<String> {
            let list = value.get("allow").and_then(toml::Value::as_array);
            list.into_iter().flatten().filter_map(|one| one.as_str().map(str::to_owned)).collect()
        };
        let exceptions = licences.get("exceptions").and_then(toml::Value::as_array);
        let exceptions = exceptions.into_iter().flatten().flat_map(|exception| {
            let name = exception.get("crate").and_then(toml::Value::as_str).unwrap_or_default();
            names(exception).into_iter().map(move |licence| (name.to_owned(), licence))
        });
        Ok(Self {
            allowed: names(licences).into_iter().collect(),
            exceptions: exceptions.collect(),
        })
    }

    /// What is wrong with a package of `cargo metadata`.
    fn complaint(&self, package: &Value) -> Option<String> {
        let text = |key| package.get(key).and_then(Value::as_str);
        let name = text("name").unwrap_or_default();
        let version = text("version").unwrap_or_default();
        let Some(licence) = text("license") else {
            return Some(format!("`{name} {version}` names no licence"));
        };
        let Ok(expression) = spdx::Expression::parse_mode(licence, spdx::ParseMode::LAX) else {
            return Some(format!(
                "`{name} {version}` has `{licence}`, which is no SPDX expression"
            ));
        };
        let allowed = expression.evaluate(|one| {
            let one = one.to_string();
            self.allowed.contains(&one) || self.exceptions.contains(&(name.to_owned(), one))
        });
        (!allowed).then(|| format!("`{name} {version}` has `{licence}`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn expressions_are_weighed_as_spdx_says() {
        let rules = Rules::parse(
            "[licenses]\nallow = [\"MIT\", \"Apache-2.0 WITH LLVM-exception\"]\n\
             exceptions = [{ allow = [\"MPL-2.0\"], crate = \"special\" }]\n",
        )
        .unwrap();
        let complaint = |name: &str, licence: Value| {
            rules.complaint(&json!({"name": name, "version": "1.0.0", "license": licence}))
        };
        for licence in ["MIT", "GPL-3.0 OR MIT", "MIT/GPL-3.0", "Apache-2.0 WITH LLVM-exception"] {
            assert_eq!(complaint("a", json!(licence)), None, "{licence}");
        }
        for licence in ["GPL-3.0", "MIT AND GPL-3.0", "Apache-2.0", "not a licence", "MPL-2.0"] {
            assert!(complaint("a", json!(licence)).is_some(), "{licence}");
        }
        assert_eq!(complaint("special", json!("MPL-2.0")), None);
        assert!(complaint("a", Value::Null).unwrap().contains("names no licence"));
    }

    #[test]
    fn the_licences_of_this_project_are_allowed() {
        check(&crate::root()).unwrap();
    }
}
