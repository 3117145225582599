//! Go programs: the modules that the linker writes into them, and the standard library.
//!
//! In goes an ELF program as a stream, out come its main module, the modules that it was built from
//! (the replacement where one was replaced), `stdlib` in the version of the toolchain, and the names of
//! the functions that the linker kept, which advisories are held against. A program has up to 200 MB;
//! those that are not Go cost next to nothing.
//!
//! A main module without a version of its own (`(devel)`) takes the one that the linker's flags state, else
//! the only text in the data that is one. A program that names no modules (built by Bazel, in a `GOPATH`,
//! before Go 1.13, or with its build information removed) is listed without a version, and so counted.
//! One that UPX packed is a problem: nothing in it can be seen.
//! Module paths keep their letters' case in package URLs, as Go's own tools write them: lower-cased,
//! as purl-spec once asked, they would name other modules.
//! Source: Go `debug/buildinfo`, `runtime/debug.ParseBuildInfo`; purl-spec, type `golang`.

mod build_info;
mod functions;
mod ldflags;
mod scanner;
mod texts;

pub(crate) use build_info::semantic;

use crate::binary::{is_packed, is_program, is_searched};
use crate::language::{Installed, decode, encode, may_be_of_a_distribution, plain_text};
use build_info::{BuildInfo, Module};
use image::{
    Cataloged, ContentDigests, Entry, Fact, FactAt, Flow, Interest, ReadError, Reading, Resolution,
    Resolver, View, Want,
};
use scanner::{Found, Scanner};
use serde::{Deserialize, Serialize};
use vocabulary::{Confidence, Ecosystem, Functions, Identified, Program, Purl};

/// The `go` cataloger.
#[derive(Debug)]
pub struct Go;

/// What is kept of one program.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct GoFact<'fact> {
    #[serde(borrow)]
    info: BuildInfo<'fact>,
    /// The version of the main module, where it has none of its own.
    #[serde(borrow)]
    stated: Option<Stated<'fact>>,
    proof: Option<ContentDigests>,
    /// Hashes of its functions, each as the difference from the one before; none where not known.
    functions: Option<Vec<u32>>,
}

/// A version that no module line states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Stated<'fact> {
    Flags(&'fact str),
    Text(&'fact str),
}

impl image::Reader for Go {
    fn id(&self) -> &'static str {
        "go"
    }

    fn revision(&self) -> u32 {
        3
    }

    fn interests(&self) -> &'static [Interest] {
        const { &[Interest::Magic(*b"\x7fELF")] }
    }

    fn wants(&self, entry: &Entry<'_>, head: &[u8]) -> Want {
        if !is_searched(entry, head) {
            return Want::No;
        }
        if is_packed(head) && is_program(entry, head) {
            return Want::Stream(Box::new(Packed));
        }
        Want::Stream(Box::new(Reader(Scanner::new(may_be_of_a_distribution(entry.path)))))
    }

    fn read(&self, entry: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        let mut reader = Box::new(Reader(Scanner::new(may_be_of_a_distribution(entry.path))));
        reader.push(bytes);
        reader.finish()
    }
}

impl Resolver for Go {
    fn resolve(&self, view: &View<'_>) -> Resolution {
        let mut resolution = Resolution::default();
        for at in view.staying() {
            let Some(fact) = decode::<GoFact<'_>>(&at, &mut resolution.problems) else { continue };
            let stdlib =
                Module { path: "stdlib", version: fact.info.toolchain, ..Module::default() };
            resolution.packages.push(package(&stdlib, &at, fact.proof));
            resolution.programs.insert(at.path, program(&fact));
            for module in &fact.info.modules {
                let mut one = package(module, &at, fact.proof);
                if let Some(stated) = fact.stated.filter(|_| module.own) {
                    stated.write_into(&mut one);
                }
                resolution.packages.push(one);
            }
            resolution.packages.extend(nameless(&fact.info, &at, fact.proof));
        }
        resolution
    }
}

struct Reader(Scanner);

impl Reading for Reader {
    fn push(&mut self, bytes: &[u8]) -> Flow {
        self.0.push(bytes)
    }

    fn finish(self: Box<Self>) -> Result<Option<Fact>, ReadError> {
        let (found, proof) = self.0.finish();
        let raw = match found {
            Found::Other => return Ok(None),
            Found::Silent => {
                let info = BuildInfo::default();
                return encode(&GoFact { info, stated: None, proof, functions: None });
            }
            Found::Told(raw) => raw,
        };
        let info = build_info::parse(&raw.version, &raw.modules)?;
        let own = info.modules.first().filter(|one| one.own && is_unversioned(one));
        let flags = own.and_then(|own| ldflags::version(own.path, info.flags));
        let stated = match (own, &flags, &raw.text) {
            (Some(_), Some(version), _) => Some(Stated::Flags(version)),
            // What is told of the flags names no version: another text is not likely to.
            (Some(_), None, Some(version)) if info.flags.is_empty() => Some(Stated::Text(version)),
            _ => None,
        };
        let functions = raw.functions.map(|functions| {
            let mut last = 0;
            let step = |hash: &u32| hash - std::mem::replace(&mut last, *hash);
            functions.hashes().iter().map(step).collect()
        });
        encode(&GoFact { info, stated, proof, functions })
    }
}

/// A program whose content is hidden.
struct Packed;

impl Reading for Packed {
    fn push(&mut self, _: &[u8]) -> Flow {
        Flow::Enough
    }

    fn finish(self: Box<Self>) -> Result<Option<Fact>, ReadError> {
        Err(ReadError::new(
            "it is packed by UPX, which hides what is in it; unpack it with `upx -d`",
        ))
    }
}

impl Stated<'_> {
    fn write_into(self, one: &mut Cataloged) {
        let (version, by, confidence) = match self {
            Self::Flags(version) => (version, "linker flags", Confidence::High),
            Self::Text(version) => (version, "text in the program's data", Confidence::Low),
        };
        let bare = version.strip_prefix('v').unwrap_or(version);
        one.package.version = bare.to_owned();
        one.package.purl = one.package.purl.clone().with_version(&format!("v{bare}"));
        one.package.identified = Some(Box::new(Identified { by: by.to_owned(), confidence }));
    }
}

fn is_unversioned(module: &Module<'_>) -> bool {
    matches!(module.version, "" | "(devel)")
}

/// A program that names no modules, listed by its main package or its file, without a version. Go's own
/// tools are part of the standard library.
fn nameless(
    info: &BuildInfo<'_>,
    at: &FactAt<'_>,
    proof: Option<ContentDigests>,
) -> Option<Cataloged> {
    if !info.modules.is_empty() || info.main.starts_with("cmd/") {
        return None;
    }
    let told =
        (!info.main.is_empty() && info.main != "command-line-arguments").then_some(info.main);
    let file = at.path.rsplit_once('/').map_or(at.path, |(_, name)| name);
    let path = told.or_else(|| plain_text(file))?;
    let mut one = package(&Module { path, ..Module::default() }, at, proof);
    let by = if told.is_some() { "main package" } else { "file name" };
    one.package.identified = Some(Box::new(Identified {
        by: format!("{by}; the program does not name its modules"),
        confidence: Confidence::Low,
    }));
    Some(one)
}

/// Programs are ELF files, which only Linux and the BSDs run; images hold those of Linux.
fn program(fact: &GoFact<'_>) -> Program {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let functions = fact.functions.as_ref().map(|steps| {
        let sums = steps.iter().scan(0_u32, |sum, step| {
            *sum = sum.wrapping_add(*step);
            Some(*sum)
        });
        Functions::new(sums.collect())
    });
    Program {
        system: text(fact.info.system).unwrap_or_else(|| "linux".to_owned()),
        architecture: text(fact.info.architecture),
        main: fact.info.main.to_owned(),
        replaced: fact
            .info
            .modules
            .iter()
            .filter(|module| !module.imported_as.is_empty())
            .map(|module| (module.path.to_owned(), module.imported_as.to_owned()))
            .collect(),
        functions,
    }
}

/// The version is written without its `v`, as the advisories have it, in the purl with it, as Go has
/// it. `(devel)` is no version: such a module is listed and cannot be matched.
fn package(module: &Module<'_>, at: &FactAt<'_>, proof: Option<ContentDigests>) -> Cataloged {
    let (namespace, name) = module.path.rsplit_once('/').unwrap_or(("", module.path));
    let version = if module.version == "(devel)" { "" } else { module.version };
    let installed = Installed {
        purl: Purl::new("golang", name).with_namespace(namespace).with_version(version),
        ecosystem: Ecosystem::GO,
        name: module.path.to_owned(),
        version: version.strip_prefix('v').unwrap_or(version).to_owned(),
        licences: Vec::new(),
        path: at.path.to_owned(),
        layer: at.layer,
        files: Vec::new(),
        proof,
    };
    installed.cataloged()
}

#[cfg(test)]
mod tests;
