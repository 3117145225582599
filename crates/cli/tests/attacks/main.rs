//! The program itself under attack: each test is an attempt, and its name the claim that it holds.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail")]

#[path = "../common/mod.rs"]
mod common;

mod cache;
mod database_files;
mod folders;
mod writing;
