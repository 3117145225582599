//! Attacks on the program, each tried as its author would: by files, archives, servers and users.
//!
//! Each module is a kind of attack, and each test the claim that one of them fails: SECURITY.md is
//! made of them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test may fail, and says how long things took"
)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/watching.rs"]
mod watching;

mod agent;
mod archives;
mod cache;
mod credentials;
mod database_files;
mod folders;
mod found_files;
mod printing;
mod resources;
mod sandbox;
mod slow_servers;
mod sums;
mod writing;
