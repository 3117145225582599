//! Reads the package database of Debian and its derivatives.
//!
//! In go `status` (all packages in one file), `status.d/` (one file a package, in images built
//! without dpkg), `updates/` (what dpkg changed and had no time to write into `status`, one numbered file a
//! change), the file lists and checksums in `info/`, and the copyright files; out come the
//! installed packages with their source package, licences and files. Each file is its own fact, since
//! `status` and the list of one package can lie in different layers; they meet when resolved.
//!
//! Sources: deb-control(5), dpkg(1) for the package states, dpkg's `doc/` on the database;
//! copyright-format 1.0; purl-spec, type `deb`.

mod copyright;
pub(crate) mod files;
pub(crate) mod status;

use crate::history::brought_by;
use crate::needs::{self, Form, Told};
use crate::os_release::{distro_qualifier, ecosystem, namespace};
use crate::owned::Budget;
use image::{
    Cataloged, Entry, Fact, FactAt, Interest, OwnedFile, Packages, ReadError, Reader, Resolution,
    View, Want,
};
use serde::Serialize;
use status::{Record, Status, Update};
use std::collections::{HashMap, HashSet};
use std::io::Read as _;
use vocabulary::{Ecosystem, Location, Package, Presence, Problem, Purl, SourcePackage};

const STATUS: &str = "var/lib/dpkg/status";
const STATUS_FOLDER: &str = "var/lib/dpkg/status.d/";
const UPDATES_FOLDER: &str = "var/lib/dpkg/updates/";
const INFO_FOLDER: &str = "var/lib/dpkg/info/";
const DOCUMENTS: &str = "usr/share/doc/";

/// What else dpkg keeps of a package, and a builder may have put beside its control file.
const BESIDE: [&str; 9] = [
    "conffiles",
    "config",
    "postinst",
    "postrm",
    "preinst",
    "prerm",
    "shlibs",
    "templates",
    "triggers",
];

/// First bytes of a file that gzip packed: RFC 1952, section 2.3.1.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Largest `status`; one package takes about a kilobyte, and Debian has 65,000.
const STATUS_LIMIT: u64 = 64 << 20;

/// Largest list or checksum file of one package; the largest real ones have about four megabytes.
const LIST_LIMIT: u64 = 32 << 20;

/// Packages in all states of `status` over the layers, by which it is told which layer brought which.
/// A hundred layers with six thousand each; what came beyond is said to be of the last layer.
const HISTORY_LIMIT: usize = 600_000;

/// Reads the database of dpkg.
#[derive(Debug)]
pub struct Dpkg;

/// What a file of the database is, told by its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Status,
    Update,
    List,
    Sums,
    Copyright,
}

impl Kind {
    fn of(path: &str) -> Option<Self> {
        if path == STATUS {
            return Some(Self::Status);
        }
        if let Some(name) = path.strip_prefix(STATUS_FOLDER) {
            let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
            return match ending {
                "md5sums" => Some(Self::Sums),
                "list" => Some(Self::List),
                _ if BESIDE.contains(&ending) => None,
                _ => Some(Self::Status),
            };
        }
        if let Some(name) = path.strip_prefix(UPDATES_FOLDER) {
            // dpkg's own `ulist_select`: other names (`tmp.i`) are unfinished.
            let numbered = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
            return numbered.then_some(Self::Update);
        }
        if let Some(name) = path.strip_prefix(INFO_FOLDER) {
            return match name.rsplit_once('.') {
                Some((_, "md5sums")) => Some(Self::Sums),
                Some((_, "list")) => Some(Self::List),
                _ => None,
            };
        }
        let (package, "copyright") = path.strip_prefix(DOCUMENTS)?.split_once('/')? else {
            return None;
        };
        (!package.is_empty()).then_some(Self::Copyright)
    }
}

impl Reader for Dpkg {
    fn id(&self) -> &'static str {
        "dpkg"
    }

    fn revision(&self) -> u32 {
        4
    }

    fn interests(&self) -> &'static [Interest] {
        &[
            Interest::Path(STATUS),
            Interest::Under(STATUS_FOLDER),
            Interest::Under(UPDATES_FOLDER),
            Interest::Under(INFO_FOLDER),
            Interest::Name("copyright"),
        ]
    }

    fn wants(&self, entry: &Entry<'_>, _: &[u8]) -> Want {
        match Kind::of(entry.path) {
            None => Want::No,
            Some(Kind::Status | Kind::Update) => Want::Whole { at_most: STATUS_LIMIT },
            Some(Kind::List | Kind::Sums) => Want::Whole { at_most: LIST_LIMIT },
            Some(Kind::Copyright) => copyright::want(entry.size),
        }
    }

    fn read(&self, entry: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        match Kind::of(entry.path) {
            None => Ok(None),
            Some(Kind::Status) => read_status(entry.path, bytes),
            Some(Kind::Update) => read_update(bytes),
            Some(Kind::List) => keep(&files::read_list(bytes)),
            Some(Kind::Sums) => keep(&files::read_sums(bytes)),
            Some(Kind::Copyright) => copyright::read(bytes),
        }
    }
}

impl image::Resolver for Dpkg {
    fn resolve(&self, view: &View<'_>) -> Resolution {
        Resolver::new(view).resolve()
    }
}

/// Reads `status`, or a file of `status.d/`, that may be packed.
fn read_status(path: &str, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
    let mut plain = Vec::new();
    let bytes = if bytes.starts_with(&GZIP) {
        let decoder = flate2::read::GzDecoder::new(bytes);
        let read = decoder.take(STATUS_LIMIT + 1).read_to_end(&mut plain);
        let fits = read.is_ok_and(|length| length as u64 <= STATUS_LIMIT);
        if !fits {
            return Err(ReadError::new("is packed by gzip, and damaged or too large"));
        }
        plain.as_slice()
    } else {
        bytes
    };
    let mut status = status::read(bytes);
    // Tools that write one package into one file are less strict than dpkg.
    if path == STATUS {
        status.cut_short(bytes);
    }
    if status.packages.is_empty() && status.problem.is_none() {
        if path == STATUS {
            return Ok(None);
        }
        return Err(ReadError::new("names no package; it is not the control file of one"));
    }
    keep(&status)
}

/// Reads a file of `updates/`.
fn read_update(bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
    let mut update = status::read_update(bytes);
    update.status.cut_short(bytes);
    let says_nothing = update.status.packages.is_empty()
        && update.gone.is_empty()
        && update.status.problem.is_none();
    match says_nothing {
        // dpkg fills a file that it keeps ready with lines of comment.
        true if bytes
            .split(|byte| *byte == b'\n')
            .all(|line| line.is_empty() || line.starts_with(b"#")) =>
        {
            Ok(None)
        }
        true => {
            Err(ReadError::new("names no package; dpkg was interrupted: run `dpkg --configure -a`"))
        }
        false => keep(&update),
    }
}

impl Status<'_> {
    /// dpkg itself refuses a last line that does not end.
    fn cut_short(&mut self, bytes: &[u8]) {
        if bytes.last().is_none_or(|last| *last == b'\n') {
            return;
        }
        let cut = "is cut short: its last line does not end".to_owned();
        self.problem = Some(match self.problem.take() {
            Some(problem) => format!("{problem}; it {cut}"),
            None => cut,
        });
    }
}

fn keep<T: Serialize>(fact: &T) -> Result<Option<Fact>, ReadError> {
    postcard::to_stdvec(fact)
        .map(Some)
        .map_err(|_| ReadError::new("what was read could not be kept; report this as a bug"))
}

/// Of two entries of one name, version and architecture only the first is a package. Places are sorted
/// rather than keys gathered, since a database can name 200,000 packages.
fn without_repeated(packages: &mut Packages) {
    let key = |place: &usize| {
        let Package { name, version, architecture, .. } = &packages.get(*place)?.package;
        Some((name, version, architecture))
    };
    let mut places: Vec<usize> = (0..packages.len()).collect();
    places.sort_by(|left, right| key(left).cmp(&key(right)));
    let pairs = places.windows(2).filter_map(|pair| match pair {
        [one, other] if key(one) == key(other) => Some(*other),
        _ => None,
    });
    let repeated: HashSet<usize> = pairs.collect();
    let mut place = 0..;
    packages.retain(|_| place.next().is_some_and(|place| !repeated.contains(&place)));
}

/// What tells a package from all others, as [`Record::key`] does.
type Identity = (String, String, String);

fn identity(record: &Record<'_>) -> Identity {
    let (name, version, architecture) = record.key();
    (name.to_owned(), version.to_owned(), architecture.to_owned())
}

fn identity_of(package: &Package) -> Identity {
    let architecture = package.architecture.clone().unwrap_or_default();
    (package.name.clone(), package.version.clone(), architecture)
}

/// What is said of a fact that is none.
const DAMAGED: &str = "what was kept of it is damaged; scan again with --reverify";

/// The files of `updates/`. dpkg reads them after `status`, and what the last says of a package in an
/// architecture is all that counts: dpkg, `lib/dpkg/dbmodify.c`, `cleanupdates`.
#[derive(Default)]
struct Updates<'view> {
    all: Vec<(FactAt<'view>, Update<'view>)>,
    /// Name and architecture of what they speak of, and the last file that does.
    last: HashMap<(String, String), &'view str>,
    /// The last file that takes a name away in no architecture of its own.
    gone: HashMap<String, &'view str>,
}

impl<'view> Updates<'view> {
    fn push(&mut self, at: FactAt<'view>, update: Update<'view>) {
        for (name, architecture) in &update.gone {
            if architecture.is_empty() {
                self.last.retain(|(other, _), _| other != name);
                self.gone.insert(name.to_string(), at.path);
            } else {
                self.last.insert((name.to_string(), architecture.to_string()), at.path);
            }
        }
        for record in &update.status.packages {
            let key = (record.name.to_string(), record.architecture.to_string());
            self.last.insert(key, at.path);
        }
        self.all.push((at, update));
    }

    /// The last file that speaks of a package.
    fn last_of(&self, name: &str, architecture: &str) -> Option<&'view str> {
        if self.all.is_empty() {
            return None;
        }
        let key = (name.to_owned(), architecture.to_owned());
        self.last.get(&key).or_else(|| self.gone.get(name)).copied()
    }
}

struct Resolver<'view> {
    view: &'view View<'view>,
    ecosystem: Ecosystem,
    distro: String,
    budget: Budget,
    told: Vec<Told<'view>>,
    out: Resolution,
}

impl<'view> Resolver<'view> {
    fn new(view: &'view View<'_>) -> Self {
        Self {
            view,
            ecosystem: ecosystem(view.distribution()),
            distro: distro_qualifier(view.distribution()),
            budget: Budget::default(),
            told: Vec::new(),
            out: Resolution::default(),
        }
    }

    fn resolve(mut self) -> Resolution {
        let updates = self.updates();
        self.status(&updates);
        let apart: Vec<FactAt<'_>> = self
            .view
            .staying()
            .filter(|at| {
                at.path.starts_with(STATUS_FOLDER) && Kind::of(at.path) == Some(Kind::Status)
            })
            .collect();
        let mut seen: HashSet<Identity> = HashSet::new();
        if !(updates.all.is_empty() && apart.is_empty()) {
            seen.extend(self.out.packages.iter().map(|known| identity_of(&known.package)));
        }
        for (at, update) in &updates.all {
            for record in &update.status.packages {
                let last = updates.last_of(&record.name, &record.architecture);
                if last == Some(at.path) && seen.insert(identity(record)) {
                    self.package(record, at, at.layer, None);
                }
            }
        }
        for at in apart {
            let Some(status) = self.decode(&at) else { continue };
            for record in &status.packages {
                if self.out.packages.is_full() {
                    self.out.packages.leave_out();
                } else if seen.insert(identity(record)) {
                    self.package(record, &at, at.layer, Some(at.path));
                }
            }
        }
        if let Some(reason) = self.budget.problem() {
            self.problem(INFO_FOLDER, None, reason);
        }
        needs::connect(&mut self.out.packages, &self.told, Form::Debian);
        self.out
    }

    /// The packages of the one `status` file, each with the layer that brought it.
    fn status(&mut self, updates: &Updates<'_>) {
        let Some(at) = self.view.staying().find(|at| at.path == STATUS) else { return };
        // A database that only one layer has came with that layer.
        let earlier = self.view.history(STATUS).nth(1).is_some();
        let history = self.view.history(STATUS).filter(|_| earlier);
        let states = history
            .filter_map(|at| Some((at.layer, postcard::from_bytes::<Status<'_>>(at.fact).ok()?)));
        let mut left = HISTORY_LIMIT;
        let states: Vec<(Option<u32>, Status<'_>)> = states
            .take_while(|(_, status)| {
                left = left.saturating_sub(status.packages.len());
                left > 0
            })
            .collect();
        let keys: Vec<(Option<u32>, Vec<_>)> = states
            .iter()
            .map(|(layer, status)| (*layer, status.packages.iter().map(Record::key).collect()))
            .collect();
        let layers: HashMap<_, _> = brought_by(&keys);
        let read = status::each(at.fact, |record| {
            if updates.last_of(&record.name, &record.architecture).is_none() {
                let layer = layers.get(&record.key()).copied().unwrap_or(at.layer);
                self.package(&record, &at, layer, None);
            }
        });
        match read {
            Ok(None) => {}
            Ok(Some(reason)) => self.problem(at.path, at.layer, reason),
            Err(_) => {
                self.out.packages.clear();
                self.problem(at.path, at.layer, DAMAGED.to_owned());
            }
        }
        without_repeated(&mut self.out.packages);
    }

    /// What dpkg changed since it wrote `status`, in the order of the numbers.
    fn updates(&mut self) -> Updates<'view> {
        let mut files: Vec<FactAt<'view>> =
            self.view.staying().filter(|at| Kind::of(at.path) == Some(Kind::Update)).collect();
        files.sort_by_key(|at| (at.path.len(), at.path));
        let mut updates = Updates::default();
        for at in files {
            let Ok(update) = postcard::from_bytes::<Update<'view>>(at.fact) else {
                self.problem(at.path, at.layer, DAMAGED.to_owned());
                continue;
            };
            if let Some(reason) = &update.status.problem {
                self.problem(at.path, at.layer, reason.clone());
            }
            updates.push(at, update);
        }
        updates
    }

    fn decode(&mut self, at: &FactAt<'view>) -> Option<Status<'view>> {
        match postcard::from_bytes::<Status<'view>>(at.fact) {
            Ok(status) => {
                if let Some(reason) = &status.problem {
                    self.problem(at.path, at.layer, reason.clone());
                }
                Some(status)
            }
            Err(_) => {
                self.problem(at.path, at.layer, DAMAGED.to_owned());
                None
            }
        }
    }

    fn problem(&mut self, path: &str, layer: Option<u32>, reason: String) {
        self.out.problems.push(Problem { path: path.to_owned(), layer, reason });
    }

    fn package(
        &mut self,
        record: &Record<'view>,
        at: &FactAt<'_>,
        layer: Option<u32>,
        apart: Option<&str>,
    ) {
        if self.out.packages.is_full() {
            self.out.packages.leave_out();
            return;
        }
        let depends = match record.depends_before.is_empty() {
            true => record.depends.clone(),
            false => format!("{}, {}", record.depends_before, record.depends).into(),
        };
        self.told.push(Told {
            name: record.name.clone(),
            architecture: record.architecture.clone(),
            depends,
            provides: record.provides.clone(),
        });
        let source = SourcePackage {
            name: record.source_name().to_owned(),
            version: record.source_version().to_owned(),
        };
        let package = Package {
            purl: self.purl(record),
            ecosystem: self.ecosystem.clone(),
            name: record.name.to_string(),
            version: record.version.to_string(),
            source: Some(source),
            architecture: Some(record.architecture.to_string()).filter(|text| !text.is_empty()),
            licences: self.licences(&record.name),
            presence: Presence::Installed,
            location: Location::file(at.path, at.layer),
            layer,
            origin: vocabulary::OriginKind::default(),
            owned_by: None,
            module: None,
            identified: None,
            relation: None,
            scope: None,
            requires: Vec::new(),
            files: Vec::new(),
        };
        let owned = self.owned(record, apart);
        self.out.packages.push(Cataloged { owned, ..Cataloged::new(package) });
    }

    fn purl(&self, record: &Record<'_>) -> Purl {
        let same_name = record.source_name() == record.name;
        let same_version = record.source_version() == record.version;
        let upstream = match (same_name, same_version) {
            (true, true) => String::new(),
            (false, true) => record.source_name().to_owned(),
            (_, false) => format!("{}@{}", record.source_name(), record.source_version()),
        };
        Purl::new("deb", &record.name.to_lowercase())
            .with_namespace(namespace(self.view.distribution()))
            .with_version(&record.version)
            .with_qualifier("arch", &record.architecture)
            .with_qualifier("distro", &self.distro)
            .with_qualifier("upstream", &upstream)
    }

    fn licences(&self, name: &str) -> Vec<String> {
        let path = format!("{DOCUMENTS}{name}/copyright");
        self.view.at(&path).map(|at| copyright::decode(at.fact)).unwrap_or_default()
    }

    /// The files of a package: from its list, with the checksums beside it and of its conffiles.
    fn owned(&mut self, record: &Record<'_>, apart: Option<&str>) -> Vec<OwnedFile> {
        let find = |extension: &str| {
            let (name, architecture) = (&record.name, &record.architecture);
            match apart {
                Some(path) => self.view.at(&format!("{path}.{extension}")),
                None => self.view.at(&format!("{INFO_FOLDER}{name}.{extension}")).or_else(|| {
                    self.view.at(&format!("{INFO_FOLDER}{name}:{architecture}.{extension}"))
                }),
            }
        };
        let (list, sums) = (find("list"), find("md5sums"));
        let decode = |at: Option<FactAt<'view>>| {
            at.and_then(|at| postcard::from_bytes(at.fact).ok()).unwrap_or_default()
        };
        let mut owned = files::merge(&decode(list), &decode(sums), &mut self.budget);
        files::add_digests(&mut owned, &record.conffiles);
        owned
    }
}

#[cfg(test)]
mod tests;
