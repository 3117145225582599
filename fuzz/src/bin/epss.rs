//! The feed EPSS, as published.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = advisories::risk::check(advisories::RiskFeed::Epss, data);
});
