//! Why something was not sealed, or could not be verified at all. What a verification finds, and what
//! of it could not be asked, stands in its report instead.

use engine::EngineError;
use scan::ScanError;
use seal::StoreError;

/// Why something was not sealed or verified.
#[derive(Debug, thiserror::Error)]
pub enum ApprovalError {
    /// Something else than an image was to be sealed.
    #[error("`{0}` is no image; only images can be sealed")]
    NotSealable(String),
    /// It is not what it says it is.
    #[error("`{name}` is not sealed: {reason}")]
    Mismatch {
        /// The subject.
        name: String,
        /// What differs.
        reason: String,
    },
    /// Its record would not be whole.
    #[error("`{name}` is not sealed, it could not be read in full: {reason}")]
    NotWhole {
        /// The subject.
        name: String,
        /// What could not be read.
        reason: String,
    },
    /// Nobody said under which name it is sealed, and it has none.
    #[error("`{0}` has no name of its own; give --repository")]
    Nameless(String),
    /// Nobody said under which of its names it is sealed.
    #[error("`{name}` has several names, such as `{one}` and `{other}`; give --repository")]
    Ambiguous {
        /// The subject.
        name: String,
        /// A name of its.
        one: String,
        /// Another.
        other: String,
    },
    /// Something else than an image or a container was to be verified.
    #[error("`{0}` is no image; give an image, or container:NAME")]
    NotVerifiable(String),
    /// Without the image's own folders all its files would seem to be gone.
    #[error("the folders of container `{name}` cannot be read, run as root: {reason}")]
    Folders {
        /// The container.
        name: String,
        /// Why.
        reason: String,
    },
    /// The subject could not be read.
    #[error(transparent)]
    Read(#[from] ScanError),
    /// The engine could not be asked.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The store of seals cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}
