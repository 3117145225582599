//! Attacks on the program, each tried as its author would: by files, archives, servers and users.

#[path = "../common/mod.rs"]
mod common;

mod archives;
