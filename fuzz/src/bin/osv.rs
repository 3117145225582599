//! Advisories: one record, built into a database.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::osv(data));
