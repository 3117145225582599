//! An archive's `Packages`, packed or not.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::packages_index(data));
