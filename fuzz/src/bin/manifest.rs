//! Index, manifest, configuration, and `manifest.json` of docker save.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::manifest(data));
