//! Whether a program holds what an entry says is vulnerable: the packages and functions that Go's
//! advisories name, held against those that the linker left in the program.
//!
//! What cannot be told is none: entries that name no packages, programs without a table of functions.
//! An entry whose packages concern other systems alone (`GOOS`, `GOARCH`) says so by their names.
//! Source: go.dev/doc/security/vuln/database, "Schema", `ecosystem_specific.imports`.

use crate::database::ImportView;
use std::collections::BTreeSet;
use vocabulary::{CodeEvidence, Package, Programs, VulnerableCode};

/// How many of the functions that are there are named.
const MAX_FOUND: usize = 20;

/// Compares what an entry names with the program that proves the package.
pub(super) fn compare(
    imports: &[ImportView<'_>],
    programs: &Programs,
    package: &Package,
) -> Option<CodeEvidence> {
    if imports.is_empty() {
        return None;
    }
    let program = programs.of(package);
    let system = programs.system_of(package);
    let architecture = program.and_then(|program| program.architecture.as_deref());
    let fits = |list: &[&str], own: Option<&str>| {
        list.is_empty() || own.is_none_or(|own| list.contains(&own))
    };
    let (of_here, of_others): (Vec<_>, Vec<_>) = imports.iter().partition(|import| {
        fits(&import.systems, system) && fits(&import.architectures, architecture)
    });
    let named = |imports: &[&ImportView<'_>]| -> u64 {
        imports.iter().map(|import| import.functions.len().max(1) as u64).sum()
    };
    if of_here.is_empty() {
        let mut systems = BTreeSet::new();
        for import in &of_others {
            systems.extend(import.systems.iter().chain(&import.architectures).copied());
        }
        return Some(CodeEvidence {
            state: VulnerableCode::Absent,
            found: Vec::new(),
            named: named(&of_others),
            systems: systems.into_iter().map(str::to_owned).collect(),
        });
    }
    let program = program?;
    let mut found = BTreeSet::new();
    for import in &of_here {
        if import.functions.is_empty() && program.holds(import.path, "")? {
            found.insert(import.path.to_owned());
        }
        for function in &import.functions {
            if program.holds(import.path, function)? {
                found.insert(format!("{}.{function}", import.path));
            }
        }
    }
    let state = if found.is_empty() { VulnerableCode::Absent } else { VulnerableCode::Present };
    Some(CodeEvidence {
        state,
        found: found.into_iter().take(MAX_FOUND).collect(),
        named: named(&of_here),
        systems: Vec::new(),
    })
}
