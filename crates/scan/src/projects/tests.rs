use super::*;
use vocabulary::{Ecosystem, Location};

/// `name version keys… -> name@version…`
fn listed(line: &str) -> Cataloged {
    let (own, needs) = line.split_once(" ->").unwrap_or((line, ""));
    let mut words = own.split_whitespace();
    let (name, version) = (words.next().unwrap(), words.next().unwrap());
    let purl = |name: &str| -> Purl { format!("pkg:npm/{name}").parse().unwrap() };
    let mut package = Package::new(
        purl(&format!("{name}@{version}")),
        Ecosystem::NPM,
        name,
        version,
        Location::file("app/yarn.lock", None),
    );
    package.presence = Presence::Declared;
    package.requires = needs.split_whitespace().map(purl).collect();
    Cataloged { keys: words.map(Box::from).collect(), ..Cataloged::new(package) }
}

fn ask(text: &str, scope: impl Into<Option<Scope>>) -> Ask {
    let name = text.split('@').next().unwrap().to_owned();
    Ask { name, keys: vec![text.into()], scope: scope.into(), own: false }
}

/// What is said of each, by name and version.
fn said(lines: &[&str], asked: Vec<Ask>, complete: bool) -> Vec<String> {
    let mut all: Vec<Cataloged> = lines.iter().map(|line| listed(line)).collect();
    let (folder, ecosystem) = ("app".to_owned(), Ecosystem::NPM);
    relate(&mut all, &[Asks { folder, ecosystem, asked, complete }]);
    let word = |text: Option<String>| text.map_or("-".to_owned(), |text| text.to_lowercase());
    let line = |Cataloged { package, .. }: &Cataloged| {
        let relation = word(package.relation.map(|one| format!("{one:?}")));
        let scope = word(package.scope.map(|one| format!("{one:?}")));
        format!("{}@{} {relation} {scope}", package.name, package.version)
    };
    all.iter().map(line).collect()
}

const LOCK: [&str; 5] = [
    "left 1.0.0 left@^1 -> base@1.0.0",
    "left 2.0.0 left@^2 -> base@1.0.0",
    "web 1.0.0 -> left@1.0.0",
    "test 1.0.0 -> left@2.0.0 only@1.0.0",
    "base 1.0.0",
];

#[test]
fn of_several_versions_the_one_is_meant_that_is_asked_for_in_these_words() {
    let asked = || vec![ask("web@^1", Scope::Runtime), ask("left@^2", Scope::Development)];
    assert_eq!(
        said(&LOCK, asked(), true),
        [
            "left@1.0.0 indirect runtime",
            "left@2.0.0 direct development",
            "web@1.0.0 direct runtime",
            "test@1.0.0 - -",
            "base@1.0.0 indirect runtime",
        ]
    );
    // In words that the file does not have, either of them may be meant.
    let asked = vec![ask("web@^1", Scope::Runtime), ask("left@^3", Scope::Development)];
    assert_eq!(said(&LOCK, asked, true)[..2], ["left@1.0.0 - runtime", "left@2.0.0 - -"]);
}

#[test]
fn what_might_be_needed_to_run_is_never_said_to_be_for_development() {
    let lock = ["web 1.0.0 -> base@1.0.0", "test 1.0.0 -> tool@1.0.0", "base 1.0.0", "tool 1.0.0"];
    let asked = || vec![ask("web@1", Scope::Runtime), ask("test@1", Scope::Development)];
    let narrow = ["test@1.0.0 direct development", "tool@1.0.0 indirect development"];
    let of = |said: Vec<String>| [said[1].clone(), said[3].clone()];
    assert_eq!(of(said(&lock, asked(), true)), narrow);
    let unknown = ["test@1.0.0 direct -", "tool@1.0.0 indirect -"];
    assert_eq!(of(said(&lock, asked(), false)), unknown, "a manifest could not be read");
    let with = |more| [asked(), vec![more]].concat();
    let gone = said(&lock, with(ask("gone@1", Scope::Runtime)), true);
    assert_eq!(of(gone), unknown, "it is not in the file, and what it needs is not known");
    let own = Ask { own: true, ..ask("gone@1", Scope::Runtime) };
    assert_eq!(of(said(&lock, with(own), true)), narrow, "it is the project's own");
    let for_what = said(&lock, with(ask("tool@1", None)), true);
    assert_eq!(of(for_what), [narrow[0], "tool@1.0.0 direct -"], "for what, nobody says");
    let flat = ["web 1.0.0", "test 1.0.0", "base 1.0.0"];
    assert_eq!(
        said(&flat, asked(), true),
        ["web@1.0.0 direct runtime", "test@1.0.0 direct -", "base@1.0.0 - -"],
        "without edges nobody knows whether web brings test"
    );
}

#[test]
fn what_the_file_says_itself_stays() {
    let mut all = vec![listed("a 1.0.0 -> b@1.0.0"), listed("b 1.0.0")];
    all[0].package.scope = Some(Scope::Optional);
    all[1].package.relation = Some(Relation::Direct);
    let asked = vec![ask("a@1", Scope::Runtime)];
    let asks = Asks { folder: "app".to_owned(), ecosystem: Ecosystem::NPM, asked, complete: true };
    relate(&mut all, &[asks]);
    assert_eq!(all[0].package.scope, Some(Scope::Optional));
    assert_eq!(all[1].package.relation, Some(Relation::Direct));
    assert_eq!(all[1].package.scope, Some(Scope::Runtime));
}
