//! The program itself under attack: each test is an attempt, and its name the claim that it holds.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[path = "../common/mod.rs"]
mod common;

mod printing;
mod resources;
