//! What each fuzz target does with its bytes.
//!
//! A target holds one line; the work is here, so that all checks are fuzzed in the same way.
//! Beside "no panic", each asserts what must hold for any input: orders are orders, what is shown
//! can be read again, memory stays bounded.

use image::check::{Entry, Flow, Interest, Want};
use image::tar::{Meta, Sink, TarReader};
use image::{About, Check, FactAt, Reader, SubjectShape, View};
use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::LazyLock;
use testkit::made::Made;
use version::Scheme;
use vocabulary::{Ecosystem, FileKind, Purl};

/// Separates the files that a cataloger is fed in one run.
pub const SEPARATOR: &[u8] = b"\0\xff\0\xff";

/// The most files of one run.
const FILES: usize = 6;

/// The environment variable that names the check of [`check`].
pub const CHECK: &str = "LAZARET_FUZZ_CHECK";

/// Feeds a check some files that its first reader is interested in, then resolves what was learned.
pub fn check(data: &[u8]) {
    static NAMED: LazyLock<Box<dyn Check>> = LazyLock::new(|| {
        let id = std::env::var(CHECK).expect("LAZARET_FUZZ_CHECK names a check");
        let mut checks = scan::checks(&scan::Selection::all()).into_iter();
        checks.find(|check| check.id() == id).expect("a check of this id")
    });
    let check: &dyn Check = NAMED.as_ref();
    let mut rest = data;
    let mut facts = Vec::new();
    for layer in 0..FILES {
        let at = rest.windows(SEPARATOR.len()).position(|window| window == SEPARATOR);
        let (file, next) = match at {
            Some(at) => (&rest[..at], Some(&rest[at + SEPARATOR.len()..])),
            None => (rest, None),
        };
        if let Some((path, fact)) = read(*check.readers().first().expect("a reader"), file) {
            facts.push((path, fact, u32::try_from(layer).expect("few")));
        }
        match next {
            Some(next) => rest = next,
            None => break,
        }
    }
    let links = HashMap::new();
    for shape in [SubjectShape::RootFileSystem, SubjectShape::Source] {
        let facts = facts.iter().map(|(path, fact, layer)| FactAt {
            path,
            layer: Some(*layer),
            fact,
            stays: true,
        });
        let view = View::new(facts.collect(), &links, About::tree(shape), 6);
        let resolution = check.resolve(&view);
        for one in &resolution.packages {
            let text = one.package.purl.to_string();
            assert_eq!(text.parse::<Purl>().map(|purl| purl.to_string()).as_ref(), Ok(&text));
        }
    }
}

/// The first byte says which of the check's interests the path follows, the second varies it.
fn read(check: &dyn Reader, file: &[u8]) -> Option<(String, Vec<u8>)> {
    let (&[which, variant], content) = file.split_first_chunk::<2>()?;
    let interests = check.interests();
    let mut content = content.to_vec();
    let names = ["status", "a.list", "a.md5sums", "a/METADATA", "a/PKG-INFO", "a/b/package.json"];
    let name = names[usize::from(variant) % names.len()];
    let part = |parts: &[&'static str]| parts[usize::from(variant) % parts.len()];
    let path = match interests[usize::from(which) % interests.len()] {
        Interest::Under(folder) if check.id() == "pacman" => {
            format!("{folder}a-1.0-1/{}", part(&["desc", "files"]))
        }
        Interest::Under(folder) if check.id() == "portage" => {
            format!("{folder}a-b/c-1.0-r1/{}", part(&["PF", "LICENSE", "CONTENTS"]))
        }
        Interest::Under(folder) if check.id() == "opkg" => {
            format!("{folder}{}", part(&["status", "info/a.control", "info/a.list"]))
        }
        Interest::Under(folder) if check.id() == "slackware" => {
            format!("{folder}{}", part(&["a-1.0-x86_64-1", "a-b-2-noarch-1_c"]))
        }
        Interest::Under(folder) if check.id() == "unread" => {
            format!("{folder}{}", part(&["a", "a/metadata", "a/version", "a.snap"]))
        }
        Interest::Under(folder) if check.id() == "xbps" => format!("{folder}pkgdb-0.38.plist"),
        Interest::Name("INSTALL_RECEIPT.json") => {
            "opt/brew/Cellar/a/1.0_1/INSTALL_RECEIPT.json".to_owned()
        }
        Interest::Name("snap.yaml") => "snap/a/1/meta/snap.yaml".to_owned(),
        Interest::Under(folder) if check.id() == "nix" => {
            format!(
                "{folder}0c0y7zfapm7ldn7w0r1rsq7hgdn3i3zn-{}/{name}",
                part(&["a-1.0", "b-c-2-bin"])
            )
        }
        Interest::Name("DESCRIPTION") => "usr/lib/R/library/a/DESCRIPTION".to_owned(),
        Interest::Name("pom.properties") => "app/META-INF/maven/a/b/pom.properties".to_owned(),
        Interest::Name("opam") => "root/.opam/a/.opam-switch/packages/a.1.0/opam".to_owned(),
        Interest::Name("style.css") => "srv/wp-content/themes/a/style.css".to_owned(),
        Interest::Extension("php") => {
            format!("srv/{}", part(&["wp-includes/version.php", "wp-content/plugins/a/b.php"]))
        }
        Interest::Extension("rockspec") => {
            "usr/lib/luarocks/rocks-5.4/a/1.0-1/a-1.0-1.rockspec".to_owned()
        }
        Interest::Extension("conf") => "usr/lib/ghc/package.conf.d/a-1.0.conf".to_owned(),
        Interest::Extension(_) if check.id() == "conda" => "opt/conda-meta/a.json".to_owned(),
        Interest::Extension("zip") if check.id() == "javascript" => {
            "srv/.yarn/cache/a-npm-1.0.0-0123456789-8.zip".to_owned()
        }
        Interest::Name(".package-lock.json") => "srv/node_modules/.package-lock.json".to_owned(),
        Interest::Path(path) => path.to_owned(),
        Interest::Under(folder) => format!("{folder}{name}"),
        // Of a source folder: lock files of dependencies are not read.
        Interest::Name("installed.json") => "srv/vendor/composer/installed.json".to_owned(),
        Interest::Name(name) if variant % 3 == 2 => format!("srv/app/{name}"),
        Interest::Name(name) if variant % 3 == 0 => format!("usr/lib/node_modules/a/{name}"),
        Interest::Name(name) => format!("usr/lib/python3/dist-packages/a-1.0.dist-info/{name}"),
        Interest::Extension("gemspec") => "usr/lib/ruby/specifications/a-1.0.gemspec".to_owned(),
        Interest::Extension("json") => "app/a.deps.json".to_owned(),
        Interest::Extension(ending) => format!("usr/share/java/a-1.0.{ending}"),
        Interest::Every | Interest::Text { .. } => format!("srv/{name}"),
        Interest::Magic(magic) => {
            content.splice(..0, magic);
            "usr/bin/a".to_owned()
        }
    };
    let size = u64::try_from(content.len()).ok()?;
    let entry = Entry { path: &path, kind: FileKind::File, mode: 0o755, size };
    let fact = match check.wants(&entry, &content[..content.len().min(512)]) {
        Want::No => None,
        Want::Whole { at_most } if size > at_most => None,
        Want::Whole { .. } => check.read(&entry, &content).ok().flatten(),
        Want::Stream(mut reading) => {
            for piece in content.chunks(usize::from(variant) + 1) {
                if reading.push(piece) == Flow::Enough {
                    break;
                }
            }
            reading.finish().ok().flatten()
        }
    };
    Some((path, fact?))
}

/// Reads a tar twice, in one piece and in small ones: both must see the same.
pub fn tar(data: &[u8]) {
    let Some((&[mode], archive)) = data.split_first_chunk::<1>() else { return };
    let mut archive = archive.to_vec();
    if mode & 1 == 1 {
        // Random bytes hardly ever have right checksums.
        archive.chunks_exact_mut(512).for_each(seal);
    }
    let whole = walk(&archive, usize::MAX);
    let pieces = walk(&archive, usize::from(mode / 2) + 1);
    assert_eq!(whole, pieces, "what a tar holds depends on how it arrives");
}

/// Reads every file that is named `w`; what begins with `!` cannot be read, with `-` concerns nobody.
struct Named;

impl Reader for Named {
    fn id(&self) -> &'static str {
        "named"
    }
    fn revision(&self) -> u32 {
        1
    }
    fn interests(&self) -> &'static [Interest] {
        &[Interest::Name("w"), Interest::Under("app/")]
    }
    fn wants(&self, entry: &Entry<'_>, _head: &[u8]) -> Want {
        if entry.name() == "w" { Want::Whole { at_most: 1 << 20 } } else { Want::No }
    }
    fn read(&self, _entry: &Entry<'_>, bytes: &[u8]) -> Result<Option<Vec<u8>>, image::ReadError> {
        match bytes.first() {
            Some(b'!') => Err(image::ReadError::new("cannot be read")),
            Some(b'-') => Ok(None),
            _ => Ok(Some(bytes.to_vec())),
        }
    }
}

const PATHS: [&str; 8] = ["app/w", "app/x/w", "c/w", "s/1", "s/2", "s/3", "lib/w", "app"];

/// Walks layers of links and floods under small bounds: each file that the check wanted is a fact, a
/// problem, or counted as left out.
pub fn walk_layers(data: &[u8]) {
    let Some((&[facts, problems, links], rest)) = data.split_first_chunk::<3>() else { return };
    let bounds = image::LayerBounds {
        facts: facts.into(),
        problems: problems.into(),
        links: links.into(),
        ..image::LayerBounds::default()
    };
    let readers: [&dyn Reader; 1] = [&Named];
    let dispatch = image::Dispatch::new(&readers);
    let (hasher, progress) = (image::PathHasher::new([1; 16]), image::Progress::default());
    let walker = image::Walker::new(&dispatch, &hasher, image::RecordLevel::None, &progress)
        .with_bounds(bounds);
    let path = |byte: &u8| PATHS[usize::from(byte % 7)];
    let mut layers = Vec::new();
    for layer in rest.split(|byte| *byte == 0xff).take(4) {
        let (entries, _) = layer.as_chunks::<3>();
        let entries: Vec<Made> = entries
            .iter()
            .map(|[kind, first, second]| match kind % 4 {
                0 | 1 => Made::File(path(first), (*second).into()),
                2 => Made::HardLink(path(first), path(second)),
                _ => Made::Symlink(PATHS[usize::from(first % 8)]),
            })
            .collect();
        let (tar, unpacked) = testkit::made::unpack(&entries);
        let walked = walker.walk_plain(&tar);
        assert_eq!(walked.failure, None);
        let counted = !walked.facts.gaps().is_empty();
        let of_facts = walked.facts.of("named").map_or(&[][..], |of| &of.facts[..]);
        let of_problems = walked.facts.of("named").map_or(&[][..], |of| &of.problems[..]);
        for (path, content) in &unpacked {
            let Some(content) = content.as_ref().filter(|_| path.ends_with("/w")) else { continue };
            match of_facts.iter().find(|fact| fact.path == *path) {
                Some(fact) => assert_eq!(fact.fact, content.as_bytes()),
                None if content.starts_with('-') => {}
                None => {
                    let said = of_problems.iter().any(|problem| problem.path == *path);
                    assert!(said || counted, "{path} is neither read nor said");
                }
            }
        }
        layers.push(walked.facts);
    }
    let squash = image::Squash::new(layers.iter().collect(), &hasher);
    let plan = image::again::plan(&squash, &dispatch, SubjectShape::RootFileSystem);
    assert_eq!(plan.again.len(), layers.len());
}

fn seal(block: &mut [u8]) {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

fn walk(archive: &[u8], piece: usize) -> (Vec<String>, Result<(), String>) {
    let mut seen = Seen::default();
    // Holes cost a hostile tar nothing, and the run its time.
    let mut reader = TarReader::with_holes(1 << 20);
    for piece in archive.chunks(piece.min(archive.len()).max(1)) {
        if let Err(error) = reader.push(piece, &mut seen) {
            return (seen.entries, Err(kind(error)));
        }
    }
    (seen.entries, reader.finish().map_err(kind))
}

/// What kind of error it is: its text without the place.
fn kind(error: impl std::fmt::Display) -> String {
    error.to_string().replace(|letter: char| letter.is_ascii_digit(), "")
}

/// Keeps a line for each entry.
#[derive(Default)]
struct Seen {
    entries: Vec<String>,
    content: u64,
    announced: u64,
}

impl Seen {
    fn note(&mut self, meta: &Meta<'_>) {
        let path = meta.path;
        assert!(!path.starts_with('/') && !path.split('/').any(|part| part == ".."), "{path}");
        self.entries.push(format!("{path} {:?} {} {}", meta.kind, meta.size, meta.link));
    }
}

impl Sink for Seen {
    fn entry(&mut self, meta: &Meta<'_>) {
        self.note(meta);
    }

    fn whole(&mut self, meta: &Meta<'_>, content: &[u8]) {
        assert_eq!(u64::try_from(content.len()), Ok(meta.size));
        self.note(meta);
    }

    fn start(&mut self, meta: &Meta<'_>, _head: &[u8]) -> bool {
        self.note(meta);
        (self.content, self.announced) = (0, meta.size);
        true
    }

    fn data(&mut self, bytes: &[u8]) -> bool {
        self.content += bytes.len() as u64;
        assert!(self.content <= self.announced, "a file is longer than its header says");
        true
    }

    fn end(&mut self) {
        assert_eq!(self.content, self.announced);
    }

    fn unread(&mut self, meta: &Meta<'_>, _reason: &str) {
        self.note(meta);
    }

    fn problem(&mut self, path: &str, _reason: &str) {
        self.entries.push(format!("problem {path}"));
    }
}

/// Reads a document as each kind that an image may hold.
pub fn manifest(data: &[u8]) {
    use image::manifest::{Config, Manifest, SavedImage, parse};
    let _ = parse::<Manifest>(data);
    let _ = parse::<Config>(data);
    let _ = parse::<Vec<SavedImage>>(data);
}

/// Builds a database of one record, for every ecosystem it names, and reads it back.
pub fn osv(data: &[u8]) {
    use advisories::{Database, build::Builder, osv::parse_record};
    let Ok(record) = parse_record(data) else { return };
    for affected in record.affected.iter().take(4) {
        let name = affected.package.ecosystem.as_str();
        let name = name.split(':').next().unwrap_or_default();
        let mut builder = Builder::new(Ecosystem::new(name));
        builder.add(&record);
        if let Ok(built) = builder.finish() {
            let database = Database::from_bytes(built.bytes).expect("what was built can be opened");
            database.check().expect("what was built can be read");
        }
    }
}

/// Opens bytes as a database and reads all of it.
pub fn lzdb(data: &[u8]) {
    if let Ok(database) = advisories::Database::from_bytes(data.to_vec()) {
        let _ = database.check();
        let _ = database.verify();
    }
}

/// A list of changes never says more of a database than both have lines and records, and its own order
/// says nothing.
pub fn modified_id(data: &[u8]) {
    static DATABASE: std::sync::OnceLock<advisories::Database> = std::sync::OnceLock::new();
    let database = DATABASE.get_or_init(|| {
        let mut builder = advisories::build::Builder::new(Ecosystem::NPM);
        for id in ["A", "B", "C"] {
            let text = format!(
                r#"{{"id":"{id}","modified":"1970-01-01T00:00:09Z","affected":[{{"package":{{"ecosystem":"npm","name":"a"}},"versions":["1"]}}]}}"#
            );
            builder.add(&advisories::osv::parse_record(text.as_bytes()).expect("a record"));
        }
        let built = builder.finish().expect("a database");
        advisories::Database::from_bytes(built.bytes).expect("a database")
    });
    let said = advisories::changes(database, data.to_vec());
    let Ok(Some((changed, gone))) = said else { return };
    assert!(gone <= 3 && changed <= data.split(|byte| *byte == b'\n').count());
    let mut lines: Vec<&[u8]> = data.split_inclusive(|byte| *byte == b'\n').collect();
    if data.ends_with(b"\n") {
        lines.reverse();
        let again = advisories::changes(database, lines.concat());
        assert_eq!(again.expect("a list"), Some((changed, gone)));
    }
}

/// What a package URL shows can be read again, and shows the same.
pub fn purl(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(purl) = text.parse::<Purl>() {
        let shown = purl.to_string();
        let again: Purl = shown.parse().expect("what is shown can be read");
        assert_eq!(again.to_string(), shown);
    }
}

/// Each scheme orders three versions, as an order does.
pub fn version_order(data: &[u8]) {
    let Some((&[which], rest)) = data.split_first_chunk::<1>() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let scheme = Scheme::ALL[usize::from(which) % Scheme::ALL.len()];
    let versions: Vec<&str> =
        text.split('\n').take(3).filter(|one| scheme.check(one).is_ok()).collect();
    let order = |left, right| scheme.compare(left, right).expect("both are versions");
    for left in &versions {
        assert_eq!(order(left, left), Ordering::Equal);
        for right in &versions {
            assert_eq!(order(left, right), order(right, left).reverse(), "{left:?} {right:?}");
        }
    }
    // Their own orders are not transitive for some texts, and ours are to be the same.
    if let [a, b, c] = versions.as_slice()
        && !matches!(scheme, Scheme::Maven | Scheme::Alpm | Scheme::Conan)
        && order(a, b).is_le()
        && order(b, c).is_le()
    {
        assert!(order(a, c).is_le(), "{scheme:?}: {a:?} <= {b:?} <= {c:?}");
    }
}

/// Scores a vector.
pub fn cvss(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data)
        && let Some(score) = advisories::cvss::score(text)
    {
        assert!(score <= 100, "{text}: {score}");
    }
}

/// A pulled database's manifest, its configuration and a signature of it, divided by a separator.
pub fn artefact(data: &[u8]) {
    use advisories::artefact::{Artefact, envelope_of, statement};
    let split = |data: &'_ [u8]| {
        let at = data.windows(SEPARATOR.len()).position(|window| window == SEPARATOR);
        at.map_or((data.len(), data.len()), |at| (at, at + SEPARATOR.len()))
    };
    let (end, next) = split(data);
    let (manifest, rest) = (&data[..end], &data[next..]);
    let (end, next) = split(rest);
    let (config, signed) = (&rest[..end], &rest[next..]);
    let Ok(artefact) = Artefact::parse(manifest, "oci://a/b") else { return };
    let _ = envelope_of(signed, &artefact.digest);
    let _ = statement::holds(signed, &artefact);
    if let Ok(contents) = artefact.with_config(config) {
        assert!(contents.parts.iter().all(|part| part.manifest.bytes <= 4 << 30));
    }
}

/// Reads an envelope: what it shows is read again as the same.
pub fn dsse(data: &[u8]) {
    use seal::{Envelope, Statement};
    let _ = Statement::from_json(data);
    if let Ok(envelope) = Envelope::from_json(data) {
        let json = envelope.to_json().expect("what was read can be written");
        assert_eq!(Envelope::from_json(&json).expect("and read again"), envelope);
        let _ = Statement::from_json(&envelope.payload);
    }
}

/// Reads a key, and takes the bytes for a signature of another: none holds.
pub fn seal_key(data: &[u8]) {
    use seal::{SigningKey, VerifyingKey};
    if let Ok(keys) = VerifyingKey::parse(data) {
        for key in keys {
            let again = VerifyingKey::parse(key.to_text().as_bytes());
            assert_eq!(again.as_deref(), Ok([key].as_slice()));
        }
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = SigningKey::from_private(text);
    }
    let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";
    let ssh = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";
    for text in [pem, ssh] {
        let keys = VerifyingKey::parse(text.as_bytes()).expect("a key");
        assert!(keys.iter().all(|key| !key.verifies(b"fuzz", data)));
    }
}

/// Reads a record, as it is and packed: what was read is written and read as the same.
pub fn seal_record(data: &[u8]) {
    let packed = record::stored::pack(data).expect("memory takes all");
    for stored in [data, &packed] {
        let Ok(entries) = record::stored::read(stored) else { continue };
        let Ok(files) = entries.collect::<Result<Vec<_>, _>>() else { continue };
        let stored = record::stored::write(&files).expect("what was read can be written");
        let again: Result<Vec<_>, _> = record::stored::read(&stored).expect("a record").collect();
        assert_eq!(again.expect("and read again"), files);
    }
}

/// Reads a log: a good entry behind it is found whatever comes before.
pub fn seal_store(data: &[u8]) {
    let log = seal::log::parse(data, None);
    assert!(log.end + log.torn <= data.len() as u64);
    let frame = seal::log::frame(log.head.as_ref().map(|head| &head.digest), b"{}");
    let end = usize::try_from(log.end).expect("it lies within the bytes");
    let longer = seal::log::parse(&[&data[..end], &frame].concat(), None);
    assert_eq!(longer.end, (end + frame.len()) as u64);
}

/// Decodes a record, as it is and with its length set right. What is shown of it is bounded by it.
pub fn kernel_record(data: &[u8]) {
    let mut sealed = data.to_vec();
    let length = u32::try_from(data.len()).expect("short").to_ne_bytes();
    if let Some(place) = sealed.get_mut(4..8) {
        place.copy_from_slice(&length);
    }
    for record in [data, &sealed] {
        if let Some(sensor::KernelEvent::Exec(exec)) = sensor::read_record(record) {
            // A byte that is not UTF-8 is shown by four.
            assert!(exec.file.path.len() <= 4 * record.len());
            assert!(exec.ancestors.len() <= record.len());
        }
    }
}

/// What the agent wrote, two links, and packages: a usage file, then a line `PATH LINK TARGET LINK
/// TARGET`. What a container did not use is never called used.
pub fn usage(data: &[u8]) {
    let (line, json) = match data.iter().position(|byte| *byte == b'\n') {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => return,
    };
    let Ok(usage) = serde_json::from_slice::<vocabulary::Usage>(json) else { return };
    let json = serde_json::to_vec(&usage).expect("what was read can be written");
    assert_eq!(serde_json::from_slice::<vocabulary::Usage>(&json).expect("and read again"), usage);
    let line = String::from_utf8_lossy(line);
    let mut words = line.split(' ').map(str::to_owned);
    let path = words.next().unwrap_or_default();
    let mut links = HashMap::new();
    while let (Some(link), Some(target)) = (words.next(), words.next()) {
        links.insert(link, target);
    }
    let packages: Vec<_> = ["npm", "pypi", "golang", "maven", "gem", "deb/debian"]
        .into_iter()
        .flat_map(|kind| [package(kind, &path, &[]), package(kind, "status", &[path.clone()])])
        .collect();
    let usages = scan::Usages::new(&packages, &links, Some(&usage));
    for package in &packages {
        let used = usages.of(&package.purl, &package.location);
        assert!(used.used_files.iter().all(|file| usage.files.contains(file)));
        assert_eq!(used.used == vocabulary::Used::Loaded, !used.used_files.is_empty());
    }
}

fn package(kind: &str, path: &str, files: &[String]) -> vocabulary::Package {
    let purl: Purl = format!("pkg:{kind}/a@1").parse().expect("a package URL");
    let ecosystem = match kind {
        "npm" => Ecosystem::NPM,
        "pypi" => Ecosystem::PYPI,
        "golang" => Ecosystem::GO,
        "maven" => Ecosystem::MAVEN,
        "gem" => Ecosystem::RUBY_GEMS,
        _ => Ecosystem::DEBIAN,
    };
    vocabulary::Package {
        name: "a".to_owned(),
        version: "1".to_owned(),
        purl,
        ecosystem,
        source: None,
        architecture: None,
        licences: Vec::new(),
        presence: vocabulary::Presence::Installed,
        location: vocabulary::Location::file(path, Some(0)),
        layer: Some(0),
        origin: vocabulary::OriginKind::Unknown,
        owned_by: None,
        module: None,
        identified: None,
        relation: None,
        scope: None,
        requires: Vec::new(),
        files: files.to_vec(),
    }
}

/// Bills of materials: each becomes an inventory, of which every package can be written and read.
pub fn sbom(data: &[u8]) {
    let Ok(document) = ::sbom::read(data) else { return };
    let components = document.components.len() + document.packages.len();
    let inventory = scan::bill("sbom:x", document, None);
    assert!(inventory.software.packages.len() <= components);
    for package in &inventory.software.packages {
        let text = package.purl.to_string();
        assert_eq!(text.parse::<Purl>().map(|purl| purl.to_string()).as_ref(), Ok(&text));
    }
}

/// A bill of one form: what is between a beginning that tells its form, and an end.
pub fn bill(before: &str, data: &[u8], after: &str) {
    sbom(&[before.as_bytes(), data, after.as_bytes()].concat());
}

/// Indexes of a store, divided by the separator: images and layers of Podman, or names of Docker.
pub fn stores(data: &[u8]) {
    let at = data.windows(SEPARATOR.len()).position(|window| window == SEPARATOR);
    let (first, second) = match at {
        Some(at) => (&data[..at], &data[at + SEPARATOR.len()..]),
        None => (data, &[][..]),
    };
    let root = std::env::temp_dir().join(format!("lazaret-stores-{}", std::process::id()));
    for folder in ["overlay-images", "overlay-layers", "image/overlay2/layerdb"] {
        let _ = std::fs::create_dir_all(root.join(folder));
    }
    let _ = std::fs::write(root.join("overlay-images/images.json"), first);
    let _ = std::fs::write(root.join("overlay-layers/layers.json"), second);
    let _ = std::fs::write(root.join("image/overlay2/repositories.json"), first);
    for name in ["app:1", "localhost/app:1"] {
        if let Some(Ok(image)) = engine::stores::podman_image(&root, name) {
            assert!(image.layers.iter().all(|layer| layer.path.starts_with(&root)));
        }
        let _ = engine::stores::docker_image(&root, name);
    }
}

/// A file of apt's sources, of either form.
pub fn apt_sources(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for path in ["etc/apt/sources.list", "etc/apt/sources.list.d/a.sources"] {
        let sources = freshness::apt_sources::sources(path, &text);
        let blank = |text: &str| text.is_empty() || text.contains(char::is_whitespace);
        assert!(sources.iter().all(|one| !blank(&one.uri) && !blank(&one.suite)));
        for key in freshness::apt_sources::keys(path, &text) {
            let _ = freshness::openpgp::Keyring::default().add(key.as_bytes());
        }
    }
}

/// A text that is signed in a seed.
pub const SIGNED: &str = "Origin: Debian\n- a dash\n\nend\n";

/// The key that signed it.
#[must_use]
pub fn signing_key() -> testkit::SigningKey {
    testkit::SigningKey::new([3; 32], 1_700_000_000)
}

/// Keyrings, then a signed text. A key whose secret the input does not hold signs what it signed, and
/// nothing else.
pub fn openpgp(data: &[u8]) {
    use freshness::openpgp::{Keyring, verify};
    let now = 1_790_000_000;
    let known = signing_key();
    let mut keyring = Keyring::default();
    keyring.add(&known.keyring()).expect("a keyring");
    let parts: Vec<&[u8]> = split(data).collect();
    let (text, files) = parts.split_last().expect("at least one part");
    for file in files {
        let _ = keyring.add(file);
    }
    let fingerprint = known.fingerprint();
    if let Ok(verified) = verify(text, &keyring, |key| key.to_string() == fingerprint, now) {
        assert_eq!(verified.text, SIGNED);
    }
    let _ = verify(text, &keyring, |_| true, now);
}

fn split(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(data);
    std::iter::from_fn(move || {
        let bytes = rest?;
        let at = bytes.windows(SEPARATOR.len()).position(|window| window == SEPARATOR);
        rest = at.map(|at| &bytes[at + SEPARATOR.len()..]);
        Some(&bytes[..at.unwrap_or(bytes.len())])
    })
}

/// An index, packed where its first byte is odd.
pub fn packages_index(data: &[u8]) {
    let Some((first, bytes)) = data.split_first() else { return };
    let wanted = std::collections::BTreeSet::from(["a", "b"]);
    for offer in freshness::packages_index::read(bytes, first % 2 == 1, &wanted).unwrap_or_default()
    {
        assert!(wanted.contains(offer.package.as_str()) && !offer.version.is_empty());
    }
}

/// Documents of every form: each value and comment lies in the text, and none is over a bound.
pub fn documents(data: &[u8]) {
    use documents::{Bounds, Node, Value};
    fn count(text: &str, node: &Node) -> usize {
        assert!(text.get(node.span.start..node.span.end).is_some(), "{node:?}");
        1 + match &node.value {
            Value::List(list) => list.iter().map(|one| count(text, one)).sum(),
            Value::Map(map) => map
                .iter()
                .map(|(key, one)| {
                    assert!(text.get(key.span.start..key.span.end).is_some(), "{key:?}");
                    1 + count(text, one)
                })
                .sum(),
            Value::Empty | Value::Scalar(..) => 0,
        }
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    let bounds = Bounds { bytes: 1 << 16, depth: 20, nodes: 2_000 };
    for parse in [documents::yaml::parse, documents::json::parse, documents::toml::parse] {
        let Ok(document) = parse(text, &bounds) else { continue };
        assert!(count(text, &document.root) <= bounds.nodes + 1);
        for comment in &document.comments {
            assert!(comment.span.of(text).starts_with('#'));
        }
    }
    let _ = (documents::toml::keys(text), documents::toml::refused::<Vec<String>>(text));
}

/// Zip archives, read in memory and at the places that their directory names: what both read is the
/// same, and no more than the bounds allow.
pub fn zip(data: &[u8]) {
    use zip::{Archive, Bounds, LargeArchive};
    const AT_MOST: u64 = 1 << 16;
    const ENTRIES: usize = 64;
    let mut contents = Vec::new();
    let mut is_whole = false;
    if let Ok(archive) = Archive::open(data) {
        is_whole = archive.entries().all(|entry| entry.is_ok());
        for entry in archive.entries().take(ENTRIES).flatten() {
            if let Ok(plain) = archive.read(&entry, AT_MOST) {
                assert_eq!(plain.len() as u64, entry.plain);
                contents.push(plain.into_owned());
            }
        }
    }
    let bounds = Bounds {
        entries: ENTRIES as u64,
        directory: 1 << 16,
        plain: 1 << 20,
        ratio: 200,
        grace: 1 << 18,
    };
    let Ok(large) = LargeArchive::open(data, &bounds) else { return };
    assert!(is_whole, "one reader finds a directory that the other does not");
    let mut total = 0;
    let _ = large.read(
        AT_MOST,
        |_| true,
        |_, plain| {
            total += plain.len() as u64;
            assert!(contents.iter().any(|content| content == plain));
        },
    );
    assert!(total <= bounds.plain);
}

/// What an archive says of a suite: no path in it leads out.
pub fn release(data: &[u8]) {
    let Ok(release) = freshness::release::parse(&String::from_utf8_lossy(data)) else { return };
    let names = release.files.keys().chain(&release.components).chain(&release.architectures);
    for name in names {
        assert!(!name.starts_with('/') && name.split('/').all(|part| part != ".."), "{name}");
    }
}

/// A bbolt file. Its checksums are made right, as they keep out what changed by accident alone.
pub fn bolt(data: &[u8]) {
    let mut bytes = data.to_vec();
    for page in [0, testkit::bolt::PAGE] {
        let long = |at: usize| {
            let bytes = bytes.get(page + 16 + at..)?.first_chunk()?;
            Some(u64::from_le_bytes(*bytes))
        };
        if let (Some(root), Some(end), Some(transaction)) = (long(16), long(40), long(48)) {
            let meta = testkit::bolt::meta(page as u64, root, end, transaction);
            if let Some(place) = bytes.get_mut(page..page + meta.len()) {
                place.copy_from_slice(&meta);
            }
        }
    }
    engine::containerd::read_as_store(&bytes);
    engine::containerd::read_as_store(data);
}

/// An envelope about the image whose manifest has the digest of nothing.
pub fn attached(data: &[u8]) {
    let subject = vocabulary::Digest::of(b"");
    let subjects = std::slice::from_ref(&subject);
    use image::source::attached::{Wanted, opened};
    if let Ok(Some((document, _))) = opened(data, subjects, Wanted::Vex) {
        let _ = policy::parse_vex("attached", &document);
    }
    if let Ok(Some((document, _))) = opened(data, subjects, Wanted::Bills) {
        let _ = ::sbom::read(&document);
    }
}

/// A saved report: what is one can be rendered in every form, and its JSON is read again to the same.
pub fn saved(data: &[u8]) {
    use report::{Format, Saved, Style, read_saved};
    let own = scan::rules();
    let Ok(saved) = read_saved(data, &own) else { return };
    let style = Style::default();
    let mut json = Vec::new();
    for format in Format::all() {
        let mut out = Vec::new();
        let _ = match &saved {
            Saved::Report(one) => report::render(one, format, &style, &mut out),
            Saved::Reports(all) => report::render_reports(all, format, &style, &mut out),
            Saved::Difference(one) => report::render_diff(one, format, &style, &mut out),
            Saved::Packages(one) => report::render_packages(one, format, &style, &mut out),
        };
        if format == Format::JSON {
            json = out;
        }
    }
    assert_eq!(read_saved(&json, &own).expect("what was written is read"), saved);
}

/// What a publisher says, held against no packages.
pub fn vex(data: &[u8]) {
    let Ok(statements) = policy::parse_vex("x", data) else { return };
    let subject = vocabulary::Subject {
        kind: vocabulary::SubjectKind::Image,
        name: "x".to_owned(),
        manifest_digest: None,
        config_digest: None,
        tags: Vec::new(),
        platform: None,
        base: None,
        source: None,
        checkout: None,
        version: None,
    };
    let about = policy::About { subject: &subject, packages: &[], programs: None };
    let coverage = policy::vex_coverage(&statements, &about);
    assert_eq!(coverage.is_some(), !statements.is_empty());
}
