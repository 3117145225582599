//! The version of a main module that its linker flags state: `-ldflags "-X main.version=1.2.3"`.
//!
//! In go the flags as the build information keeps them, out comes the version, where they agree on one.
//! Which variable counts is a convention, the same that Trivy follows: one whose name ends with `version`
//! or `ver`, first below the module's own `cmd`, then in a package called `main`, `common`, `version` or
//! `cmd`, then anywhere. A version of Go or of an interface is none of the module's.
//! Sources: `cmd/link`, `-X`; `cmd/internal/quoted`; Trivy, `pkg/dependency/parser/golang/binary`.

use version::Scheme;

/// Longest flags that are read; those of Kubernetes have 2 KB.
pub(super) const FLAGS_LIMIT: usize = 64 << 10;
/// Longest version.
const VERSION_LIMIT: usize = 128;
/// Packages whose variables name the version of the whole program.
const PACKAGES: [&str; 4] = ["main", "common", "version", "cmd"];

/// The version that the flags state for a module, as written there.
pub(super) fn version(module: &str, flags: &str) -> Option<String> {
    let flags = unquoted(flags);
    let mut places: [Vec<Stated<'_>>; 3] = Default::default();
    let words = words(&flags);
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        let Some(rest) = word.strip_prefix("--X").or_else(|| word.strip_prefix("-X")) else {
            continue;
        };
        let pair = match rest.strip_prefix('=') {
            Some(pair) => pair,
            None if rest.is_empty() => words.next().unwrap_or_default(),
            None => continue,
        };
        let Some(stated) = Stated::new(pair.trim_matches(['\'', '"'])) else { continue };
        if let Some(place) = places.get_mut(stated.place(module)) {
            place.push(stated);
        }
    }
    agreed(places.iter().find(|place| !place.is_empty())?)
}

/// The one version of several variables; where they differ, that of those called `version`.
fn agreed(stated: &[Stated<'_>]) -> Option<String> {
    let one = |mut all: Vec<&str>| {
        all.sort_unstable();
        all.dedup();
        <[&str; 1]>::try_from(all).ok().map(|[only]| only.to_owned())
    };
    let exact = |one: &&Stated<'_>| one.variable.eq_ignore_ascii_case("version");
    one(stated.iter().map(|one| one.version).collect())
        .or_else(|| one(stated.iter().filter(exact).map(|one| one.version).collect()))
}

/// A variable that the linker set to a version.
struct Stated<'text> {
    package: &'text str,
    variable: &'text str,
    version: &'text str,
}

impl<'text> Stated<'text> {
    fn new(pair: &'text str) -> Option<Self> {
        let (name, version) = pair.split_once('=')?;
        let (package, variable) = name.rsplit_once('.')?;
        let lower = variable.to_ascii_lowercase();
        let named = lower.ends_with("version") || lower.ends_with("ver");
        let foreign = ["go", "api", "schema", "min"].iter().any(|other| lower.starts_with(other));
        let stated = Self { package, variable, version };
        (named && !foreign && is_version(version)).then_some(stated)
    }

    /// How near to the whole program the variable is: 0 is nearest.
    fn place(&self, module: &str) -> usize {
        let below = self.package.strip_prefix(module);
        let last = self.package.rsplit('/').next().unwrap_or_default();
        match below {
            Some(rest) if rest.starts_with("/cmd/") => 0,
            _ if PACKAGES.contains(&last) => 1,
            _ => 2,
        }
    }
}

/// A version of a Go module, with or without `v`.
pub(super) fn is_version(text: &str) -> bool {
    let bare = text.strip_prefix('v').unwrap_or(text);
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-+".contains(&byte);
    let numbers = bare.split(['-', '+']).next().unwrap_or_default();
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.len() <= VERSION_LIMIT
        && (1..=2).contains(&numbers.matches('.').count())
        && numbers.split('.').all(is_number)
        && bare.bytes().all(allowed)
        && Scheme::Go.check(bare).is_ok()
}

/// The text of a Go literal, as `strconv.Quote` writes one; anything else as it is.
fn unquoted(text: &str) -> String {
    let text = text.get(..FLAGS_LIMIT).unwrap_or(text);
    if let Some(raw) = text.strip_prefix('`') {
        return raw.strip_suffix('`').unwrap_or(raw).to_owned();
    }
    let Some(inside) = text.strip_prefix('"') else { return text.to_owned() };
    let inside = inside.strip_suffix('"').unwrap_or(inside);
    let mut plain = String::with_capacity(inside.len());
    let mut letters = inside.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('n' | 't' | 'r') => plain.push(' '),
                Some(other) => plain.push(other),
                None => {}
            },
            other => plain.push(other),
        }
    }
    plain
}

/// Words divided by blanks; one that begins with a quote goes on to the next.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, after) = if let '\'' | '"' = first {
            let inside = rest.get(1..).unwrap_or_default();
            inside.split_once(first).unwrap_or((inside, ""))
        } else {
            rest.split_once(char::is_whitespace).unwrap_or((rest, ""))
        };
        words.push(word);
        rest = after.trim_start();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(flags: &str) -> Option<String> {
        version("github.com/a/b", flags)
    }

    #[test]
    fn the_variable_of_the_version_is_found_in_every_spelling() {
        for flags in [
            r#""-s -w -X main.version=9.2.4""#,
            "-X=main.version=9.2.4",
            "--X main.Version=9.2.4 -extldflags '-static -X main.version=1.0.0'",
            r#""-X 'github.com/a/b/pkg/version.Version=9.2.4' -X 'main.date=a b'""#,
            r#""-X \"main.version=9.2.4\"""#,
            "-X github.com/a/b/cmd/tool/app.ver=9.2.4 -X main.version=1.0.0",
            "-X main.version=9.2.4 -X github.com/dep/x.version=1.0.0",
            "-X main.gitVersion=9.2.4 -X main.goVersion=1.21.3 -X main.apiVersion=1.0.0",
            "-X main.baseVersion=1.0.0 -X main.version=9.2.4",
        ] {
            assert_eq!(told(flags).as_deref(), Some("9.2.4"), "{flags}");
        }
        assert_eq!(told("-X main.version=v1.2.3-rc.1").as_deref(), Some("v1.2.3-rc.1"));
    }

    #[test]
    fn what_is_no_version_or_contradicts_itself_is_none() {
        for flags in [
            "",
            "-s -w",
            "-X main.version=dev",
            "-X main.version=",
            "-X main.version=1",
            "-X main.version=1.2.3x",
            "-X main.commit=1.2.3",
            "-X main.goVersion=1.21.3",
            "-X main.aVersion=1.0.0 -X main.bVersion=2.0.0",
            "-X",
            "-X main",
        ] {
            assert_eq!(told(flags), None, "{flags}");
        }
    }

    proptest! {
        #[test]
        fn no_flags_make_it_panic(flags in "(-X|=|main|version|\\.|1|'|\"|\\\\| |é|`){0,40}") {
            let _ = told(&flags);
        }
    }
}
