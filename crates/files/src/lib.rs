//! Reads bounded regular files and writes whole ones, in one safe way each.
//!
//! Every path may lie in a folder that somebody else writes too. So nothing is decided by a name and
//! then done by it: a folder is held open, and what is in it is reached by that ([`Folder`]); what
//! merely lies there is believed only if nobody else could have written it ([`Distrust`]); and a file
//! is written beside, under a name that nobody can foresee, and renamed when it is whole
//! ([`WholeFile`]). Errors of this crate leave out the path: who calls knows by which name it was
//! asked for.
//!
//! | to read | what somebody named | what merely lies there | what must be believed |
//! |---|---|---|---|
//! | whole | [`read`] | [`read_found`], [`Folder::read`] | [`read_trusted`], [`Folder::read_trusted`] |
//! | its start | | [`read_start`] | |
//! | in pieces | | [`open_found`], [`Folder::file`] | [`Folder::file_trusted`] |
//!
//! A whole file is written in two ways. The durable one ([`write_whole`], [`Folder::write`],
//! [`WholeFile::commit`]) waits until bytes and name would outlive a power cut: for what nobody can
//! make again. The fast one ([`Folder::write_lightly`], [`WholeFile::commit_lightly`]) does not: for
//! what its reader checks by a digest and can do without. [`create_new`] is the durable one for what
//! must not replace anything.
//!
//! What the kernel makes up (`/proc`, `/sys`) lies nowhere; who asks it reads it as it comes.

mod bounded;
mod folder;
mod owner;
mod trusted;
mod way;
mod write;

pub use bounded::{open_found, read, read_found, read_start};
pub use folder::{Folder, is_refusal};
pub use owner::{Distrust, distrust, may_write};
pub use rustix::fs::FileType;
pub use trusted::{Found, read_trusted};
pub use write::{
    Access, WholeFile, abandon, append_to, create_folders, create_new, is_temporary, remove,
    write_whole,
};
