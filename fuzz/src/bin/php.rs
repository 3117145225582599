//! The cataloger `php`, files and squashed view.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::cataloger("php", data));
