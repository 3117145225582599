//! SPDX 3 as JSON-LD, read into an inventory.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::bill(
    r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":"#,
    data,
    "}"
));
