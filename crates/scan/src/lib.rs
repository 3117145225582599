//! Walks a subject once and runs every cataloger and check over it.
//!
//! In goes a reference, out comes an [`Inventory`]: layers, packages, digest findings and coverage.
//! Matching it against advisories and deciding on it makes the [`vocabulary::Report`]. The two are
//! apart because only the inventory tells which ecosystems' advisories are needed: a command can
//! fetch those, and no others, in between.
//!
//! ```
//! use scan::{Progress, ReadOptions};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let root = tempfile::tempdir()?;
//! let database = root.path().join("lib/apk/db");
//! std::fs::create_dir_all(&database)?;
//! std::fs::write(database.join("installed"), "P:musl\nV:1.2.5-r0\nA:x86_64\n\n")?;
//!
//! let reference = format!("dir:{}", root.path().display());
//! let inventory = scan::read(&reference, &ReadOptions::default(), &Progress::default())?;
//! assert_eq!(inventory.software.packages[0].name, "musl");
//! # Ok(())
//! # }
//! ```

mod asked;
mod assess;
mod bill;
mod bringers;
mod checks;
mod completeness;
mod difference;
mod error;
mod folder;
mod host;
mod imported;
mod inside;
mod integrity;
mod inventory;
mod mend;
mod options;
mod ownership;
mod projects;
mod rank;
mod read;
mod resolve;
mod rules;
mod sources;
mod unexplained;
mod usages;

pub use asked::Asked;
pub use assess::{Assessment, Elsewhere, Judging, Matching, assess};
pub use bill::inventory as bill;
pub use checks::{GROUPS, Group, Selection, SelectionError, checks};
pub use difference::difference;
pub use error::{BillError, ScanError};
pub use imported::{IMPORTED, ImportError, Imported, SARIF_BYTES, import};
pub use integrity::DIGEST_MISMATCH;
pub use inventory::{Files, Inventory, Runs, Software, Source};
pub use options::ReadOptions;
pub use read::{read, read_container, read_folders};
pub use rules::all as rules;
pub use sbom::distribution_id;
pub use sources::coverage as unknown_sources;
pub use usages::Usages;

pub use image::{Progress, RecordLevel};
