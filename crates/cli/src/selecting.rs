//! Which checks run: what `--checks` says, else the policy, else all that are on by default.
//!
//! A policy that was found, not named, may add checks and leave none out: it may be the work of whoever
//! wrote what is scanned. It is refused with its place, since a scan that left out less than its policy
//! says would look like one that followed it.

use crate::exit::Failure;
use policy::Policy;
use scan::Selection;

/// The selection of a run.
pub(crate) fn selection(flag: Option<&str>, policy: &Policy) -> Result<Selection, Failure> {
    let usual = Selection::default();
    if let Some(list) = flag {
        return Selection::parse(list.split(','), &usual)
            .map_err(|error| Failure::usage(format!("--checks: {error}")));
    }
    if policy.checks.is_empty() {
        return Ok(usual);
    }
    let place = policy.places.get("checks").cloned().unwrap_or_default();
    let words = policy.checks.iter().map(String::as_str);
    let selection = Selection::parse(words, &usual)
        .map_err(|error| Failure::usage(format!("`checks` of {place}: {error}")))?;
    let file = place.rsplit_once(':').map_or(place.as_str(), |(file, _)| file);
    let left_out = selection.lacking(&usual).next();
    match left_out.filter(|_| policy.found.contains(file)) {
        None => Ok(selection),
        Some(check) => Err(Failure::usage(format!(
            "`checks` of {place} leaves out `{check}`, and a policy that was found may only add checks: name it with --policy, or say --checks"
        ))),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    fn policy(checks: &[&str], found: bool) -> Policy {
        let mut policy = Policy {
            checks: checks.iter().map(|word| (*word).to_owned()).collect(),
            ..Policy::default()
        };
        policy.places.insert("checks".to_owned(), "lazaret.yaml:3".to_owned());
        policy.found.extend(found.then(|| "lazaret.yaml".to_owned()));
        policy
    }

    #[test]
    fn the_flag_counts_before_the_policy_and_that_before_what_is_usual() {
        let named = policy(&["packages", "-go"], false);
        assert!(!selection(None, &named).unwrap().has("go"));
        assert!(selection(Some("go"), &named).unwrap().has("go"));
        assert_eq!(selection(None, &Policy::default()).unwrap(), Selection::default());
    }

    #[test]
    fn a_policy_that_was_found_may_only_add() {
        assert!(selection(None, &policy(&["all"], true)).is_ok());
        for words in [&["packages", "-go"][..], &["go"], &["-go"]] {
            let error = selection(None, &policy(words, true)).unwrap_err().error.to_string();
            assert!(error.starts_with("`checks` of lazaret.yaml:3 leaves out `"), "{error}");
            assert!(selection(Some("packages"), &policy(words, true)).is_ok(), "the flag counts");
        }
    }

    #[test]
    fn a_word_that_names_nothing_is_refused_with_its_place() {
        let error = selection(None, &policy(&["secrets"], false)).unwrap_err().error.to_string();
        assert!(error.starts_with("`checks` of lazaret.yaml:3: `secrets` is no check"), "{error}");
        let error = selection(Some(""), &Policy::default()).unwrap_err().error.to_string();
        assert!(error.starts_with("--checks: `` is no check"), "{error}");
    }
}
