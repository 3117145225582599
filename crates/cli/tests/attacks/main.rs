//! Attempts on the tool itself, made from the outside: each test is a claim that one of them fails.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test may fail, and says how long things took"
)]

mod agent;
#[path = "../common/mod.rs"]
mod common;
#[path = "../common/watching.rs"]
mod watching;
