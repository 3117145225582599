//! Actions that GitHub's workflows use. Source: GitHub documentation, "Workflow syntax", `uses`.
//!
//! `owner/repository[/path]@ref`, in `.github/workflows` and in `action.yml`. A full version tag is a
//! version, and so is a commit whose comment names one, as update tools write it. A branch or a tag
//! that moves, such as `v4`, is listed without a version: what it stands for today cannot be told, and
//! coverage counts it as not matched. Local actions and those of a container registry are not listed.

use super::listing::{Entry, Listing};
use super::{Declared, Lockfile, Reader, is_named, unquoted};
use image::Interest;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "github-actions",
    ecosystem: Ecosystem::GITHUB_ACTIONS,
    interests: &[
        Interest::Name("action.yml"),
        Interest::Name("action.yaml"),
        Interest::Extension("yml"),
        Interest::Extension("yaml"),
    ],
    accepts,
    at_most: 4 << 20,
    reader: Reader::Alone(parse),
};

fn accepts(path: &str) -> bool {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    is_named(path, &["action.yml", "action.yaml"])
        || folder == ".github/workflows"
        || folder.ends_with("/.github/workflows")
}

fn parse(text: &str) -> Result<Listing, String> {
    if text.contains('\0') {
        return Err("it is not YAML text".to_owned());
    }
    let numbered = text.lines().zip(1_u32..);
    let listed = numbered.filter_map(|(line, number)| declared(line, number));
    Ok(Listing::of_list(listed.map(Entry::Package)))
}

fn declared(line: &str, number: u32) -> Option<Declared> {
    let entry = line.trim_start().trim_start_matches("- ").trim_start();
    let value = entry.strip_prefix("uses:")?.trim();
    let (reference, comment) = value.split_once(" #").unwrap_or((value, ""));
    let (path, at) = unquoted(reference).split_once('@')?;
    if path.starts_with('.') || path.contains("://") {
        return None;
    }
    let mut parts = path.split('/');
    let (owner, repository) = (parts.next()?, parts.next()?);
    // GitHub tells neither owners nor repositories apart by case.
    let name = format!("{owner}/{repository}").to_ascii_lowercase();
    Declared::new(&name, &version(at, comment), number)
}

/// The version that a ref stands for, without its `v`; the ref itself where it is none.
fn version(at: &str, comment: &str) -> String {
    let commit = at.len() >= 40 && at.bytes().all(|byte| byte.is_ascii_hexdigit());
    let stated = comment.split_whitespace().next().unwrap_or_default();
    let stated = stated.trim_start_matches("tag=");
    let text = if commit && is_release(stated) { stated } else { at };
    if is_release(text) { text.trim_start_matches('v').to_owned() } else { text.to_owned() }
}

/// Whether a tag names one release: three numbers.
pub(super) fn is_release(text: &str) -> bool {
    let text = text.strip_prefix('v').unwrap_or(text);
    let core = text.split(['-', '+']).next().unwrap_or(text);
    let parts: Vec<&str> = core.split('.').collect();
    parts.len() == 3
        && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}
