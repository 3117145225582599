//! Layers of links and floods: what the walk keeps, says and counts.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::walk_layers(data));
