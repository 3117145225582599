//! Turns the facts of all layers into packages and coverage.

use crate::asked::Asked;
use crate::checks::Chosen;
use crate::checks::SYSTEM_READERS;
use crate::completeness;
use crate::inventory::{Files, Inventory, Runs, Software, Source};
use crate::ownership;
use crate::projects;
use image::followed::Followed;
use image::{
    About, Cataloged, Check, Configuration, LayerFacts, Packages, PathHasher, Place, Squash,
    SubjectShape,
};
use record::Record;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use vocabulary::{
    Coverage, FileRecord, Layer, OriginKind, Package, Presence, Problem, Purl, Subject, SubjectKind,
};

/// The facts of a subject, layer by layer.
pub(crate) struct Tree {
    /// Bottom first; one for a directory.
    pub(crate) facts: Vec<LayerFacts>,
    /// In the same order.
    pub(crate) records: Vec<Record>,
    /// What links lead to.
    pub(crate) followed: Vec<Followed>,
    /// Whether it is a directory.
    pub(crate) directory: bool,
    /// By what containers of the image run.
    pub(crate) configuration: Option<Arc<Configuration>>,
}

/// Types of package URLs whose packages stand in package databases.
const DATABASE_TYPES: [&str; 8] =
    ["alpm", "apk", "deb", "ebuild", "opkg", "rpm", "slackware", "xbps"];

pub(crate) fn inventory(
    mut subject: Subject,
    layers: Vec<Layer>,
    tree: Tree,
    chosen: &Chosen,
    hasher: &PathHasher,
) -> Inventory {
    let squash = squash(&tree.facts, tree.directory, hasher).with_followed(&tree.followed);
    let shape = shape(tree.directory, &squash);
    if tree.directory && shape == SubjectShape::RootFileSystem {
        subject.kind = SubjectKind::RootDirectory;
        // A system is no project, whatever lies at its root.
        subject.version = None;
    }
    let of_tree = About::tree(shape);
    let distribution = catalog::os_release::distribution(&squash.view("os-release", of_tree));
    let apt = catalog::apt::settings(&squash.view("apt", of_tree));
    let about = About {
        distribution: distribution.as_ref(),
        configuration: tree.configuration.as_deref(),
        ..of_tree
    };
    let checks = chosen.checks();
    let mut problems = of_checks(problems(&tree, &squash), &checks);
    let counts = |check: &dyn Check| check.counts().hold(chosen.place(shape));
    let mut cataloged = Packages::default();
    let mut findings = Vec::new();
    let mut asks = Vec::new();
    let mut programs = vocabulary::Programs::default();
    for check in checks.iter().copied().filter(|check| counts(*check)) {
        let resolution = check.resolve(&squash.view_of(check, about));
        let said = problems.entry(check.id().to_owned()).or_default();
        said.extend(resolution.problems);
        said.extend(resolution.packages.gaps());
        let before: Vec<Problem> = cataloged.gaps().collect();
        cataloged.append(resolution.packages);
        said.extend(cataloged.gaps().filter(|gap| !before.contains(gap)));
        findings.extend(resolution.findings);
        programs.extend(resolution.programs);
        asks.extend(resolution.asks);
    }
    let mut cataloged = cataloged.into_vec();
    ownership::settle(&mut cataloged, &squash);
    projects::relate(&mut cataloged, &asks);
    let mut coverage = coverage(&checks, problems);
    coverage.extend(chosen.not_selected(&coverage));
    coverage.sort_by(|left, right| left.check.cmp(&right.check));
    let understood = shape == SubjectShape::Source
        && checks
            .iter()
            .copied()
            .filter(|check| declares(*check))
            .any(|check| squash.view_of(check, about).staying().next().is_some());
    let (files, over) = files(&tree, &squash);
    coverage.extend(unrecorded(over));
    let symlinks = squash.into_symlinks();
    let what = match (tree.directory, shape) {
        (true, SubjectShape::Source) => "folder",
        (true, SubjectShape::RootFileSystem) => "root file system",
        (false, _) => "image",
    };
    // What follows takes memory of its own, and needs no fact any more.
    drop(tree);
    let asked = Asked::of_cataloged(&cataloged);
    let packages = packages(cataloged, &layers);
    coverage.extend(completeness::coverage(distribution.as_ref(), &packages, what, understood));
    Inventory {
        subject,
        layers,
        software: Software { distribution, packages, asked, programs },
        files: Files { record: files, symlinks },
        runs: Runs::default(),
        apt,
        source: Source::default(),
        findings,
        coverage,
    }
}

/// Whether what a check reads says which packages a folder needs, even where that is none. What builds
/// and tests it on a server does not.
fn declares(check: &dyn Check) -> bool {
    !check.counts().hold(Place::RootFolder)
        && check.id() != catalog::lockfile::github_actions::CHECK.name()
}

/// The squashed view of layers, or of a directory.
pub(crate) fn squash<'facts>(
    facts: impl IntoIterator<Item = &'facts LayerFacts>,
    directory: bool,
    hasher: &'facts PathHasher,
) -> Squash<'facts> {
    let facts: Vec<&LayerFacts> = facts.into_iter().collect();
    match facts.as_slice() {
        [only] if directory => Squash::of_directory(only, hasher),
        _ => Squash::new(facts, hasher),
    }
}

pub(crate) fn shape(directory: bool, squash: &Squash<'_>) -> SubjectShape {
    let about = About::tree(SubjectShape::RootFileSystem);
    let system = |reader: &&str| squash.view(reader, about).staying().next().is_some();
    let chiselled = || squash.view("chisel", about).at(catalog::chisel::PLACE).is_some();
    if !directory || SYSTEM_READERS.iter().any(system) || chiselled() {
        SubjectShape::RootFileSystem
    } else {
        SubjectShape::Source
    }
}

/// What a reader could not read is a problem of every check that it serves. What serves none, the walk
/// among it, stands for itself.
fn of_checks(
    mut of_readers: BTreeMap<String, Vec<Problem>>,
    checks: &[&dyn Check],
) -> BTreeMap<String, Vec<Problem>> {
    let mut problems: BTreeMap<String, Vec<Problem>> = BTreeMap::new();
    let mut served = HashSet::new();
    for check in checks {
        for reader in check.readers() {
            served.insert(reader.id());
            let of_reader = of_readers.get(reader.id()).into_iter().flatten().cloned();
            problems.entry(check.id().to_owned()).or_default().extend(of_reader);
        }
    }
    of_readers.retain(|reader, _| !served.contains(reader.as_str()));
    for (reader, of_reader) in of_readers {
        problems.entry(reader).or_default().extend(of_reader);
    }
    problems
}

/// The walk's problems by reader, those of files that do not stay left out. What a bound left out is
/// a problem that no later layer can hide.
fn problems(tree: &Tree, squash: &Squash<'_>) -> BTreeMap<String, Vec<Problem>> {
    let mut problems: BTreeMap<String, Vec<Problem>> = BTreeMap::new();
    let number = |index: usize| if tree.directory { None } else { u32::try_from(index).ok() };
    for (index, layer) in tree.facts.iter().enumerate() {
        for gap in layer.gaps() {
            let reason = gap.to_string();
            let problem = Problem { path: "/".to_owned(), layer: number(index), reason };
            problems.entry(gap.reader).or_default().push(problem);
        }
        // A layer's own failure has no path; the coverage of `layers` tells of it.
        let stays =
            |problem: &Problem| !problem.path.is_empty() && squash.stays(index, &problem.path);
        for (reader, problem) in layer.unread().filter(|(_, problem)| stays(problem)) {
            let problem = Problem { layer: number(index), ..problem.clone() };
            problems.entry(reader.to_owned()).or_default().push(problem);
        }
    }
    for followed in &tree.followed {
        let Err(reason) = &followed.outcome else { continue };
        let (path, reason) = (followed.path.clone(), reason.clone());
        let problem = Problem { path, layer: number(followed.layer), reason };
        problems.entry(followed.reader.clone()).or_default().push(problem);
    }
    problems
}

fn coverage(checks: &[&dyn Check], mut problems: BTreeMap<String, Vec<Problem>>) -> Vec<Coverage> {
    let mut coverage: Vec<Coverage> = checks
        .iter()
        .map(|check| {
            Coverage::with_problems(check.id(), problems.remove(check.id()).unwrap_or_default())
        })
        .collect();
    // What no check owns is the walk's own.
    coverage.extend(
        problems.into_iter().map(|(check, of_check)| Coverage::with_problems(check, of_check)),
    );
    coverage.sort_by(|left, right| left.check.cmp(&right.check));
    coverage
}

fn packages(cataloged: Vec<Cataloged>, layers: &[Layer]) -> Vec<Package> {
    let origin_of = |layer: Option<u32>| {
        layer
            .and_then(|index| layers.iter().find(|layer| layer.index == index))
            .map_or(OriginKind::Unknown, |layer| layer.origin.kind)
    };
    let mut packages: Vec<Package> = cataloged
        .into_iter()
        .map(|cataloged| {
            let mut package = cataloged.package;
            package.layer = package.layer.or_else(|| package.location.layer());
            package.origin = origin_of(package.layer);
            package.licences = catalog::licence::expressions(std::mem::take(&mut package.licences));
            if package.files.is_empty() {
                package.files = cataloged.owned.into_iter().map(|file| file.path).collect();
            }
            package
        })
        .collect();
    let all = packages.len();
    // What a distribution's package put there is that package, whatever its content also tells.
    packages.retain(|package| {
        let by_content = |identified: &vocabulary::Identified| identified.by.starts_with("content");
        package.owned_by.is_none() || !package.identified.as_deref().is_some_and(by_content)
    });
    without_explained_notes(&mut packages);
    without_declared_doubles(&mut packages);
    sort(&mut packages);
    packages.dedup_by(|left, right| {
        left.purl == right.purl
            && left.location == right.location
            && left.architecture == right.architecture
    });
    if packages.len() < all {
        only_what_is_there(&mut packages);
    }
    packages
}

/// What a package needs is named as long as it is a package of the same file.
fn only_what_is_there(packages: &mut [Package]) {
    let file = |package: &'_ Package| package.location.path().unwrap_or_default().to_owned();
    let telling = packages.iter().filter(|package| !package.requires.is_empty());
    let mut there: HashMap<String, HashSet<&Purl>> =
        telling.map(|package| (file(package), HashSet::new())).collect();
    for package in packages.iter() {
        let path = package.location.path().unwrap_or_default();
        if let Some(known) = there.get_mut(path) {
            known.insert(&package.purl);
        }
    }
    let gone = |package: &Package| -> Vec<usize> {
        let known = package.location.path().and_then(|path| there.get(path));
        let is_gone = |purl: &Purl| !known.is_some_and(|known| known.contains(purl));
        let numbered = package.requires.iter().enumerate();
        numbered.filter(|(_, purl)| is_gone(purl)).map(|(at, _)| at).collect()
    };
    let gone: Vec<(usize, Vec<usize>)> = packages
        .iter()
        .enumerate()
        .map(|(at, package)| (at, gone(package)))
        .filter(|(_, gone)| !gone.is_empty())
        .collect();
    for (at, gone) in gone {
        let Some(package) = packages.get_mut(at) else { continue };
        let mut places = 0..;
        package.requires.retain(|_| places.next().is_none_or(|at| !gone.contains(&at)));
    }
}

/// Sorts by [`key`], those of one key as they were. The places are sorted, not the packages: a merge
/// needs room for half of what it sorts.
fn sort(packages: &mut [Package]) {
    let places = 0..u32::try_from(packages.len()).unwrap_or(u32::MAX);
    let at = |place: &u32| usize::try_from(*place).ok().and_then(|place| packages.get(place));
    let mut order: Vec<u32> = places.collect();
    order.sort_by(|left, right| at(left).map(key).cmp(&at(right).map(key)));
    // Each circle of packages that take one another's places, once.
    for start in 0..order.len() {
        let mut to = start;
        while let Some(from) = order.get_mut(to) {
            let next = usize::try_from(*from).unwrap_or(usize::MAX);
            *from = u32::try_from(to).unwrap_or(u32::MAX);
            if next == start || next >= packages.len() {
                break;
            }
            packages.swap(to, next);
            to = next;
        }
    }
}

/// A file's package note says nothing new where the package database holds that source package in
/// that version. Notes leave out the epoch, and some add the architecture.
fn without_explained_notes(packages: &mut Vec<Package>) {
    let is_note = |package: &Package| {
        package.identified.as_ref().is_some_and(|by| by.by == catalog::elf_notes::BY)
    };
    if !packages.iter().any(is_note) {
        return;
    }
    let without_epoch = |version: &str| -> String {
        match version.split_once(':') {
            Some((epoch, rest)) if epoch.bytes().all(|byte| byte.is_ascii_digit()) => rest.into(),
            _ => version.to_owned(),
        }
    };
    let mut held: BTreeSet<(String, String, String)> = BTreeSet::new();
    for package in packages.iter().filter(|package| package.purl.namespace().is_some()) {
        if is_note(package) || !DATABASE_TYPES.contains(&package.purl.kind()) {
            continue;
        }
        let kind = package.purl.kind().to_owned();
        if let Some(source) = &package.source {
            held.insert((kind.clone(), source.name.clone(), without_epoch(&source.version)));
        }
        held.insert((kind, package.name.clone(), without_epoch(&package.version)));
    }
    packages.retain(|package| {
        let version = without_epoch(&package.version);
        let architecture = package.architecture.as_deref().unwrap_or_default();
        let bare = version.strip_suffix(architecture).and_then(|rest| rest.strip_suffix('.'));
        let holds = |version: &str| {
            let kind = package.purl.kind().to_owned();
            held.contains(&(kind, package.name.clone(), version.to_owned()))
        };
        !is_note(package) || !(holds(&version) || bare.is_some_and(holds))
    });
}

/// The order of packages in a report.
pub(crate) fn key(package: &Package) -> (&str, &str, &str, &vocabulary::Location, &Option<String>) {
    let Package { ecosystem, name, version, location, architecture, .. } = package;
    (ecosystem.as_str(), name, version, location, architecture)
}

/// A package that a lock file names and that is installed below the same folder is one package: the
/// installed one. One that a lock file names without a version is whichever is installed there.
fn without_declared_doubles(packages: &mut Vec<Package>) {
    let is_declared = |package: &&Package| package.presence == Presence::Declared;
    let declared: HashSet<Purl> =
        packages.iter().filter(is_declared).map(|package| package.purl.bare()).collect();
    if declared.is_empty() {
        return;
    }
    let mut installed: HashMap<Purl, Vec<String>> = HashMap::new();
    for package in packages.iter().filter(|package| package.presence == Presence::Installed) {
        let Some(path) = package.location.path() else { continue };
        let purl = package.purl.bare();
        for named in [purl.clone().with_version(""), purl] {
            if declared.contains(&named) {
                installed.entry(named).or_default().push(path.to_owned());
            }
        }
    }
    let mut told = HashMap::new();
    packages.retain(|package| {
        let Some(path) = package.location.path().filter(|_| package.presence == Presence::Declared)
        else {
            return true;
        };
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let bare = package.purl.bare();
        let stays = !installed
            .get(&bare)
            .is_some_and(|paths| paths.iter().any(|path| is_below(path, folder)));
        if !stays && (package.relation.is_some() || package.scope.is_some()) {
            let said = told.entry(bare).or_insert_with(Vec::new);
            said.push((folder.to_owned(), package.relation, package.scope));
        }
        stays
    });
    // What the lock file says of it holds for the one that is installed; the wider where several do.
    for package in packages.iter_mut().filter(|package| package.presence == Presence::Installed) {
        let Some(said) = told.get(&package.purl.bare()) else { continue };
        let path = package.location.path().unwrap_or_default();
        for (_, relation, scope) in said.iter().filter(|(folder, ..)| is_below(path, folder)) {
            package.relation = package.relation.into_iter().chain(*relation).min();
            package.scope = package.scope.into_iter().chain(*scope).min();
        }
    }
}

fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// Files of one subject of which a record is kept: an image of a million files is recorded whole.
const FILES: usize = 1_100_000;

/// What coverage says of files that are in no record, if there are any.
pub(crate) fn unrecorded(over: u64) -> Option<Coverage> {
    let files = vocabulary::counted(over, "more file is", "more files are");
    let reason = format!("{files} in no record: {FILES} are kept of one subject");
    let problem = Problem { path: "/".to_owned(), layer: None, reason };
    (over > 0).then(|| Coverage::with_problems("file-records", vec![problem]))
}

/// The files of a stack of layers, and how many more there are.
pub(crate) fn files_of(tree: &Tree, hasher: &PathHasher) -> (Vec<FileRecord>, u64) {
    files(tree, &Squash::new(tree.facts.iter().collect(), hasher))
}

fn files(tree: &Tree, squash: &Squash<'_>) -> (Vec<FileRecord>, u64) {
    let records: Vec<&Record> = tree.records.iter().collect();
    let mut files = Vec::new();
    let mut over = 0;
    squash.each_file(&records, |entry, layer| match files.len() < FILES {
        true => files.push(entry.into_file(layer)),
        false => over += 1,
    });
    files.sort_by(|left: &FileRecord, right| left.path.cmp(&right.path));
    (files, over)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocabulary::{Ecosystem, Location};

    fn named(name: &str, path: &str) -> Package {
        let purl = Purl::new("npm", name).with_version("1");
        Package::new(purl, Ecosystem::NPM, name, "1", Location::file(path, None))
    }

    #[test]
    fn packages_are_sorted_and_equals_stay_as_they_were() {
        for seed in 1_usize..60 {
            let made = (0..seed).map(|n| {
                let name = format!("p{}", n * 7919 % (seed / 2 + 1));
                Package { licences: vec![n.to_string()], ..named(&name, "x") }
            });
            let mut sorted: Vec<Package> = made.collect();
            let mut expected = sorted.clone();
            expected.sort_by(|left, right| key(left).cmp(&key(right)));
            sort(&mut sorted);
            assert_eq!(sorted, expected, "{seed}");
        }
    }

    /// A check of two readers, without files.
    struct Two;

    impl Check for Two {
        fn id(&self) -> &'static str {
            "two"
        }

        fn readers(&self) -> Vec<&dyn image::Reader> {
            vec![&catalog::apk::Apk, &catalog::go::Go]
        }

        fn resolve(&self, _: &image::View<'_>) -> image::Resolution {
            image::Resolution::default()
        }
    }

    #[test]
    fn what_a_reader_could_not_read_is_a_problem_of_every_check_that_it_serves() {
        let problem =
            |path: &str| Problem { path: path.to_owned(), layer: None, reason: "no".to_owned() };
        let of_readers =
            ["apk", "go", "walk"].map(|reader| (reader.to_owned(), vec![problem(reader)]));
        let problems = of_checks(of_readers.into(), &[&Two, &catalog::go::Go]);
        let shown: Vec<String> = problems
            .iter()
            .map(|(check, of_check)| {
                let paths: Vec<&str> = of_check.iter().map(|one| one.path.as_str()).collect();
                format!("{check}: {}", paths.join(" "))
            })
            .collect();
        assert_eq!(shown, ["go: go", "two: apk go", "walk: walk"]);
    }
}
