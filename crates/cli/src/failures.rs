//! Which exit code the errors of the rooms below lead to.

use crate::exit::{Exit, Failure};
use approval::ApprovalError;
use engine::EngineError;
use fetch::FetchError;
use image::{ImageError, RegistryError};
use scan::{BillError, ScanError};
use seal::StoreError;

/// An input that is not there is a wrong argument; one that cannot be read was not scanned.
pub(crate) fn scan(error: ScanError) -> Failure {
    let cause = match &error {
        ScanError::Image(cause) => cause,
        ScanError::Bill(BillError::Unread { .. }) => return Failure::new(Exit::Incomplete, error),
        ScanError::Bill(_) | ScanError::NotABill(_) | ScanError::Cache { .. } => {
            return Failure::new(Exit::Usage, error);
        }
    };
    let exit = match cause {
        ImageError::Read { .. }
        | ImageError::Unrecognised(_)
        | ImageError::Packed { .. }
        | ImageError::Scheme { .. }
        | ImageError::Layout { .. }
        | ImageError::Ambiguous { .. }
        | ImageError::NoMatch { .. }
        | ImageError::Nowhere { .. } => Exit::Usage,
        ImageError::Document { .. }
        | ImageError::Missing { .. }
        | ImageError::Discarded { .. }
        | ImageError::Limit { .. }
        | ImageError::Spool { .. }
        | ImageError::Digest { .. } => Exit::Incomplete,
        ImageError::Engine(cause) => engine_exit(cause),
        ImageError::Registry(cause) => registry_exit(cause),
    };
    Failure::new(exit, error)
}

/// The same of engines: a name that is none, or an engine that may not or cannot be asked, is a wrong
/// argument.
const fn engine_exit(cause: &EngineError) -> Exit {
    match cause {
        EngineError::Address(_)
        | EngineError::NotThere { .. }
        | EngineError::Denied { .. }
        | EngineError::NoImage { .. }
        | EngineError::NoContainer { .. }
        | EngineError::Store { .. }
        | EngineError::Reference(_) => Exit::Usage,
        EngineError::Connection { .. }
        | EngineError::Timeout { .. }
        | EngineError::Refused { .. }
        | EngineError::Answer { .. }
        | EngineError::Limit { .. }
        | EngineError::FileSystem { .. }
        | EngineError::Read { .. }
        | EngineError::Write { .. } => Exit::Incomplete,
    }
}

/// And of registries.
const fn registry_exit(cause: &RegistryError) -> Exit {
    match cause {
        RegistryError::Fetch {
            source: FetchError::Offline { .. } | FetchError::Url { .. },
            ..
        }
        | RegistryError::Denied { .. }
        | RegistryError::NotPrivate { .. }
        | RegistryError::SpeaksTls { .. }
        | RegistryError::NotFound { .. }
        | RegistryError::Config { .. }
        | RegistryError::ForNobody { .. }
        | RegistryError::Helper { .. } => Exit::Usage,
        RegistryError::Fetch { .. }
        | RegistryError::TooMany { .. }
        | RegistryError::Status { .. }
        | RegistryError::Login { .. }
        | RegistryError::Broken { .. } => Exit::Incomplete,
    }
}

/// And of what is sealed and verified: what is not what it says it is has not passed.
pub(crate) fn approval(error: ApprovalError) -> Failure {
    let exit = match error {
        ApprovalError::Read(cause) => return scan(cause),
        ApprovalError::Store(cause) => return store(cause),
        ApprovalError::Engine(cause) => return Failure::new(engine_exit(&cause), cause),
        ApprovalError::Mismatch { .. } => Exit::Findings,
        ApprovalError::NotWhole { .. } | ApprovalError::Folders { .. } => Exit::Incomplete,
        ApprovalError::NotSealable(_)
        | ApprovalError::Nameless(_)
        | ApprovalError::Ambiguous { .. }
        | ApprovalError::NotVerifiable(_) => Exit::Usage,
    };
    Failure::new(exit, error)
}

/// A store that is not whole has not done what was asked.
pub(crate) fn store(error: StoreError) -> Failure {
    let exit = match &error {
        StoreError::Damaged(_) | StoreError::Differs { .. } | StoreError::Counter(_) => {
            Exit::Findings
        }
        StoreError::Key(_) | StoreError::Statement(_) | StoreError::Io { .. } => Exit::Usage,
        StoreError::TooLarge { .. }
        | StoreError::Record(_)
        | StoreError::Packages(_)
        | StoreError::Envelope(_) => Exit::Incomplete,
    };
    Failure::new(exit, error)
}
