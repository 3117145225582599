//! Holds each order against the tool that defines it, where that tool is installed: on generated
//! texts, and on versions from the advisories in `../shared`.
//!
//! A tool reads pairs and prints one of `<`, `=`, `>` for each, or `!` where it refuses a text. Such
//! a pair is passed over: what is more lenient here is written down in the module of the scheme.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test that cannot go on fails"
)]

mod support;

use std::cmp::Ordering;
use std::io::Write;
use std::process::{Command, Stdio};
use support::{Random, cases, real_versions, text_like};
use testkit::skip;
use version::Scheme;

type Pairs = Vec<(String, String)>;

/// The pairs of the scheme's table, generated pairs, and pairs of real versions of its ecosystems.
fn pairs(scheme: Scheme, generated: usize, real: usize) -> Pairs {
    let mut random = Random::new(0x1a2a_2e70 + u64::try_from(generated).expect("a count"));
    let mut pairs: Pairs = (0..generated)
        .map(|_| (text_like(scheme, &mut random), text_like(scheme, &mut random)))
        .collect();
    pairs.extend(cases(scheme).into_iter().map(|(left, _, right)| (left, right)));
    let versions: Vec<String> = real_versions()
        .into_iter()
        .flatten()
        .filter(|(ecosystem, _)| Scheme::of_ecosystem(ecosystem) == Some(scheme))
        .flat_map(|(_, versions)| versions.iter().cloned())
        .collect();
    for _ in 0..if versions.is_empty() { 0 } else { real } {
        // Neighbours in the sorted list differ in little, and that is where orders go wrong.
        let at = random.below(versions.len());
        let near = (at + random.below(7)).min(versions.len() - 1);
        pairs.push((versions[at].clone(), versions[near].clone()));
        pairs.push((versions[near].clone(), random.pick(&versions).clone()));
    }
    pairs
}

/// Runs a tool over the pairs; none where it is missing, and the test is skipped.
fn ask(command: &mut Command, pairs: &Pairs) -> Option<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let spawned =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let Ok(mut child) = spawned else {
        return skip(&format!("`{name}` is not installed"));
    };
    let text: String = pairs.iter().map(|(left, right)| format!("{left}\t{right}\n")).collect();
    let mut input = child.stdin.take().expect("a pipe");
    let writer = std::thread::spawn(move || {
        // A tool that lacks its library ends before it has read everything.
        let _ = input.write_all(text.as_bytes());
    });
    let output = child.wait_with_output().expect("output");
    writer.join().expect("writer");
    if !output.status.success() {
        return skip(&format!("`{name}` cannot compare here ({})", output.status));
    }
    Some(String::from_utf8(output.stdout).expect("UTF-8"))
}

/// Holds the answers of a tool against ours.
fn hold(scheme: Scheme, pairs: &Pairs, answers: Option<String>) {
    let Some(answers) = answers else { return };
    assert_eq!(answers.lines().count(), pairs.len(), "one answer a pair");
    let mut compared = 0_usize;
    let mut wrong = Vec::new();
    for ((left, right), answer) in pairs.iter().zip(answers.lines()) {
        let ours = scheme.compare(left, right);
        let expected = match answer {
            "<" => Ordering::Less,
            "=" => Ordering::Equal,
            ">" => Ordering::Greater,
            _ => continue,
        };
        compared += 1;
        if ours != Ok(expected) {
            wrong.push(format!("`{left}` {answer} `{right}`, not {ours:?}"));
        }
    }
    eprintln!("{scheme:?}: {compared} of {} pairs compared, {} differ", pairs.len(), wrong.len());
    assert!(compared > pairs.len() / 10, "too few pairs are versions at all");
    let shown: Vec<_> = wrong.iter().take(20).collect();
    assert!(wrong.is_empty(), "{} differ: {shown:#?}", wrong.len());
}

const DPKG: &str = r#"
command -v dpkg >/dev/null || exit 3
while IFS="$(printf '\t')" read -r left right; do
  if dpkg --compare-versions "$left" lt "$right"; then echo '<'; continue; fi
  if dpkg --compare-versions "$left" eq "$right"; then echo '='; continue; fi
  dpkg --compare-versions "$left" gt "$right"
  case $? in 0) echo '>';; *) echo '!';; esac
done"#;

#[test]
fn debian_order_is_that_of_dpkg() {
    let pairs = pairs(Scheme::Debian, 300, 200);
    let answers = ask(Command::new("sh").args(["-c", DPKG]), &pairs);
    hold(Scheme::Debian, &pairs, answers);
}

#[test]
fn rpm_order_is_that_of_rpm() {
    let pairs = pairs(Scheme::Rpm, 3000, 3000);
    // The texts go by standard input, which rpm's Lua may read.
    const SCRIPT: &str = r#"%{lua:
for line in io.lines() do
  local left, right = line:match("^(.-)\t(.*)$")
  local l, r = rpm.ver(left), rpm.ver(right)
  if l == nil or r == nil then io.write("!\n")
  elseif l < r then io.write("<\n")
  elseif r < l then io.write(">\n")
  else io.write("=\n") end
end}"#;
    let answers = ask(Command::new("rpm").args(["--eval", SCRIPT]), &pairs);
    let answers = answers.map(|text| text.trim_end().to_owned() + "\n");
    hold(Scheme::Rpm, &pairs, answers);
}

#[test]
fn python_order_is_that_of_packaging() {
    let pairs = pairs(Scheme::Pep440, 6000, 6000);
    const SCRIPT: &str = r#"
import sys
from packaging.version import Version
for line in open(0, encoding="utf-8", newline="\n"):
    try:
        left, right = (Version(text) for text in line.rstrip("\n").split("\t"))
        print("<" if left < right else ">" if left > right else "=")
    except ValueError:
        print("!")
"#;
    let answers = ask(Command::new("python3").args(["-c", SCRIPT]), &pairs);
    hold(Scheme::Pep440, &pairs, answers);
}

#[test]
fn arch_order_is_that_of_libalpm() {
    let mut pairs = pairs(Scheme::Alpm, 6000, 0);
    // Of two versions of which one has no release libalpm compares none.
    pairs.retain(|(left, right)| left.contains('-') == right.contains('-'));
    const SCRIPT: &str = r#"
import ctypes, ctypes.util, sys
library = ctypes.util.find_library("alpm")
if library is None: sys.exit(3)
compare = ctypes.CDLL(library).alpm_pkg_vercmp
for line in sys.stdin:
    left, right = (text.encode() for text in line.rstrip("\n").split("\t"))
    order = compare(left, right)
    print("<" if order < 0 else ">" if order > 0 else "=")
"#;
    let answers = ask(Command::new("python3").args(["-c", SCRIPT]), &pairs);
    hold(Scheme::Alpm, &pairs, answers);
}

#[test]
fn gentoo_order_is_that_of_portage() {
    let pairs = pairs(Scheme::Portage, 6000, 0);
    const SCRIPT: &str = r#"
import sys
from portage.versions import vercmp
for line in sys.stdin:
    order = vercmp(*line.rstrip("\n").split("\t"))
    print("!" if order is None else "<" if order < 0 else ">" if order > 0 else "=")
"#;
    let answers = ask(Command::new("python3").args(["-c", SCRIPT]), &pairs);
    hold(Scheme::Portage, &pairs, answers);
}

#[test]
fn opam_order_is_that_of_dpkg_without_epoch_and_revision() {
    let mut pairs = pairs(Scheme::Opam, 300, 0);
    let of_upstream = |text: &String| !text.contains([':', '-']);
    pairs.retain(|(left, right)| of_upstream(left) && of_upstream(right));
    let answers = ask(Command::new("sh").args(["-c", DPKG]), &pairs);
    hold(Scheme::Opam, &pairs, answers);
}

#[test]
fn conan_order_is_that_of_conan() {
    let pairs = pairs(Scheme::Conan, 6000, 0);
    const SCRIPT: &str = r#"
import sys
from conan.tools.scm import Version
for line in sys.stdin:
    left, right = (Version(text) for text in line.rstrip("\n").split("\t"))
    print("<" if left < right else "=" if left == right else ">")
"#;
    let answers = ask(Command::new("python3").args(["-c", SCRIPT]), &pairs);
    hold(Scheme::Conan, &pairs, answers);
}

#[test]
fn rubygems_order_is_that_of_gem_version() {
    let pairs = pairs(Scheme::RubyGems, 6000, 3000);
    const SCRIPT: &str = r#"
STDIN.each_line do |line|
  left, right = line.chomp.split("\t", -1)
  begin
    puts({ -1 => "<", 0 => "=", 1 => ">" }[Gem::Version.new(left) <=> Gem::Version.new(right)])
  rescue ArgumentError
    puts "!"
  end
end"#;
    let answers = ask(Command::new("ruby").args(["-e", SCRIPT]), &pairs);
    hold(Scheme::RubyGems, &pairs, answers);
}

#[test]
fn packagist_order_is_that_of_composer() {
    let mut pairs = pairs(Scheme::Packagist, 6000, 0);
    // Composer makes dates of eight digits and more, and refuses a fifth number.
    let numbers = |text: &String| {
        let end = text.find(|c: char| c != '.' && !c.is_ascii_digit()).unwrap_or(text.len());
        text.get(..end).unwrap_or_default().split('.').all(|number| number.len() < 8)
    };
    pairs.retain(|(left, right)| numbers(left) && numbers(right));
    const SCRIPT: &str = r#"
@include "/usr/share/php/Composer/Semver/autoload.php";
if (!class_exists("Composer\Semver\VersionParser")) { exit(3); }
$parser = new Composer\Semver\VersionParser();
while (($line = fgets(STDIN)) !== false) {
  $texts = explode("\t", rtrim($line, "\n"));
  try {
    [$left, $right] = array_map([$parser, "normalize"], $texts);
    $branch = str_starts_with($left, "dev-") || str_starts_with($right, "dev-");
    echo $branch ? "!" : ["<", "=", ">"][version_compare($left, $right) + 1], "\n";
  } catch (UnexpectedValueException $error) { echo "!\n"; }
}"#;
    let answers = ask(Command::new("php").args(["-r", SCRIPT]), &pairs);
    hold(Scheme::Packagist, &pairs, answers);
}

/// What `fetch_oracles.py` put into the folder that `LAZARET_TEST_ORACLES` names.
fn oracle(name: &str) -> Option<String> {
    let folder = std::env::var("LAZARET_TEST_ORACLES").unwrap_or_default();
    let path = std::path::Path::new(&folder).join(name);
    (!folder.is_empty() && path.exists()).then(|| path.to_string_lossy().into_owned())
}

/// node-semver, which npm carries with it; `loose` for npm, strict for Semantic Versioning.
fn node_semver(loose: bool, pairs: &Pairs) -> Option<String> {
    let own = || {
        let root = Command::new("npm").args(["root", "-g"]).output().ok()?;
        let root = String::from_utf8(root.stdout).expect("UTF-8");
        let path = format!("{}/npm/node_modules/semver", root.trim());
        std::path::Path::new(&path).exists().then_some(path)
    };
    let Some(module) = oracle("semver").or_else(own) else {
        return skip("node-semver is not here: npm has none, nor has `LAZARET_TEST_ORACLES`");
    };
    let script = format!(
        r#"
const semver = require("{module}");
const lines = require("fs").readFileSync(0, "utf8").split("\n").slice(0, -1);
for (const line of lines) {{
  const [left, right] = line.split("\t");
  try {{ console.log("<=>"[semver.compare(left, right, {{ loose: {loose} }}) + 1]); }}
  catch (error) {{ console.log("!"); }}
}}"#
    );
    ask(Command::new("node").args(["-e", &script]), pairs)
}

#[test]
fn npm_order_is_that_of_node_semver() {
    // Of four numbers node-semver makes a pre-release, by splitting the third.
    let mut pairs = pairs(Scheme::Npm, 6000, 3000);
    let numbers = |text: &String| {
        let end = text.find(|c: char| c != '.' && !c.is_ascii_digit()).unwrap_or(text.len());
        text.get(..end).unwrap_or_default().split('.').count()
    };
    pairs.retain(|(left, right)| numbers(left) <= 3 && numbers(right) <= 3);
    let answers = node_semver(true, &pairs);
    hold(Scheme::Npm, &pairs, answers);
}

#[test]
fn semver_order_is_that_of_node_semver() {
    let mut pairs = pairs(Scheme::Semver, 6000, 3000);
    // In JavaScript longer numbers are rounded.
    let is_short = |text: &String| text.split(|c: char| !c.is_ascii_digit()).all(|n| n.len() < 16);
    pairs.retain(|(left, right)| is_short(left) && is_short(right));
    let answers = node_semver(false, &pairs);
    hold(Scheme::Semver, &pairs, answers);
}

#[test]
fn maven_order_is_that_of_comparable_version() {
    let mut pairs = pairs(Scheme::Maven, 6000, 3000);
    pairs.retain(|(left, right)| !left.is_empty() && !right.is_empty());
    let Some(jar) = maven_jar() else {
        return skip("maven-artifact 3.9 is not here: `LAZARET_TEST_ORACLES` has none");
    };
    let mut answers = String::new();
    // Its main compares each argument with the one before it.
    for some in pairs.chunks(500) {
        let output = Command::new("java")
            .args(["-cp", &jar, "org.apache.maven.artifact.versioning.ComparableVersion"])
            .args(some.iter().flat_map(|(left, right)| [left, right]))
            .output();
        let Ok(output) = output else {
            return skip("`java` is not installed");
        };
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("   ")).collect();
        assert_eq!(lines.len(), some.len() * 2 - 1, "one line for two neighbours");
        for line in lines.iter().step_by(2) {
            let sign = line.split(' ').rev().nth(1).expect("a sign");
            answers.push_str(sign.get(..1).expect("a sign"));
            answers.push('\n');
        }
    }
    hold(Scheme::Maven, &pairs, Some(answers));
}

/// The order changed with Maven 3.9; older jars do not count.
fn maven_jar() -> Option<String> {
    oracle("maven-artifact.jar").or_else(|| {
        let folder = std::fs::read_dir("/usr/share/java").ok()?;
        let mut jars = folder.filter_map(|entry| entry.ok()?.path().to_str().map(str::to_owned));
        jars.find(|path| path.contains("/maven3-artifact-3.9.") && path.ends_with(".jar"))
    })
}
