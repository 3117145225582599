//! containerd's file of names, whose pages may say anything.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::bolt(data));
