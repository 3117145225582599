//! SARIF of other tools.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = scan::import(data);
});
