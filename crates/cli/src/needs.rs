//! What each command needs of the machine, made from its arguments and settings.
//!
//! In go parsed arguments, out comes one [`Needed`]; nothing is given up here. Paths are granted as
//! they are named now: what a hostile image or folder names is granted by nothing. Where the subject
//! can lie anywhere, as the folders of an engine do, reading is granted anywhere, and writing is not.

mod subject;

use crate::args::{
    Command, DatabaseArgs, DbCommand, KeyCommand, OutputArgs, PolicyArgs, PolicyCommand, ReadArgs,
    RiskArgs, ScanArgs, SealArgs, VerifyArgs,
};
use crate::artefact::{Named, Place};
use crate::config::FormatSetting;
use crate::exit::Failure;
use crate::world::World;
use crate::{deciding, forms, output, policy_files, settings};
use files::Access;
use sandbox::{Connect, Needs, Privileges, Reading};
use std::cell::RefCell;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// What every command may read: its own processes and share of the machine, the time zone, chance.
const ALWAYS: [&str; 6] = [
    "/proc/self",
    "/sys/fs/cgroup",
    "/sys/devices/system/cpu",
    "/etc/localtime",
    "/usr/share/zoneinfo",
    "/dev/urandom",
];

/// What looking up names and trusting certificates reads besides, where distributions have it.
const NETWORK: [&str; 24] = [
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/host.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/protocols",
    "/etc/ld.so.cache",
    "/etc/ssl",
    "/etc/pki",
    "/etc/ca-certificates",
    "/etc/crypto-policies",
    "/etc/static/ssl",
    "/run/systemd/resolve",
    "/run/NetworkManager",
    "/run/resolvconf",
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/nix/store",
];

/// Certificates of a folder of the user's choice whose links are followed.
const CERTIFICATES: usize = 4096;

/// What is needed, and what is made ready for it.
#[derive(Debug, Default)]
pub(crate) struct Needed {
    pub(crate) needs: Needs,
    /// Folders that are written to, and made first: what is not there cannot be granted.
    pub(crate) folders: Vec<Folder>,
    /// Whether a registry may be asked, and so who we are to it.
    pub(crate) registry: bool,
}

/// A folder of our own.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    access: Access,
    /// The flag that names it; none where it is the usual one.
    named: Option<&'static str>,
}

impl Folder {
    /// Makes it where it is missing. Where one that somebody named cannot be, nothing is done; of the
    /// usual one, whoever writes there says so.
    pub(crate) fn make(&self) -> Result<(), Failure> {
        let made = files::Folder::own_for(&self.path, self.access);
        match (made, self.named) {
            (Err(error), Some(flag)) if !self.path.is_dir() => Err(Failure::usage(format!(
                "`{}`, named by {flag}, is no folder and cannot be made one: {error}; name another",
                self.path.display()
            ))),
            _ => Ok(()),
        }
    }
}

/// What a command needs; none for one that keeps all it has: the agent watches the kernel, and helpers
/// are programs.
pub(crate) fn of(world: &World, command: &Command) -> Option<Needed> {
    let mut plan = Plan::new(world);
    match command {
        Command::Agent(_) | Command::CredentialHelpers => return None,
        Command::Scan(args) => plan.scan(args),
        Command::Sbom(args) => {
            plan.record = args.record.files || args.record.file_digests;
            plan.subject(&args.subject.reference);
            plan.caches(&args.subject.read);
            plan.outputs(&args.output);
        }
        Command::Seal(args) => plan.seal(args),
        Command::Verify(args) => plan.verify(args),
        Command::Seals(_) => plan.state(),
        Command::Key(KeyCommand::New { file }) => plan.beside(file),
        Command::Affected(args) => {
            plan.engines();
            plan.state();
            let facts = args.cache_dir.clone().or_else(|| world.settings.cache_dir.clone());
            plan.facts(args.no_cache, facts);
            plan.database(&args.database);
        }
        Command::Explain(args) => {
            plan.read(world.named_db().ok());
            plan.read(args.report.clone());
        }
        Command::Policy(command) => plan.policy_command(command),
        Command::Diff(args) => {
            plan.policy(&args.policy);
            plan.subject(&args.before);
            plan.subject(&args.after);
            plan.caches(&args.read);
            plan.database(&args.database);
            plan.state();
            plan.outputs(&args.output);
        }
        Command::Convert(args) => {
            plan.read(Some(args.report.clone()).filter(|file| file != Path::new("-")));
            plan.outputs(&args.output);
        }
        Command::Db(command) => plan.database_command(command),
        Command::Config(_) | Command::Completions { .. } | Command::Man { .. } => {}
    }
    Some(plan.finish())
}

/// Needs as they are gathered.
struct Plan<'world> {
    world: &'world World,
    read: Vec<PathBuf>,
    /// Those of what is read that are the subjects.
    subjects: Vec<PathBuf>,
    writing: Vec<PathBuf>,
    streams: Vec<PathBuf>,
    folders: Vec<Folder>,
    anywhere: bool,
    processes: bool,
    /// Attributes of files, which are in a record of them and which overlays are made of.
    attributes: bool,
    /// A record of files is made, in which their attributes are.
    record: bool,
    /// Sockets of this machine are connected to.
    sockets: bool,
    /// Servers are connected to, unless it is offline.
    network: bool,
    registry: bool,
    /// An engine that listens on a port.
    port: Option<u16>,
}

impl<'world> Plan<'world> {
    fn new(world: &'world World) -> Self {
        let mut plan = Self {
            world,
            read: ALWAYS.map(PathBuf::from).to_vec(),
            subjects: Vec::new(),
            writing: Vec::new(),
            streams: vec![PathBuf::from("/dev/null")],
            folders: Vec::new(),
            anywhere: false,
            processes: false,
            attributes: false,
            record: false,
            sockets: false,
            network: false,
            registry: false,
            port: None,
        };
        // A template of the configuration file is read late.
        if let Some(FormatSetting::Named(format)) = &world.settings.format {
            plan.read(forms::template_of(format).map(PathBuf::from));
        }
        plan
    }

    fn read(&mut self, paths: impl IntoIterator<Item = PathBuf>) {
        self.read.extend(paths);
    }

    fn scan(&mut self, args: &ScanArgs) {
        self.policy(&args.policy);
        self.read(args.import.iter().chain(&args.new_since).cloned());
        if args.running {
            self.engines();
        }
        self.record = args.record.files || args.record.file_digests;
        args.references.iter().for_each(|reference| self.subject(reference));
        self.caches(&args.read);
        self.database(&args.database);
        self.state();
        self.outputs(&args.output);
        if args.freshness.freshness {
            self.network = true;
            self.read(args.freshness.keyring.iter().cloned());
            let own = args.read.cache_dir.as_ref().or(self.world.settings.cache_dir.as_ref());
            let folder = match own {
                Some(folder) => Some(folder.join("archives")),
                None => settings::default_archives(),
            };
            let named = own.is_some().then_some("--cache-dir");
            self.own_folder(folder.filter(|_| !args.read.no_cache), named, Access::Private);
        }
    }

    fn seal(&mut self, args: &SealArgs) {
        self.read([args.key.clone()]);
        self.sockets |= std::env::var_os("SSH_AUTH_SOCK").is_some();
        self.record = true;
        self.subject(&args.subject.reference);
        self.caches(&args.subject.read);
        self.read(self.world.named_db().ok());
        let named = self.world.global.state.is_some().then_some("--state");
        self.own_folder(self.world.named_state().ok(), named, Access::Private);
        if let Some(folder) = &args.export {
            self.new_folder(folder);
        }
    }

    /// It is made when there is something to write: until then the folder around it is there.
    fn new_folder(&mut self, folder: &Path) {
        self.writing.extend(folder.ancestors().map(or_here).find(|at| at.exists()));
    }

    fn verify(&mut self, args: &VerifyArgs) {
        self.read(args.key.iter().cloned());
        self.record = true;
        self.subject(&args.reference);
        self.state();
        self.outputs(&args.output);
    }

    fn policy_command(&mut self, command: &PolicyCommand) {
        match command {
            PolicyCommand::Schema => {}
            PolicyCommand::Check { file } => self.policy_file(file.as_deref()),
            PolicyCommand::Test(args) => {
                self.policy(&args.policy);
                self.subject(&args.reference);
                self.caches(&args.read);
                self.database(&args.database);
                self.state();
            }
        }
    }

    fn database_command(&mut self, command: &DbCommand) {
        let folder = self.world.named_db().ok();
        match command {
            DbCommand::Update { from, trust, risk, .. } => {
                self.source(from.as_deref());
                self.key(trust.key.as_ref());
                self.risks(risk);
                self.network = true;
                self.own_database(folder);
            }
            DbCommand::Push { to, key, .. } => {
                self.read(folder);
                self.read(key.iter().cloned());
                self.sockets |= key.is_some() && std::env::var_os("SSH_AUTH_SOCK").is_some();
                match Named::of_argument(to).place {
                    Place::Folder(folder) => self.new_folder(&folder),
                    Place::Registry(_) => self.registry(),
                    Place::Url(_) => {}
                }
            }
            DbCommand::Pull { from, trust, .. } => {
                self.artefact(&Named::of_argument(from));
                self.key(trust.key.as_ref());
                self.own_database(folder);
            }
            DbCommand::Import { from } => {
                self.place(from);
                self.own_database(folder);
            }
            DbCommand::Export { file } => {
                self.read(folder);
                self.beside(file);
            }
            DbCommand::Status { .. } | DbCommand::Match { .. } => self.read(folder),
            DbCommand::Compare { .. } => {}
        }
    }

    /// Facts of layers are kept.
    fn caches(&mut self, args: &ReadArgs) {
        let named = args.cache_dir.clone().or_else(|| self.world.settings.cache_dir.clone());
        self.facts(args.no_cache, named);
    }

    fn facts(&mut self, none: bool, named: Option<PathBuf>) {
        let flag = named.is_some().then_some("--cache-dir");
        let folder = named.or_else(settings::default_cache);
        self.own_folder(folder.filter(|_| !none), flag, Access::Private);
    }

    /// What containers used, and seals.
    fn state(&mut self) {
        self.read(self.world.named_state().ok());
    }

    /// The database of a command that matches, which is brought up to date first.
    fn database(&mut self, args: &DatabaseArgs) {
        let folder = self.world.named_db().ok();
        let before = self.read.len();
        self.source(args.db_source.as_deref());
        self.risks(&args.risk);
        // Folders and files that it is brought up to date from, also offline.
        let local = self.read.len() > before;
        self.key(args.db_key.as_ref());
        if args.no_db_update || self.world.offline() && !local {
            return self.read(folder);
        }
        self.network = true;
        self.own_database(folder);
    }

    /// Where advisories come from: a folder, a server, or an artefact.
    fn source(&mut self, named: Option<&str>) {
        match Named::of_world(self.world, named) {
            Some(named) => self.artefact(&named),
            None => {
                let source = named.or(self.world.settings.db_source.as_deref()).map(str::to_owned);
                source.iter().for_each(|source| self.place(source));
            }
        }
    }

    fn artefact(&mut self, named: &Named) {
        match &named.place {
            Place::Folder(folder) => self.read([folder.clone()]),
            Place::Registry(_) => self.registry(),
            Place::Url(_) => self.network = true,
        }
    }

    /// The key that an artefact is verified by.
    fn key(&mut self, named: Option<&PathBuf>) {
        let key = named.or(self.world.settings.db_key.as_ref()).cloned();
        self.read(key);
    }

    fn risks(&mut self, args: &RiskArgs) {
        let settings = &self.world.settings;
        let places = [
            args.kev.as_ref().or(settings.kev.as_ref()),
            args.epss.as_ref().or(settings.epss.as_ref()),
        ];
        let places: Vec<String> = places.into_iter().flatten().cloned().collect();
        places.iter().for_each(|place| self.place(place));
    }

    /// A file or folder, or a URL.
    fn place(&mut self, text: &str) {
        match text.starts_with("http://") || text.starts_with("https://") {
            true => self.network = true,
            false => self.read([PathBuf::from(text)]),
        }
    }

    fn policy(&mut self, args: &PolicyArgs) {
        self.policy_file(args.policy.as_deref());
        self.read(args.vex.iter().cloned());
        let named = args.ignore_file.as_ref().or(self.world.settings.ignore_file.as_ref());
        let file = named.cloned().unwrap_or_else(|| PathBuf::from(deciding::IGNORE_FILE));
        self.read([file]);
    }

    /// The policy and what it includes. A file that was named is looked into for that now; one that
    /// was found may include what lies below its folder.
    fn policy_file(&mut self, named: Option<&Path>) {
        match named.or(self.world.settings.policy.as_deref()) {
            Some(file) => {
                // A pipe can be read only once, and is not for this.
                let regular = file.metadata().is_ok_and(|metadata| metadata.is_file());
                let mut files = if regular { included(file) } else { Vec::new() };
                files.push(file.to_owned());
                self.read(files);
            }
            None => {
                match policy_files::find() {
                    Ok(Some(found)) => {
                        if found.text.contains("include") {
                            self.read(found.name.parent().map(or_here));
                        }
                        self.read([found.name]);
                    }
                    Ok(None) => {}
                    // What is wrong with it is said when it is read to be used.
                    Err(_) => {
                        let names = policy_files::places().unwrap_or_default();
                        self.read(names.into_iter().filter(|name| name.symlink_metadata().is_ok()));
                    }
                }
            }
        }
    }

    fn outputs(&mut self, args: &OutputArgs) {
        for output in args.output.iter().filter(|output| output.file != Path::new("-")) {
            self.beside(&output.file);
        }
    }

    /// A file that is replaced by one that is made beside it; a device or pipe is written to as it is.
    fn beside(&mut self, file: &Path) {
        if output::is_stream(file) {
            return self.streams.push(file.to_owned());
        }
        let leads_to = std::fs::canonicalize(file).ok();
        for file in leads_to.iter().map(PathBuf::as_path).chain([file]) {
            // The placeholder of a subject's name may be in the folder's.
            let plain = |at: &&Path| !at.to_string_lossy().contains('{');
            self.writing.extend(file.ancestors().skip(1).find(plain).map(or_here));
        }
    }

    fn own_folder(&mut self, folder: Option<PathBuf>, named: Option<&'static str>, access: Access) {
        let Some(path) = folder else { return };
        self.writing.push(path.clone());
        self.folders.push(Folder { path, access, named });
    }

    /// The folder of the database, which is written.
    fn own_database(&mut self, folder: Option<PathBuf>) {
        let World { global, settings, .. } = self.world;
        let named = global.db.is_some() || settings.db.is_some();
        self.own_folder(folder, named.then_some("--db"), Access::Shared);
    }

    fn finish(mut self) -> Needed {
        let connect = match (self.network && !self.world.offline(), self.port) {
            (true, _) => Connect::Anybody,
            (false, Some(port)) => Connect::Port(port),
            (false, None) => Connect::Nobody,
        };
        if connect != Connect::Nobody {
            self.read(NETWORK.map(PathBuf::from));
            self.certificates();
        }
        let registry = self.registry && connect == Connect::Anybody;
        if registry {
            self.read(settings::registry_credentials().docker_config);
        }
        let asks = self.anywhere || self.processes || self.sockets;
        let privileges = Privileges {
            read_all: true,
            write_all: self.writing.iter().chain(&self.streams).any(|path| is_anothers(path)),
            attributes: self.attributes,
            processes: self.processes,
            // Engines answer root, and what is written is root's.
            to_nobody: !asks
                && self.writing.is_empty()
                && self.streams.len() == 1
                && self.subjects.iter().all(|path| sandbox::is_read_by_capability(path)),
        };
        let reading = match (self.processes, self.anywhere) {
            (true, _) => Reading::Processes,
            (false, true) => Reading::Anywhere,
            (false, false) => Reading::Below(self.read),
        };
        let Self { writing, streams, sockets, folders, .. } = self;
        let needs = Needs { reading, writing, streams, connect, sockets, privileges };
        Needed { needs, folders, registry }
    }

    /// Authorities that the user names, and what the links of such a folder lead to.
    fn certificates(&mut self) {
        let options = self.world.fetching();
        self.read(options.roots.added.into_iter().chain(options.roots.file));
        for folder in options.roots.directory.iter().flat_map(std::env::split_paths) {
            let entries = std::fs::read_dir(&folder).into_iter().flatten().take(CERTIFICATES);
            let links = entries.filter_map(|entry| std::fs::canonicalize(entry.ok()?.path()).ok());
            let mut folders: Vec<PathBuf> =
                links.filter_map(|link| Some(link.parent()?.to_owned())).collect();
            folders.sort();
            folders.dedup();
            self.read(folders);
            self.read([folder]);
        }
    }
}

/// Files that a policy includes, as far as they can be read.
fn included(file: &Path) -> Vec<PathBuf> {
    let found = RefCell::new(Vec::new());
    let include = |from: &str, path: &str| {
        let (name, text) = policy_files::include(from, path)?;
        found.borrow_mut().push(PathBuf::from(&name));
        Ok((name, text))
    };
    let text = settings::read_text(file, policy_files::BYTES).unwrap_or_default();
    // What is wrong with it is said when it is read to be used.
    let _ =
        policy::parse_policy(&file.display().to_string(), &text, &crate::rules::all(), &include);
    found.into_inner()
}

/// The folder of a name without one.
fn or_here(folder: &Path) -> PathBuf {
    if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() }
}

/// Whether root could not write there by owning it.
fn is_anothers(path: &Path) -> bool {
    let there = path.ancestors().find_map(|at| or_here(at).metadata().ok());
    there.is_some_and(|metadata| {
        metadata.uid() != 0 || metadata.is_dir() && metadata.mode() & 0o200 == 0
    })
}

#[cfg(test)]
mod tests;
