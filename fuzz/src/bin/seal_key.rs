//! Keys and signatures: PEM, OpenSSH, SSHSIG.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::seal_key(data));
