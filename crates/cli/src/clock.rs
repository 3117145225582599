//! The moment of this run, which is read once here and handed down.

use crate::exit::{Exit, Failure};

/// The moment of this run: `SOURCE_DATE_EPOCH` where it is set, so that a build can be repeated.
pub(crate) fn now() -> jiff::Timestamp {
    std::env::var("SOURCE_DATE_EPOCH")
        .ok()
        .and_then(|text| text.parse().ok())
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .unwrap_or_else(jiff::Timestamp::now)
}

/// The day of a moment, in UTC.
pub(crate) fn today(now: jiff::Timestamp) -> Result<policy::Date, Failure> {
    let text = now.strftime("%Y-%m-%d").to_string();
    text.parse().map_err(|error: policy::DateError| Failure::new(Exit::Internal, error))
}
