//! SPDX as tag-value, read into an inventory.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::bill("SPDXVersion: SPDX-2.3\n", data, ""));
