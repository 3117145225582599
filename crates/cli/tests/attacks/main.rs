//! The program itself under attack: each test is an attempt, and its name the claim that it holds.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test may fail"
)]

#[path = "../common/mod.rs"]
mod common;

mod printing;
mod resources;
mod slow_servers;
mod sums;
