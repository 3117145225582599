//! Syft's own JSON, read into an inventory.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::bill(
    r#"{"schema":{"version":"16"},"artifacts":"#,
    data,
    "}"
));
