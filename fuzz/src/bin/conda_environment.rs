//! The cataloger `conda-environment`, files and squashed view.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::cataloger("conda-environment", data));
