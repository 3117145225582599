//! What the kernel's ring buffer hands over.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::kernel_record(data));
