//! Reads bounded regular files and writes whole ones, in one safe way each.
//!
//! Every path may lie in a folder that somebody else writes too. So nothing is decided by a name and
//! then done by it: a folder is held open, and what is in it is reached by that ([`Folder`]); what
//! merely lies there is believed only if nobody else could have written it ([`Distrust`]); and a file
//! is written beside, under a name that nobody can foresee, and renamed when it is whole
//! ([`WholeFile`]). Errors of this crate leave out the path: who calls knows by which name it was
//! asked for.

mod bounded;
mod folder;
mod owner;
mod trusted;
mod way;
mod write;

pub use bounded::{read, read_found};
pub use folder::{Folder, is_refusal};
pub use owner::{Distrust, distrust, may_write};
pub use rustix::fs::FileType;
pub use trusted::{Found, read_trusted};
pub use write::{
    Access, WholeFile, abandon, append_to, create_folders, create_new, is_temporary, remove,
    write_whole,
};
