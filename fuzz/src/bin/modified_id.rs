//! Lists of changes.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::modified_id(data));
