//! Files that a container used, against the links and packages of an image.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::usage(data));
