//! containerd's messages, of any bytes.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    engine::containerd::messages::read_as_any(data);
    let _ = engine::containerd::protobuf::fields(data).count();
});
