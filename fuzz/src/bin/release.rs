//! An archive's `Release`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::release(data));
