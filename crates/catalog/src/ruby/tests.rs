use super::*;
use crate::language::testing::{purls, resolve};
use proptest::prelude::*;
use std::path::Path;
use std::process::Command;

const RACK: &[u8] = b"# -*- encoding: utf-8 -*-
# stub: rack 2.0.1 ruby lib

Gem::Specification.new do |s|
  s.name = \"rack\".freeze
  s.version = \"2.0.1\"

  s.required_rubygems_version = Gem::Requirement.new(\">= 0\".freeze) if s.respond_to? :required_rubygems_version=
  s.description = \"Not this:\\n  s.name = \\\"other\\\"\\n\".freeze
  s.licenses = [\"MIT\".freeze, \"BSD-2-Clause\".freeze]
end
";

const NATIVE: &[u8] = b"# stub: nokogiri 1.13.9 x86_64-linux lib
Gem::Specification.new do |spec|
  spec.name = %q{nokogiri}
  spec.version = Gem::Version.new(\"1.13.9\")
  spec.platform = 'x86_64-linux' # where it was built
  spec.license = 'MIT'
end
";

fn spec(body: &str) -> Result<Gemspec<'static>, ReadError> {
    gemspec::parse(body.as_bytes())
}

#[test]
fn gems_are_found_where_rubygems_installs_them() {
    let files = [
        ("usr/local/bundle/specifications/rack-2.0.1.gemspec", RACK),
        ("usr/lib/ruby/gems/3.1.0/specifications/default/x.gemspec", NATIVE),
        ("usr/local/bundle/gems/rack-2.0.1/rack.gemspec", RACK),
        ("usr/local/bundle/bundler/gems/rack-0a1b/rack.gemspec", RACK),
        ("srv/rack.gemspec", RACK),
    ];
    let found = resolve(&Ruby, &files);
    assert_eq!(
        purls(&found),
        ["pkg:gem/nokogiri@1.13.9?platform=x86_64-linux", "pkg:gem/rack@2.0.1"]
    );
    let rack = found.packages.iter().find(|one| one.package.name == "rack").unwrap();
    assert_eq!(rack.package.licences, ["MIT", "BSD-2-Clause"]);
    assert!(rack.proof.is_none());
    let native = found.packages.iter().find(|one| one.package.name == "nokogiri").unwrap();
    assert!(native.proof.is_some());
    assert_eq!(native.package.ecosystem, Ecosystem::RUBY_GEMS);
}

#[test]
fn what_is_computed_is_not_guessed() {
    for body in [
        "",
        "Gem::Specification.new do |s|\n s.name = \"a\"\n s.version = A::VERSION\nend",
        "Gem::Specification.new do |s|\n s.name = \"a#{1}\"\n s.version = \"1\"\nend",
        "Gem::Specification.new do |s|\n s.name = \"a\" + \"b\"\n s.version = \"1\"\nend",
        "Gem::Specification.new do |s|\n t.name = \"a\"\n s.version = \"1\"\nend",
        "s.name = \"a\"\ns.version = \"1\"\n",
    ] {
        assert!(spec(body).is_err(), "{body}");
    }
    let stub =
        "# stub: a 1.0 java lib\nGem::Specification.new do |s|\n s.version = A::VERSION\nend";
    let read = spec(stub).unwrap();
    assert_eq!((&*read.name, &*read.version, &*read.platform), ("a", "1.0", "java"));
}

#[test]
fn a_name_or_version_that_rubygems_refuses_is_a_problem() {
    for (name, version) in
        [("a b", "1"), ("../a", "1"), ("a", "1 2"), ("a", "x"), ("", "1"), ("a", "")]
    {
        let body = format!(
            "Gem::Specification.new do |s|\n s.name = \"{name}\"\n s.version = \"{version}\"\nend"
        );
        assert!(spec(&body).is_err(), "{name:?} {version:?}");
    }
    assert!(gemspec::parse(b"\xff\xfe\x00").is_err());
}

#[test]
fn endless_lists_end_without_harm() {
    let many = "\"MIT\".freeze, ".repeat(1000);
    let body = format!(
        "Gem::Specification.new do |s|\ns.name = 'a'\ns.version = '1'\ns.licenses = [{many}]"
    );
    assert_eq!(spec(&body).unwrap().licences.len(), crate::language::LICENCE_LIMIT);
    let long = "x".repeat(1 << 20);
    assert!(
        spec(&format!("Gem::Specification.new do |s|\ns.name = '{long}'\ns.version = '1'"))
            .is_err()
    );
}

/// Name, version and platform of every gem of this machine, as its own RubyGems reads them.
const ALL_GEMS: &str = r#"
folders = Gem::Specification.dirs + [Gem.default_specifications_dir]
folders.uniq.each do |folder|
  Dir[File.join(folder, "*.gemspec")].each do |path|
    spec = Gem::Specification.load(path)
    puts [path, spec.name, spec.version, spec.platform, spec.licenses.join(",")].join("\t") if spec
  end
end"#;

#[test]
fn specifications_are_read_as_rubygems_reads_them() {
    let Some(output) = Command::new("ruby")
        .args(["-e", ALL_GEMS])
        .output()
        .ok()
        .filter(|run| run.status.success())
    else {
        return testkit::skip("`ruby` is not installed");
    };
    let text = String::from_utf8(output.stdout).unwrap();
    for line in text.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [path, name, version, platform, licences] = fields[..] else { panic!("{line}") };
        assert!(is_installed(path.trim_start_matches('/')), "{path}");
        let read = gemspec::parse(&std::fs::read(Path::new(path)).unwrap()).unwrap();
        assert_eq!((&*read.name, &*read.version), (name, version), "{path}");
        assert_eq!(
            if read.platform.is_empty() { "ruby" } else { &read.platform },
            platform,
            "{path}"
        );
        assert_eq!(read.licences.join(","), licences, "{path}");
    }
    eprintln!("{} specifications compared", text.lines().count());
}

#[test]
fn a_gem_that_was_checked_out_is_listed_with_the_version_that_stands_there() {
    let plain =
        b"Gem::Specification.new do |s|\n  s.name = 'a'\n  s.version = '1.0'\nend\n".as_slice();
    let computed =
        b"Gem::Specification.new do |s|\n  s.name = 'b'\n  s.version = B::VERSION\nend\n";
    let base = "usr/local/bundle/ruby/3.2.0/bundler/gems";
    let found = resolve(
        &Ruby,
        &[
            (&format!("{base}/a-0123456789ab/a.gemspec"), plain),
            (&format!("{base}/bs-0123456789ab/b/b.gemspec"), computed),
            (&format!("{base}/a-0123456789ab/spec/fixtures/c.gemspec"), plain),
            ("usr/local/bundle/gems/a-1.0/a.gemspec", plain),
        ],
    );
    assert_eq!(purls(&found), ["pkg:gem/a@1.0", "pkg:gem/b"]);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, text in "(# stub: |Gem::Specification.new do |\\|s\\||s\\.|name|version|licenses|=|\"|'|%q|\\{|\\}|\\[|\\]|,|a|1|é|\n| ){0,60}") {
        let _ = gemspec::parse(&bytes);
        let _ = gemspec::parse(text.as_bytes());
        let body = format!("Gem::Specification.new do |s|\n{text}");
        let _ = gemspec::parse(body.as_bytes());
    }
}
