//! Keyrings and clear-signed texts.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::openpgp(data));
