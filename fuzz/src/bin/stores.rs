//! The indexes of engines' stores: whatever they say, a store is read within its folder, or refused.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::stores(data));
