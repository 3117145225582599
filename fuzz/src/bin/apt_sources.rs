//! Sources of apt, and the keys in them.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::apt_sources(data));
