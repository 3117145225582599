use super::*;
use proptest::prelude::*;
use vocabulary::upgrade::Replaced;
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
fn the_shortest_way_comes_first_and_all_are_kept() {
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
    assert_eq!(named, ["top7", "top0", "top1", "top2", "top3", "top4", "top5", "top6"]);
    assert_eq!((brought.more, brought.direct, brought.told), (0, false, true));
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
    let told: Vec<_> = brought.by.iter().map(|one| (one.name.as_str(), &one.change)).collect();
    assert_eq!(told, [("silent", &Change::Untold), ("allows", &Change::Refresh)]);
    assert!(brought.by.iter().all(|one| one.command.is_none()));
}

/// `top` of the project asks for `middle` in these words, and that for `holder`, which holds `client`.
fn chain(top: &str, middle: &str) -> [image::Cataloged; 4] {
    let file = "package-lock.json";
    [
        package(file, ("client", "0.21.0"), INDIRECT, &[]),
        package(file, ("holder", "1.0.0"), INDIRECT, &[("client", "0.21.0", "0.21.0")]),
        package(file, ("middle", "1.0.0"), INDIRECT, &[("holder", "1.0.0", middle)]),
        package(file, ("top", "1.0.0"), DIRECT, &[("middle", "1.0.0", top)]),
    ]
}

#[test]
fn the_first_on_the_way_up_that_may_change_is_the_one_to_change() {
    let of = |top: &str, middle: &str| {
        let brought = brought(&chain(top, middle), &[purl("client", "0.21.0")]);
        let [one] = brought.by.as_slice() else { panic!("{brought:?}") };
        assert_eq!((one.name.as_str(), one.asks.as_deref()), ("top", Some("0.21.0")));
        assert_eq!(one.through, ["middle 1.0.0", "holder 1.0.0"]);
        let replaced = replaced();
        (words::title(&replaced, &brought, ""), one.command.clone().unwrap_or_default())
    };
    let plain = |title: &str, command: &str| (title.to_owned(), command.to_owned());
    assert_eq!(
        of("1.0.0", "^1.0.0"),
        plain(
            "refresh holder 1.0.0, which holds client at 0.21.0: 0.21.9 is needed",
            "npm update holder client"
        )
    );
    assert_eq!(
        of("^1.0.0", "1.0.0"),
        plain(
            "refresh middle 1.0.0, through which client is held at 0.21.0: 0.21.9 is needed",
            "npm update middle holder client"
        )
    );
    assert_eq!(
        of("1.0.0", "1.0.0"),
        plain("upgrade top 1.0.0, through which client is held at 0.21.0: 0.21.9 is needed", "")
    );
    // What is asked of `holder` is not told.
    assert_eq!(
        of("1.0.0", ""),
        plain("upgrade holder 1.0.0, which holds client at 0.21.0: 0.21.9 is needed", "")
    );
}

#[test]
fn each_that_holds_a_version_back_is_named_though_one_package_brings_them_all() {
    let file = "package-lock.json";
    let held = [("client", "0.21.0", "~0.21.0 <0.21.9")];
    let mut all = vec![package(file, ("client", "0.21.0"), INDIRECT, &[])];
    let names: Vec<String> = (0..9).map(|number| format!("log{number}")).collect();
    all.extend(names.iter().map(|name| package(file, (name, "1.0.0"), INDIRECT, &held)));
    let needs: Vec<_> = names.iter().map(|name| (name.as_str(), "1.0.0", "^1.0.0")).collect();
    all.push(package(file, ("top", "1.0.0"), DIRECT, &needs));
    let brought = brought(&all, &[purl("client", "0.21.0")]);
    let through: Vec<&str> = brought.by.iter().map(|one| one.through[0].as_str()).collect();
    assert_eq!(through.len(), 9, "{brought:?}");
    assert_eq!(
        words::title(&replaced(), &brought, ""),
        "refresh log0 1.0.0, log1 1.0.0 and 7 more, which hold client at 0.21.0: 0.21.9 is needed"
    );
    let mut replaced = replaced();
    replaced.brought_by = brought.by;
    let ways = replaced.ways();
    assert_eq!(ways.len(), 6);
    assert_eq!(
        ways[0],
        "top 1.0.0 > log0 1.0.0 > client 0.21.0 (~0.21.0 <0.21.9) does not allow 0.21.9; a later log0 may be taken, and which of them allows it is not told by the lock file: npm update log0 client"
    );
    assert_eq!(ways[5], "and 4 more ways");
}

#[test]
fn what_holds_a_package_that_the_project_asks_for_too_is_named_beside_it() {
    let file = "package-lock.json";
    let all = [
        package(file, ("client", "0.21.0"), DIRECT, &[]),
        package(file, ("allows", "1.0.0"), DIRECT, &[("client", "0.21.0", "^0.21.0")]),
        package(file, ("holds", "1.0.0"), DIRECT, &[("client", "0.21.0", "0.21.0")]),
    ];
    let brought = brought(&all, &[purl("client", "0.21.0")]);
    assert_eq!(
        words::title(&replaced(), &brought, ""),
        "upgrade client from 0.21.0 to 0.21.9; holds 1.0.0 holds it at 0.21.0 too"
    );
}

#[test]
fn long_ways_and_many_of_them_are_cut_and_counted() {
    let file = "package-lock.json";
    let name = |at: usize| format!("n{at:05}");
    let mut all = vec![package(file, ("client", "0.21.0"), INDIRECT, &[])];
    // A chain of a thousand, each pinned by the next, and a thousand that ask for its end.
    let first = [("client", "0.21.0", "0.21.0")];
    all.push(package(file, (&name(0), "1.0.0"), INDIRECT, &first));
    for at in 1..1000 {
        let below = name(at - 1);
        all.push(package(file, (&name(at), "1.0.0"), INDIRECT, &[(&below, "1.0.0", "1.0.0")]));
    }
    let end = name(999);
    for at in 0..1000 {
        let top = format!("top{at:04}");
        all.push(package(file, (&top, "1.0.0"), DIRECT, &[(&end, "1.0.0", "1.0.0")]));
    }
    let brought = brought(&all, &[purl("client", "0.21.0")]);
    assert_eq!(brought.by.len(), KEPT);
    assert!(brought.more > 0);
    for one in &brought.by {
        assert!(one.through.len() <= LONGEST + 1 && one.command.is_none());
        assert_eq!(one.through.last().map(String::as_str), Some("n00000 1.0.0"));
    }
}

/// What a step replaces, before it is known who brings it.
fn replaced() -> Replaced {
    Replaced {
        ecosystem: Ecosystem::NPM,
        name: "client".to_owned(),
        from: "0.21.0".to_owned(),
        to: "0.21.9".to_owned(),
        safety: vocabulary::Safety::Review,
        doubt: None,
        major: false,
        subscription: None,
        brought_by: Vec::new(),
        brought_by_more: 0,
        inside: Vec::new(),
        with_subscription: None,
    }
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
        let stands = |name: &str, version: &str| {
            all.iter().any(|one| one.package.name == name && one.package.version == version)
        };
        let verdict = |ranges: &[Box<str>], to: &str| {
            let mut all = ranges.iter().map(|one| range::allows(Scheme::Npm, one, to));
            if ranges.is_empty() {
                return None;
            }
            all.try_fold(true, |all, one| one.map(|one| all && one))
        };
        for one in &found.by {
            prop_assert!(stands(&one.name, &one.version));
            // Whose range it is, and what that says of the version to go to.
            let holder = one.through.last().cloned().unwrap_or_else(|| one.named());
            let verdicts: Vec<Option<bool>> = asking()
                .filter(|(package, _)| format!("{} {}", package.name, package.version) == holder)
                .map(|(_, ranges)| verdict(ranges, "0.21.9"))
                .collect();
            match &one.change {
                Change::Refresh => prop_assert!(verdicts.contains(&Some(true)), "{one:?}"),
                Change::Outgrow => prop_assert!(verdicts.contains(&Some(false)), "{one:?}"),
                Change::Upgrade { to, brings } => {
                    prop_assert!(verdicts.contains(&Some(false)), "{one:?}");
                    prop_assert!(stands(&one.name, to) && stands("client", brings));
                    prop_assert_eq!(brings.as_str(), "1.18.0");
                }
                Change::Renew { name, version, told } => {
                    prop_assert!(verdicts.contains(&Some(false)), "{one:?}");
                    let mover = format!("{name} {version}");
                    prop_assert!(one.through.contains(&mover) && stands(name, version));
                    // Nobody who asks for it pins it, as far as is told.
                    for asking in &all {
                        let needed = asking.package.requires.iter().zip(&asking.ranges);
                        for (_, ranges) in needed.filter(|(needed, _)| **needed == purl(name, version)) {
                            let pins = ranges.iter().any(|asked| {
                                range::leaves_room(Scheme::Npm, asked, version) == Some(false)
                            });
                            prop_assert!(!pins, "{one:?}");
                            prop_assert!(!told || !ranges.is_empty(), "{one:?}");
                        }
                    }
                }
                Change::Incompatible => prop_assert!(false, "npm tells ranges: {one:?}"),
                Change::Untold => {
                    prop_assert!(verdicts.contains(&None) && one.command.is_none(), "{one:?}");
                }
            }
        }
        // Where all is to be done by a refresh, all that ask for it allow that.
        if found.indirect && !found.by.is_empty() && found.by.iter().all(|one| one.change == Change::Refresh) {
            for (_, ranges) in asking() {
                prop_assert_eq!(verdict(ranges, "0.21.9"), Some(true));
            }
        }
    }
}
