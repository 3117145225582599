//! Docker's answers, of any bytes.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| engine::docker::read_as_any(data));
