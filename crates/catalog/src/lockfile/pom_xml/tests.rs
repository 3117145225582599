//! POMs that need one another.

use super::super::Part;
use super::{model::join, pom::read};

fn listed(files: &[(&str, String)]) -> Vec<String> {
    let facts: Vec<(&str, Vec<u8>)> = files
        .iter()
        .filter_map(|(path, text)| Some((*path, read(path, text.as_bytes()).unwrap()?)))
        .collect();
    let parts: Vec<Part<'_>> = facts.iter().map(|(path, fact)| Part { path, fact }).collect();
    let mut all = Vec::new();
    for (part, listing) in parts.iter().zip(join(&parts)) {
        let Some(listing) = listing else { continue };
        let packages = listing.packages.iter();
        all.extend(packages.map(|one| format!("{} {}@{}", part.path, one.name, one.version)));
        all.extend(listing.problems().iter().map(|problem| format!("{}: {problem}", part.path)));
    }
    all
}

fn coordinates(group: &str, artifact: &str, version: &str) -> String {
    let version =
        if version.is_empty() { String::new() } else { format!("<version>{version}</version>") };
    format!("<groupId>{group}</groupId><artifactId>{artifact}</artifactId>{version}")
}

fn pom(of: &str, more: &str) -> String {
    format!("<project>{of}{more}</project>")
}

fn dependency(artifact: &str, version: &str, more: &str) -> String {
    format!("<dependency>{}{more}</dependency>", coordinates("g", artifact, version))
}

fn dependencies(all: &str) -> String {
    format!("<dependencies>{all}</dependencies>")
}

fn managed(all: &str) -> String {
    format!("<dependencyManagement>{}</dependencyManagement>", dependencies(all))
}

#[test]
fn versions_of_parents_by_path_and_of_imports_in_the_local_repository_are_known() {
    let import = "<type>pom</type><scope>import</scope>";
    let root = managed(&(dependency("a", "${a}", "") + &dependency("bom", "1", import)));
    let root = format!("<properties><a>1.0</a></properties>{root}");
    let child =
        format!("<parent>{}</parent><artifactId>child</artifactId>", coordinates("p", "root", "1"));
    let child = child + &dependencies(&(dependency("a", "", "") + &dependency("b", "", "")));
    let bom = managed(&dependency("b", "2.0", ""));
    let found = listed(&[
        ("pom.xml", pom(&coordinates("p", "root", "1"), &root)),
        ("child/pom.xml", pom(&child, "")),
        (".m2/repository/g/bom/1/bom-1.pom", pom(&coordinates("g", "bom", "1"), &bom)),
    ]);
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!(found[..2], ["child/pom.xml g:a@1.0", "child/pom.xml g:b@2.0"]);
    assert!(found[2].contains("since 2 POMs are not in the folder"), "{found:?}");
}

#[test]
fn what_dependencies_need_in_turn_is_listed_where_their_poms_lie() {
    let exclusion = "<exclusions><exclusion><groupId>*</groupId><artifactId>out</artifactId></exclusion></exclusions>";
    let of = |artifact: &str, all: String| {
        let path = format!("home/.m2/repository/g/{artifact}/1/{artifact}-1.pom");
        (
            &*Box::leak(path.into_boxed_str()),
            pom(&coordinates("g", artifact, "1"), &dependencies(&all)),
        )
    };
    let all = dependency("b", "1", "")
        + &dependency("out", "1", "")
        + &dependency("t", "1", "<scope>test</scope>");
    let found = listed(&[
        (
            "pom.xml",
            pom(&coordinates("p", "x", "1"), &dependencies(&dependency("a", "1", exclusion))),
        ),
        of("a", all + &dependency("o", "1", "<optional>true</optional>")),
        of("b", dependency("a", "1", "")),
    ]);
    assert_eq!(found, ["pom.xml g:a@1", "pom.xml g:b@1"]);
}

#[test]
fn what_is_not_there_is_said_unless_nothing_depends_on_it() {
    let parent = format!("<parent>{}</parent>", coordinates("o", "far", "1"));
    let found = listed(&[("pom.xml", pom(&parent, &dependencies(&dependency("a", "", ""))))]);
    assert_eq!(found[0], "pom.xml g:a@");
    assert!(found[1].contains("`o:far:1` is not in the folder"), "{found:?}");
    assert!(found[2].contains("need in turn is not known"), "{found:?}");
    assert!(listed(&[("pom.xml", pom(&parent, ""))]).is_empty());
}

#[test]
fn poms_that_lead_to_each_other_end_soon() {
    let parent =
        |of: &str| format!("<parent>{}<relativePath/></parent>", coordinates("g", of, "1"));
    let import = "<type>pom</type><scope>import</scope>";
    let text = |own: &str, other: &str| {
        let more =
            managed(&dependency(other, "1", import)) + &dependencies(&dependency(other, "1", ""));
        pom(&(parent(other) + &coordinates("g", own, "1")), &more)
    };
    let found = listed(&[("a/pom.xml", text("a", "b")), ("b/pom.xml", text("b", "a"))]);
    assert!(found.iter().any(|line| line.starts_with("a/pom.xml g:b@1")), "{found:?}");
}
