//! Every bound that this room holds hostile input to, with its reason.

/// Bytes of an index, manifest or `manifest.json`. The OCI distribution specification asks registries
/// to take at least 4 MiB; nothing real is larger.
pub const MANIFEST_BYTES: u64 = 4 << 20;

/// Bytes of an image configuration. Long histories stay below 1 MiB.
pub const CONFIG_BYTES: u64 = 16 << 20;

/// Layers of one image. Overlay file systems stop at 500 lower folders.
pub const LAYERS: usize = 1_000;

/// How deep an index may name another index.
pub const INDEX_DEPTH: usize = 4;

/// Entries of one layer: ten times the largest layers seen.
pub const LAYER_ENTRIES: u64 = 10_000_000;

/// Bytes of one layer's plain tar. The largest machine-learning layers have some tens of GiB.
pub const LAYER_BYTES: u64 = 256 << 30;

/// Plain bytes that a packed layer may yield before [`BOMB_RATIO`] is looked at.
pub const BOMB_GRACE: u64 = 1 << 30;

/// Plain bytes for each packed byte beyond which a layer counts as a decompression bomb. Deflate
/// cannot exceed 1,032; real layers stay below 50, zero-filled disk images excepted.
pub const BOMB_RATIO: u64 = 400;

/// Bytes of a path or link target: Linux's `PATH_MAX`.
pub const PATH_BYTES: usize = 4_096;

/// Bytes of one PAX or GNU long-name record: the bound of Go's archive/tar, which engines unpack by.
pub const TAR_META_BYTES: u64 = 1 << 20;

/// Extended attributes of one entry; Linux file systems hold far fewer.
pub const ATTRIBUTES: usize = 256;

/// Whole files that may lie in memory at once, over all layers together.
pub const WHOLE_TOTAL_BYTES: u64 = 64 << 20;

/// One whole file in memory; a larger one is taken alone up to here. Package databases of very large
/// rpm systems come near it.
pub const WHOLE_FILE_BYTES: u64 = 256 << 20;

/// First bytes of a file that checks are shown.
pub const HEAD_BYTES: usize = 512;

/// Bytes that all layers of an image may keep together: facts, links, paths, problems, each with what
/// it takes to hold it. Two hundred thousand packages in files of their own take half of it.
pub const IMAGE_KEPT_BYTES: u64 = 176 << 20;

/// Steps in which a layer asks for more of that.
pub const SHARE_STEP: u64 = 64 << 10;

/// Bytes that it takes to hold a fact besides its own and its path's, with what is looked up by it
/// while links are followed.
pub const FACT_COST: usize = 128;

/// The same of the path of an entry, of which a hash is kept, and its place while the layer passes by.
pub const ENTRY_COST: usize = 24;

/// The same of a whiteout, a file that was passed over or a problem.
pub const NAME_COST: usize = 64;

/// The same of a link, which is kept twice: once as the layer has it, and once in the squashed view.
pub const LINK_COST: usize = 200;

/// Packages of one subject: a quarter more than the two hundred thousand of the largest image that
/// is known.
pub const PACKAGES: usize = 250_000;

/// Bytes of the packages of one subject, with their lists of files. Two hundred thousand take half.
pub const PACKAGE_BYTES: usize = 192 << 20;

/// Facts of files that are read a second time under other names, over all layers, in bytes.
pub const FOLLOWED_BYTES: usize = 64 << 20;

/// The bounds of what is kept of one layer, together so that tests and fuzzing can lower them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerBounds {
    /// Facts, over all checks, so that a hostile layer cannot fill memory with them: more than twice
    /// as many as the largest images have.
    pub facts: usize,
    /// Bytes of facts and their paths, over all checks, each with [`FACT_COST`]. Less than what an
    /// image may keep, so that a flood of facts alone leaves the rest of its layer.
    pub fact_bytes: u64,
    /// Problems of each check.
    pub problems: usize,
    /// Whiteouts, opaque folders, symbolic and hard links, each.
    pub links: usize,
    /// Files whose names concern a check and which told it nothing.
    pub declined: usize,
    /// Bytes of holes of sparse files that are written out for checks and digests. Sparse files of
    /// real images (`lastlog`) have some MB; a hostile one costs nothing to make and hours to hash.
    pub hole_bytes: u64,
}

impl Default for LayerBounds {
    fn default() -> Self {
        Self {
            facts: 500_000,
            fact_bytes: 144 << 20,
            problems: 1_000,
            links: 300_000,
            declined: 200_000,
            hole_bytes: 4 << 30,
        }
    }
}

/// Other names of files, through links of folders, that are looked at in one image: a few links and
/// many files multiply.
pub const FOLDER_ALIASES: usize = 200_000;

/// Pieces of one sparse file. `tar` writes one for each run of data; images of disks have thousands.
pub const SPARSE_PIECES: usize = 1_000_000;

/// How deep a scanned directory may nest.
pub const DIRECTORY_DEPTH: usize = 256;

/// Entries of the outer archive of an image.
pub const ARCHIVE_ENTRIES: usize = 100_000;

/// Parts of one document, weighed: elements of three bytes become values of hundreds. A lock file of
/// 200,000 packages has two million.
pub const DOCUMENT_PARTS: usize = 3_000_000;
