//! The cataloger `gemfile-lock`, files and squashed view.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::cataloger("gemfile-lock", data));
