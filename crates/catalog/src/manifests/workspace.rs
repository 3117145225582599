//! Which folders belong to a workspace. Sources: npm, "workspaces"; pnpm, "pnpm-workspace.yaml"; Cargo
//! Book, "Workspaces"; uv, "Using workspaces"; Dart, "Pub workspaces".

/// The folders above one, nearest first, each with the path of the folder within it.
pub(super) fn above(folder: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut end = Some(folder.len()).filter(|length| *length > 0);
    std::iter::from_fn(move || {
        let before = folder.get(..end?)?;
        let start = before.rfind('/');
        end = start;
        let within = folder.get(start.map_or(0, |at| at + 1)..)?;
        Some((folder.get(..start.unwrap_or(0))?, within))
    })
}

/// Whether patterns take in a folder; one that begins with `!` takes it out again.
pub(super) fn has_member(patterns: &[String], folder: &str) -> bool {
    let mut is_member = false;
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(pattern) if matches(pattern, folder) => is_member = false,
            None if matches(pattern, folder) => is_member = true,
            _ => {}
        }
    }
    is_member
}

/// Whether a pattern of parts (`*` inside a part, `**` for any number of parts) is that of a path.
fn matches(pattern: &str, path: &str) -> bool {
    let parts = |text: &str| -> Vec<String> {
        text.split('/').filter(|part| !matches!(*part, "" | ".")).map(str::to_owned).collect()
    };
    let (pattern, path) = (parts(pattern), parts(path));
    wildcard(
        &pattern,
        &path,
        |part| part == "**",
        |pattern, part| {
            let (pattern, part): (Vec<char>, Vec<char>) =
                (pattern.chars().collect(), part.chars().collect());
            wildcard(&pattern, &part, |letter| *letter == '*', |one, other| one == other)
        },
    )
}

/// Matches with wildcards for any number of items, without going back further than the last one.
fn wildcard<T>(
    pattern: &[T],
    items: &[T],
    is_any: impl Fn(&T) -> bool,
    same: impl Fn(&T, &T) -> bool,
) -> bool {
    let (mut at, mut item) = (0, 0);
    // The last wildcard, and up to where it has taken items.
    let mut last: Option<(usize, usize)> = None;
    while let Some(next) = items.get(item) {
        match pattern.get(at) {
            Some(one) if is_any(one) => {
                last = Some((at, item));
                at += 1;
            }
            Some(one) if same(one, next) => {
                at += 1;
                item += 1;
            }
            _ => {
                let Some((wild, taken)) = last else { return false };
                last = Some((wild, taken + 1));
                at = wild + 1;
                item = taken + 1;
            }
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(is_any)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_above_come_nearest_first() {
        let all: Vec<_> = above("a/b/c").collect();
        assert_eq!(all, [("a/b", "c"), ("a", "b/c"), ("", "a/b/c")]);
        assert_eq!(above("a").collect::<Vec<_>>(), [("", "a")]);
        assert_eq!(above("").count(), 0);
    }

    #[test]
    fn patterns_take_in_folders_and_take_them_out_again() {
        let has = |patterns: &[&str], folder| {
            let patterns: Vec<String> = patterns.iter().map(|one| (*one).to_owned()).collect();
            has_member(&patterns, folder)
        };
        assert!(has(&["packages/*"], "packages/a") && !has(&["packages/*"], "packages/a/b"));
        assert!(has(&["./apps/**"], "apps/a/b") && has(&["**"], "x/y") && has(&["a/"], "a"));
        assert!(has(&["a-*-b/c"], "a-x-b/c") && !has(&["a-*-b/c"], "a-x/c"));
        assert!(!has(&["packages/*", "!packages/a"], "packages/a") && !has(&[], "a"));
    }
}
