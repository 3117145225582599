//! One check of `scan::checks`, files and squashed view: the one that `LAZARET_FUZZ_CHECK` names.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::check(data));
