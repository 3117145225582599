//! Envelopes of seals, and the statements in them.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::dsse(data));
