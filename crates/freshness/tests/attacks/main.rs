//! Attempts on the program itself; each test is one, and its name is the claim that it holds.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod keys;
