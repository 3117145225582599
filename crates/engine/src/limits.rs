//! Every bound that answers of engines are held to, with its reason. An engine is trusted less than it
//! seems: its names and labels are what images and users wrote.

use std::time::Duration;

/// Bytes of one answer in JSON. A list of ten thousand containers takes some 20 MiB.
pub const ANSWER_BYTES: usize = 64 << 20;

/// Bytes of an engine's error text that are shown.
pub const ERROR_CHARACTERS: usize = 300;

/// Bytes of one gRPC message: four times the bound that containerd's own clients have.
pub const MESSAGE_BYTES: usize = 64 << 20;

/// Bytes of an exported image: as many as an image's layer may have.
pub const EXPORT_BYTES: u64 = 256 << 30;

/// Bytes of an image configuration; what `image` reads of one.
pub const CONFIG_BYTES: u64 = 16 << 20;

/// Bytes of a manifest; what `image` reads of one.
pub const MANIFEST_BYTES: u64 = 4 << 20;

/// Bytes of the small files of an engine's store, such as `cache-id`.
pub const STORE_FILE_BYTES: u64 = 4 << 10;

/// Bytes of the list of links that an overlay is mounted by: 29 for each of at most 500 folders.
pub const LOWER_BYTES: u64 = 64 << 10;

/// Layers of one image; overlay file systems stop at 500 lower folders.
pub const LAYERS: usize = 1_000;

/// Bytes of `/proc/PID/mountinfo`. A mount's options may take a page, and hosts have thousands.
pub const MOUNTINFO_BYTES: u64 = 16 << 20;

/// Bytes of a name; the longest reference that Docker takes has 255 and a digest.
pub const NAME_BYTES: usize = 1_024;

/// How long a connection may take: it is this machine, or a near one.
pub const CONNECT: Duration = Duration::from_secs(10);

/// How long an engine may say nothing while it answers. Busy ones take seconds.
pub const ANSWER: Duration = Duration::from_secs(60);

/// How long an engine may say nothing before and while it exports: Docker writes the whole archive to
/// its disk before it sends the first byte.
pub const EXPORT: Duration = Duration::from_secs(900);

/// The least that must come of an export over [`PACE`] of waiting, once it comes: a hundredth of what
/// the slowest disks give, and more than one that trickles for ever.
pub const PACE_BYTES: u64 = 60 << 10;

/// See [`PACE_BYTES`].
pub const PACE: Duration = Duration::from_secs(60);

/// How long an answer in JSON may take as a whole, however steadily it trickles.
pub const WHOLE_ANSWER: Duration = Duration::from_secs(180);

/// Images or containers that are asked for one by one; machines hold some hundred.
pub const LISTED: usize = 20_000;
