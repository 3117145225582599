//! Layers: the tar reader, fed in pieces.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::tar(data));
