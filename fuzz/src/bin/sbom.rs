//! Bills of materials, read into an inventory.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::sbom(data));
