//! The cataloger `pubspec-lock`, files and squashed view.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::cataloger("pubspec-lock", data));
