//! Go programs: the modules that the linker writes into them, and the standard library.
//!
//! In goes an ELF program as a stream, out come its main module, the modules that it was built from
//! (the replacement where one was replaced), `stdlib` in the version of the toolchain, and the names of
//! the functions that the linker kept, which advisories are held against. A program has up to 200 MB;
//! those that are not Go cost next to nothing.
//! Module paths keep their letters' case in package URLs, as Go's own tools write them: lower-cased,
//! as purl-spec once asked, they would name other modules.
//! Source: Go `debug/buildinfo`, `runtime/debug.ParseBuildInfo`; purl-spec, type `golang`.

mod build_info;
mod functions;
mod scanner;

pub(crate) use build_info::semantic;

use crate::binary::is_program;
use crate::language::{Installed, decode, encode, may_be_of_a_distribution};
use build_info::{BuildInfo, Module};
use image::{
    Cataloged, Check, ContentDigests, Entry, Fact, FactAt, Flow, Interest, ReadError, Reading,
    Resolution, View, Want,
};
use scanner::Scanner;
use serde::{Deserialize, Serialize};
use vocabulary::{Ecosystem, Functions, Program, Purl};

/// The `go` cataloger.
#[derive(Debug)]
pub struct Go;

/// What is kept of one program.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct GoFact<'fact> {
    #[serde(borrow)]
    info: BuildInfo<'fact>,
    proof: Option<ContentDigests>,
    /// Hashes of its functions, each as the difference from the one before; none where not known.
    functions: Option<Vec<u32>>,
}

impl Check for Go {
    fn id(&self) -> &'static str {
        "go"
    }

    fn revision(&self) -> u32 {
        2
    }

    fn interests(&self) -> &'static [Interest] {
        const { &[Interest::Magic(*b"\x7fELF")] }
    }

    fn wants(&self, entry: &Entry<'_>, head: &[u8]) -> Want {
        if !is_program(entry, head) {
            return Want::No;
        }
        Want::Stream(Box::new(Reader(Scanner::new(may_be_of_a_distribution(entry.path)))))
    }

    fn read(&self, entry: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        let mut reader = Box::new(Reader(Scanner::new(may_be_of_a_distribution(entry.path))));
        reader.push(bytes);
        reader.finish()
    }

    fn resolve(&self, view: &View<'_>) -> Resolution {
        let mut resolution = Resolution::default();
        for at in view.staying() {
            let Some(fact) = decode::<GoFact<'_>>(&at, &mut resolution.problems) else { continue };
            let stdlib =
                Module { path: "stdlib", version: fact.info.toolchain, ..Module::default() };
            resolution.packages.push(package(&stdlib, &at, fact.proof));
            resolution.programs.insert(at.path, program(&fact));
            for module in &fact.info.modules {
                resolution.packages.push(package(module, &at, fact.proof));
            }
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
        let (raw, proof) = self.0.finish();
        let Some(raw) = raw else { return Ok(None) };
        let info = build_info::parse(&raw.version, &raw.modules)?;
        if info.modules.is_empty() && info.toolchain.is_empty() {
            return Ok(None);
        }
        let functions = raw.functions.map(|functions| {
            let mut last = 0;
            let step = |hash: &u32| hash - std::mem::replace(&mut last, *hash);
            functions.hashes().iter().map(step).collect()
        });
        encode(&GoFact { info, proof, functions })
    }
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
