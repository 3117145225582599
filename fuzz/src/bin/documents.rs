//! YAML, JSON and TOML with places.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::documents(data));
