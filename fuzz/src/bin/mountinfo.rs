//! The folders of an overlay in any mountinfo.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(overlay) = engine::mountinfo::root_overlay(&String::from_utf8_lossy(data)) {
        assert!(overlay.lower.iter().all(|lower| lower.is_absolute()));
    }
});
