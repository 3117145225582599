//! Clocks: the kernel's events carry nanoseconds since boot, people read the time of day.

use jiff::Timestamp;
use sensor::boot_ns;
use std::time::{Duration, SystemTime};

/// The time of day of a moment that was given as nanoseconds since boot, in RFC 3339, UTC.
pub(crate) fn time_of(at_ns: u64) -> String {
    let ago = boot_ns().saturating_sub(at_ns);
    let ago = jiff::SignedDuration::from_nanos(i64::try_from(ago).unwrap_or(i64::MAX));
    let moment = Timestamp::now().checked_sub(ago).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{moment:.3}")
}

/// The same moment by the clock that dates files.
pub(crate) fn moment_of(at_ns: u64) -> SystemTime {
    let now = SystemTime::now();
    let ago = Duration::from_nanos(boot_ns().saturating_sub(at_ns));
    now.checked_sub(ago).unwrap_or(now)
}

/// Now, in RFC 3339, UTC.
pub(crate) fn now() -> String {
    format!("{:.3}", Timestamp::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_of_a_second_ago_is_dated_a_second_ago() {
        let event = boot_ns().saturating_sub(1_000_000_000);
        let moment: Timestamp = time_of(event).parse().unwrap();
        let ago = Timestamp::now().duration_since(moment).as_millis();
        assert!((990..3000).contains(&ago), "{ago}");
    }

    #[test]
    fn an_event_of_the_future_is_dated_now() {
        let moment: Timestamp = time_of(u64::MAX).parse().unwrap();
        assert!(Timestamp::now().duration_since(moment).as_secs() < 2);
    }
}
