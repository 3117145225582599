//! Envelopes of what is attached to an image, and the VEX documents in them.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::attached(data));
