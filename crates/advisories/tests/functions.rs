//! What Go's advisories say of functions, held against what programs hold.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod common;

use advisories::Databases;
use common::{World, now, package};
use vocabulary::{
    CodeEvidence, Ecosystem, Evidence, Finding, Functions, Program, Programs, VulnerableCode,
};

const PATH: &str = "usr/bin/app";

fn record(id: &str, module: &str, imports: &str) -> String {
    format!(
        r#"{{"id":"{id}","affected":[{{"package":{{"ecosystem":"Go","name":"{module}"}},"ranges":[{{"type":"SEMVER","events":[{{"introduced":"0"}},{{"fixed":"2.0.0"}}]}}],"versions":["1.0.0"],"ecosystem_specific":{{"imports":{imports}}}}}]}}"#
    )
}

fn program(names: &[(&str, &str)]) -> Program {
    Program {
        system: "linux".to_owned(),
        architecture: Some("amd64".to_owned()),
        main: "example.org/m/cmd/app".to_owned(),
        replaced: Vec::new(),
        functions: Some(Functions::new(
            names.iter().map(|(package, function)| Functions::hash(package, function)).collect(),
        )),
    }
}

fn findings(records: &[(&str, &str)], program: Option<Program>) -> Vec<Finding> {
    let records: Vec<(&str, String)> =
        records.iter().map(|(id, imports)| ("Go", record(id, "example.org/m", imports))).collect();
    let records: Vec<(&str, &str)> =
        records.iter().map(|(ecosystem, text)| (*ecosystem, text.as_str())).collect();
    let world = World::new(&records);
    let packages = [package("pkg:golang/example.org/m@v1.2.0", PATH)];
    let mut programs = Programs::default();
    if let Some(program) = program {
        programs.insert(PATH, program);
    }
    Databases::open(world.folder.path(), [Ecosystem::GO], now())
        .matches_in(&packages, None, &programs)
        .findings
}

fn code(imports: &str, program: Option<Program>) -> Option<CodeEvidence> {
    let findings = findings(&[("GO-2099-1", imports)], program);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    match &findings[0].evidence[0] {
        Evidence::Advisory(advisory) => advisory.code.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_function_that_is_named_is_there_or_not() {
    let imports =
        r#"[{"path":"example.org/m/a","symbols":["F","T.M"]},{"path":"example.org/m/b"}]"#;
    let present = code(imports, Some(program(&[("example.org/m/a", "T.M")]))).unwrap();
    assert_eq!(present.state, VulnerableCode::Present);
    assert_eq!((present.found, present.named), (vec!["example.org/m/a.T.M".to_owned()], 3));
    let whole = code(imports, Some(program(&[("example.org/m/b", "")]))).unwrap();
    assert_eq!(whole.found, ["example.org/m/b"]);
    let absent = code(imports, Some(program(&[("example.org/m/a", "G")]))).unwrap();
    assert_eq!((absent.state, absent.found), (VulnerableCode::Absent, Vec::new()));
}

#[test]
fn the_main_package_has_another_name_in_the_program() {
    let imports = r#"[{"path":"example.org/m/cmd/app","symbols":["run"]}]"#;
    let present = code(imports, Some(program(&[("main", "run")]))).unwrap();
    assert_eq!(present.found, ["example.org/m/cmd/app.run"]);
}

#[test]
fn a_module_that_replaces_another_is_known_by_the_path_that_is_imported() {
    let imports = r#"[{"path":"example.org/m/a","symbols":["F"]}]"#;
    let replaced = vec![("example.org/m".to_owned(), "old.org/m".to_owned())];
    let program = Program { replaced, ..program(&[("old.org/m/a", "F")]) };
    assert_eq!(code(imports, Some(program)).unwrap().found, ["example.org/m/a.F"]);
}

#[test]
fn what_cannot_be_told_is_not_said() {
    let imports = r#"[{"path":"example.org/m/a","symbols":["F"]}]"#;
    assert_eq!(code(imports, None), None, "a source folder");
    assert_eq!(code(imports, Some(Program { functions: None, ..program(&[]) })), None);
    for unnamed in ["[]", "null", "3", r#"[{"symbols":["F"]}]"#, r#"["x"]"#, r#"[{"path":3}]"#] {
        assert_eq!(code(unnamed, Some(program(&[]))), None, "{unnamed}");
    }
    let many = format!(r#"[{{"path":"a","symbols":[{}"F"]}}]"#, r#""F","#.repeat(9000));
    assert_eq!(code(&many, Some(program(&[]))), None);
}

#[test]
fn what_concerns_other_systems_does_not_match() {
    let windows = r#"[{"path":"example.org/m/a","goos":["windows"],"symbols":["F"]}]"#;
    let arm = r#"[{"path":"example.org/m/a","goarch":["arm64"],"symbols":["F"]}]"#;
    let here = || Some(program(&[("example.org/m/a", "F")]));
    assert!(findings(&[("GO-2099-1", windows)], here()).is_empty());
    assert!(findings(&[("GO-2099-1", arm)], here()).is_empty());
    // What nobody says is no reason to be silent.
    assert_eq!(findings(&[("GO-2099-1", windows)], None).len(), 1);
    let silent = Program { architecture: None, ..here().unwrap() };
    assert_eq!(findings(&[("GO-2099-1", arm)], Some(silent)).len(), 1);
    let mixed = r#"[{"path":"example.org/m/a","goos":["windows"],"symbols":["F"]},{"path":"example.org/m/a","goos":["linux"],"symbols":["G"]}]"#;
    let absent = code(mixed, here()).unwrap();
    assert_eq!((absent.state, absent.named), (VulnerableCode::Absent, 1));
}

#[test]
fn an_image_says_for_which_system_its_packages_are() {
    let windows = r#"[{"path":"example.org/m/a","goos":["windows"]}]"#;
    let text = record("GO-2099-1", "example.org/m", windows);
    let world = World::new(&[("Go", text.as_str())]);
    let mut programs = Programs::default();
    programs.assume("linux");
    let databases = Databases::open(world.folder.path(), [Ecosystem::GO], now());
    let matched = |presence| {
        let one = package("pkg:golang/example.org/m@v1.2.0", PATH);
        let packages = [vocabulary::Package { presence, ..one }];
        databases.matches_in(&packages, None, &programs).findings.len()
    };
    assert_eq!(matched(vocabulary::Presence::Installed), 0);
    assert_eq!(matched(vocabulary::Presence::Declared), 1);
}

#[test]
fn of_several_records_one_that_shows_the_function_decides() {
    let alias = |imports: &str| imports.to_owned();
    let absent = alias(r#"[{"path":"example.org/m/a","symbols":["F"]}]"#);
    let present = alias(r#"[{"path":"example.org/m/a","symbols":["G"]}]"#);
    let both = findings(
        &[("GO-2099-1", &absent), ("GO-2099-2", &present)],
        Some(program(&[("example.org/m/a", "G")])),
    );
    let states: Vec<_> = both.iter().map(Finding::vulnerable_code).collect();
    assert_eq!(states, [Some(VulnerableCode::Absent), Some(VulnerableCode::Present)]);
    let mut merged = both[0].clone();
    merged.evidence.extend(both[1].evidence.clone());
    assert_eq!(merged.vulnerable_code(), Some(VulnerableCode::Present));
}
