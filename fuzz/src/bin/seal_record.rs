//! Records of files, packed and plain.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::seal_record(data));
