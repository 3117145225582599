use super::*;
use proptest::prelude::*;
use vocabulary::{Ecosystem, Location, Presence};

fn purl(name: &str, version: &str) -> Purl {
    Purl::new("npm", name).with_version(version)
}

/// A package of a lock file; what it needs stands there with a range.
fn package(
    file: &str,
    (name, version): (&str, &str),
    relation: Option<Relation>,
    needs: &[(&str, &str, &str)],
) -> image::Cataloged {
    let mut one = Package::new(
        purl(name, version),
        Ecosystem::NPM,
        name,
        version,
        Location::file(file, None),
    );
    one.presence = Presence::Declared;
    one.relation = relation;
    one.requires = needs.iter().map(|(name, version, _)| purl(name, version)).collect();
    let ranges = needs
        .iter()
        .map(|(_, _, range)| if range.is_empty() { Vec::new() } else { vec![Box::from(*range)] });
    image::Cataloged { ranges: ranges.collect(), ..image::Cataloged::new(one) }
}

const WANTED: Wanted<'static> =
    Wanted { scheme: Some(Scheme::Npm), name: "client", from: "0.21.0", to: Some("0.21.9") };

fn brought(all: &[image::Cataloged], open: &[Purl]) -> Brought {
    let asked = Asked::of_cataloged(all);
    let bringers = Bringers::new(&asked, open.iter());
    let packages: Vec<&Package> = all
        .iter()
        .map(|one| &one.package)
        .filter(|one| one.name == "client" && one.version == "0.21.0")
        .collect();
    bringers.of(&packages, WANTED)
}

const DIRECT: Option<Relation> = Some(Relation::Direct);
const INDIRECT: Option<Relation> = Some(Relation::Indirect);

#[test]
fn the_shortest_way_comes_first_and_only_so_many_are_named() {
    let mut all = vec![package("package-lock.json", ("client", "0.21.0"), INDIRECT, &[])];
    let needs = [("client", "0.21.0", "^0.21.0")];
    all.push(package("package-lock.json", ("middle", "1.0.0"), INDIRECT, &needs));
    let names: Vec<String> = (0..8).map(|number| format!("top{number}")).collect();
    for (at, name) in names.iter().enumerate() {
        let needs: &[_] = if at == 7 { &needs } else { &[("middle", "1.0.0", "*")] };
        all.push(package("package-lock.json", (name, "1.0.0"), DIRECT, needs));
    }
    let brought = brought(&all, &[purl("client", "0.21.0")]);
    let named: Vec<&str> = brought.by.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(named, ["top7", "top0", "top1", "top2", "top3"]);
    assert_eq!((brought.more, brought.direct, brought.told), (3, false, true));
    assert_eq!(brought.by[0].through, [""; 0]);
    assert_eq!(brought.by[1].through, ["middle 1.0.0"]);
}

#[test]
fn those_that_hold_a_version_back_are_named_and_not_those_that_allow_another() {
    let file = "package-lock.json";
    let all = [
        package(file, ("client", "0.21.0"), INDIRECT, &[]),
        package(file, ("allows", "1.0.0"), DIRECT, &[("client", "0.21.0", "^0.21.0")]),
        package(file, ("holds", "1.0.0"), DIRECT, &[("client", "0.21.0", "0.21.0")]),
    ];
    let brought = brought(&all, &[purl("client", "0.21.0")]);
    let named: Vec<(&str, &Change)> =
        brought.by.iter().map(|one| (one.name.as_str(), &one.change)).collect();
    assert_eq!(named, [("holds", &Change::Outgrow)]);
}

#[test]
fn one_range_that_is_not_told_leaves_all_untold() {
    let file = "package-lock.json";
    let all = [
        package(file, ("client", "0.21.0"), INDIRECT, &[]),
        package(file, ("allows", "1.0.0"), DIRECT, &[("client", "0.21.0", "^0.21.0")]),
        package(file, ("silent", "1.0.0"), DIRECT, &[("client", "0.21.0", "")]),
    ];
    let brought = brought(&all, &[purl("client", "0.21.0")]);
    assert!(brought.by.iter().all(|one| one.change == Change::Untold), "{brought:?}");
    assert!(brought.by.iter().all(|one| one.command.is_none()));
}

#[test]
fn circles_and_packages_that_nobody_asks_for_end() {
    let file = "package-lock.json";
    let all = [
        package(file, ("client", "0.21.0"), INDIRECT, &[("a", "1.0.0", "*")]),
        package(file, ("a", "1.0.0"), INDIRECT, &[("client", "0.21.0", "*"), ("a", "1.0.0", "*")]),
    ];
    let brought = brought(&all, &[purl("client", "0.21.0")]);
    assert!(brought.told && brought.by.is_empty(), "{brought:?}");
}

/// Versions and ranges of made-up lock files.
const RANGES: [&str; 7] = ["", "^0.21.0", "0.21.0", "*", "~0.21.8", "latest", ">=0.21 <0.21.9"];

proptest! {
    /// Whatever a lock file says: what a step claims holds by the ranges and versions in the file.
    #[test]
    fn what_is_claimed_of_bringers_holds_by_what_the_lock_file_says(
        edges in proptest::collection::vec((0_usize..6, 0_usize..8, 0_usize..7), 0..24),
        direct in proptest::collection::vec(any::<bool>(), 6),
        late in any::<bool>(),
    ) {
        let names = ["a", "b", "c", "d", "client", "client"];
        let versions = ["1.0.0", "1.0.0", "1.0.0", "1.0.0", "0.21.0", "1.18.0"];
        // 6 and 7 stand for `a` and `b` in later versions.
        let node = |at: usize| match at {
            6 => ("a", "2.0.0"),
            7 => ("b", "2.0.0"),
            at => (names[at], versions[at]),
        };
        let file = "package-lock.json";
        let of = |from: usize| -> Vec<(&str, &str, &str)> {
            let mine = edges.iter().filter(|(other, _, _)| *other == from % 6);
            let needs = mine.filter(|(_, to, _)| node(*to) != node(from));
            let mut needs: Vec<_> =
                needs.map(|(_, to, range)| (node(*to).0, node(*to).1, RANGES[*range])).collect();
            needs.sort_unstable();
            needs.dedup_by_key(|(name, version, _)| (*name, *version));
            needs
        };
        let count = if late { 8 } else { 6 };
        let all: Vec<image::Cataloged> = (0..count)
            .map(|at| {
                let relation = if direct.get(at) == Some(&true) && at != 4 { DIRECT } else { INDIRECT };
                package(file, node(at), relation, &of(at))
            })
            .collect();
        let open = [purl("client", "0.21.0")];
        let found = brought(&all, &open);
        let asking = || {
            all.iter().flat_map(|one| {
                let needed = one.package.requires.iter().zip(&one.ranges);
                let of_client = needed.filter(|(needed, _)| **needed == open[0]);
                of_client.map(move |(_, ranges)| (&one.package, ranges))
            })
        };
        for one in &found.by {
            let stands = |name: &str, version: &str| {
                all.iter().any(|one| one.package.name == name && one.package.version == version)
            };
            prop_assert!(stands(&one.name, &one.version));
            match &one.change {
                Change::Refresh => {
                    for (_, ranges) in asking() {
                        prop_assert!(!ranges.is_empty());
                        for asked in ranges {
                            prop_assert_eq!(range::allows(Scheme::Npm, asked, "0.21.9"), Some(true));
                        }
                    }
                }
                Change::Outgrow => {
                    let refuses =
                        |asked: &str| range::allows(Scheme::Npm, asked, "0.21.9") == Some(false);
                    let holds = asking().any(|(_, ranges)| ranges.iter().any(|one| refuses(one)));
                    prop_assert!(holds);
                }
                Change::Upgrade { to, brings } => {
                    prop_assert!(stands(&one.name, to) && stands("client", brings));
                    prop_assert_eq!(brings.as_str(), "1.18.0");
                }
                Change::Untold => prop_assert!(one.command.is_none()),
            }
        }
    }
}
