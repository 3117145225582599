//! Databases as artefacts: manifest, configuration and signature.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::artefact(data));
