//! Actions that GitHub's workflows use. Source: GitHub documentation, "Workflow syntax", `uses`.
//!
//! `owner/repository[/path]@ref`, in `.github/workflows` and in `action.yml`. The package URL has the ref
//! as it is written, which is what resolves; the version is another thing. A full version tag is a
//! version, and so is what the comment beside a commit says, as update tools write it: that is a claim
//! of whoever wrote the file, which nothing here can hold against the commit, and the package says that
//! it was told by it. A branch or a tag that moves, such as `v4`, and a commit without a comment are
//! listed without a version: what they stand for cannot be told, and coverage counts them as not
//! matched. Local actions and those of a container registry are not listed.

use super::listing::{Entry, Listing};
use super::{Declared, Lockfile, Reader, is_named, unquoted};
use image::Interest;
use vocabulary::{Confidence, Ecosystem, Identified};

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
    Declared::new(&name, &together(at, comment), number)
}

/// Between a ref and the version that its comment names; git allows no blank in a ref.
const COMMENT: &str = " # ";

/// A ref as it is written, and behind a commit the version that its comment names.
fn together(at: &str, comment: &str) -> String {
    let stated = comment.split_whitespace().next().unwrap_or_default();
    let stated = stated.trim_start_matches("tag=");
    match is_commit(at) && is_release(stated) {
        true => format!("{at}{COMMENT}{stated}"),
        false => at.to_owned(),
    }
}

fn is_commit(at: &str) -> bool {
    at.len() >= 40 && at.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What an entry of [`parse`] says apart: the ref, the version that it stands for without its `v`
/// (empty where that cannot be told), and by what that was told, where the ref does not say it itself.
pub(super) fn apart(declared: &str) -> (&str, &str, Option<Identified>) {
    match declared.split_once(COMMENT) {
        Some((commit, stated)) => {
            let by = "comment beside the commit".to_owned();
            (commit, bare(stated), Some(Identified { by, confidence: Confidence::Medium }))
        }
        None if is_release(declared) => (declared, bare(declared), None),
        None => (declared, "", None),
    }
}

fn bare(version: &str) -> &str {
    version.strip_prefix('v').unwrap_or(version)
}

/// Whether a tag names one release: three numbers.
fn is_release(text: &str) -> bool {
    let text = text.strip_prefix('v').unwrap_or(text);
    let core = text.split(['-', '+']).next().unwrap_or(text);
    let parts: Vec<&str> = core.split('.').collect();
    parts.len() == 3
        && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_and_the_version_that_its_comment_claims_are_two_things() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        for (at, comment, expected) in [
            (commit, " v45.0.7", (commit, "45.0.7", true)),
            (commit, " tag=v45.0.7 pinned", (commit, "45.0.7", true)),
            (commit, " v45", (commit, "", false)),
            (commit, "", (commit, "", false)),
            ("v4.1.1", " v9.9.9", ("v4.1.1", "4.1.1", false)),
            ("4.1.1", "", ("4.1.1", "4.1.1", false)),
            ("v4", " v4.1.1", ("v4", "", false)),
            ("main", "", ("main", "", false)),
        ] {
            let together = together(at, comment);
            let (reference, version, identified) = apart(&together);
            assert_eq!((reference, version, identified.is_some()), expected, "{at} #{comment}");
        }
    }
}
