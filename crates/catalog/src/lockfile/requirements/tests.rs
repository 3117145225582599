//! What requirements list, pin and include.

use super::*;

fn listed(files: &[(&str, &str)]) -> Vec<String> {
    let facts: Vec<(&str, Vec<u8>)> = files
        .iter()
        .filter_map(|(path, text)| Some((*path, read(path, text.as_bytes()).unwrap()?)))
        .collect();
    let parts: Vec<Part<'_>> = facts.iter().map(|(path, fact)| Part { path, fact }).collect();
    let mut all = Vec::new();
    for (part, listing) in parts.iter().zip(join(&parts)) {
        let Some(listing) = listing else { continue };
        all.extend(
            listing
                .packages
                .iter()
                .map(|one| format!("{} {}@{}", part.path, one.name, one.version)),
        );
        all.extend(listing.problems().iter().map(|problem| format!("{}: {problem}", part.path)));
    }
    all.sort();
    all.dedup();
    all
}

#[test]
fn what_is_included_is_read_whatever_it_is_called() {
    let found = listed(&[
        ("a/requirements.txt", "-r base.in\n--requirement=sub/more.txt\n-cpins.txt\nflask\n"),
        ("a/base.in", "django==2.0\n-r requirements.txt\n"),
        ("a/sub/more.txt", "-r ../../outside.txt\njinja2>=2 # why\n"),
        ("outside.txt", "idna==3.15\n"),
        ("a/pins.txt", "flask==1.0\nmarkupsafe==1.0\nother<3\n"),
        ("notes.txt", "These are notes.\n"),
        ("words.txt", "one\ntwo\n"),
    ]);
    assert_eq!(
        found,
        [
            "a/base.in django@2.0",
            "a/pins.txt flask@1.0",
            "a/pins.txt markupsafe@1.0",
            "a/requirements.txt flask@1.0",
            "a/sub/more.txt jinja2@",
            "outside.txt idna@3.15",
        ]
    );
}

#[test]
fn what_is_included_and_cannot_be_read_is_a_problem() {
    let text = "-r none.txt\n-r ../../x.txt\n-c https://a.test/c.txt\n-r notes.txt\n";
    let found = listed(&[("r/requirements.txt", text), ("r/notes.txt", "These are notes.\n")]);
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found[0].contains("line 1: `none.txt` is included and is not there"), "{found:?}");
}

#[test]
fn every_form_of_a_requirement_is_listed_or_said() {
    let shown = |line: &str| match entry(line, 1) {
        Entry::Package(one) => format!("{}@{}", one.name, one.version),
        Entry::Own => "own".to_owned(),
        _ => "unread".to_owned(),
    };
    for (line, expected) in [
        ("Django == 2.0 ; python_version < '3'", "django@2.0"),
        ("a[b,c]===1.0 --hash=sha256:00", "a@1.0"),
        ("a (==1.0)", "a@1.0"),
        ("a", "a@"),
        ("a>=1,<2", "a@"),
        ("a==1.*", "a@"),
        ("a==1.0,!=1.1", "a@"),
        ("a ~= 1.0", "a@"),
        ("a @ git+https://h.test/a@main", "a@"),
        ("a @ https://h.test/A_b-1.0-py3-none-any.whl#sha256=00", "a@1.0"),
        ("git+https://h.test/a.git@v1#egg=A_b&subdirectory=x", "a-b@"),
        ("https://h.test/x/a-1.0.tar.gz", "a@1.0"),
        ("./wheels/a-1.0-py3-none-any.whl", "a@1.0"),
        ("./folder", "folder@"),
        ("../other/", "other@"),
        ("./lib[dev] ; python_version > '3'", "lib@"),
        ("./lib#egg=Real_Name", "real-name@"),
        ("./x.whl", "x@"),
        ("a-1.0-py3-none-any.whl", "a@1.0"),
        ("lib/inner", "inner@"),
        ("file:///srv/Own_Lib", "own-lib@"),
        (".", "own"),
        (".[dev]", "own"),
        ("..", "own"),
        ("git+https://h.test/a.git", "unread"),
        ("two words", "unread"),
        ("{{ name }}", "unread"),
    ] {
        assert_eq!(shown(line), expected, "{line}");
    }
}

#[test]
fn folders_that_are_installed_in_place_are_listed_and_the_projects_own_is_not() {
    let text = "-e ./lib\n-e other\n--editable=../third#egg=Third\n-e .\n-e .[dev]\n-e git+https://h.test/a.git#egg=a\n";
    assert_eq!(
        listed(&[("requirements.txt", text)]),
        [
            "requirements.txt a@",
            "requirements.txt lib@",
            "requirements.txt other@",
            "requirements.txt third@",
        ]
    );
    let from = match entry("./lib", 1) {
        Entry::Package(lib) => lib.elsewhere,
        _ => None,
    };
    assert_eq!(from, Some(Elsewhere::path("./lib")));
}

#[test]
fn requirements_are_pinned_where_every_line_is() {
    let names = |text: &str| pinned(text).map(|found| found.names.join(" "));
    assert_eq!(names("a==1.0\nB_c==2 --hash=sha256:00\n-e .\n").as_deref(), Some("a b-c"));
    assert_eq!(names("a @ https://h.test/a-1.0.tar.gz\n").as_deref(), Some("a"));
    for open in ["", "# only words\n", "a==1.0\nb>=2\n", "a==1.*\n", "a==1.0\ntwo words\n"] {
        assert_eq!(names(open), None, "{open}");
    }
    let found = pinned("-r base.txt\n-c limits.txt\n").unwrap();
    assert_eq!(found.includes, ["base.txt"]);
}

#[test]
fn many_files_that_include_each_other_end_soon() {
    let names: Vec<String> = (0..200).map(|at| format!("requirements-{at}.txt")).collect();
    let text: String = names.iter().map(|name| format!("-r {name}\n")).collect();
    let files: Vec<(&str, &str)> =
        names.iter().map(|name| (name.as_str(), text.as_str())).collect();
    assert!(listed(&files).iter().any(|line| line.contains("include each other too often")));
}
