//! CycloneDX as XML, read into an inventory.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::bill(
    r#"<bom xmlns="http://cyclonedx.org/schema/bom/1.5">"#,
    data,
    ""
));
