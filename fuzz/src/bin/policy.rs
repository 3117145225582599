//! Policy files, and VEX documents.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = policy::parse_vex("x", data);
    if let Ok(text) = std::str::from_utf8(data) {
        let none = |_: &str, _: &str| Err("not here".to_owned());
        let _ = policy::parse_policy("x", text, &scan::rules(), &none);
    }
});
