//! Logs of seals.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::seal_store(data));
