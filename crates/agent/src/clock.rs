//! Clocks: the kernel's events carry nanoseconds since boot, people read the time of day.

use jiff::Timestamp;
use nix::time::{ClockId, clock_gettime};

/// Nanoseconds since boot, suspended time included, as the kernel stamps its events.
pub(crate) fn boot_ns() -> u64 {
    let Ok(time) = clock_gettime(ClockId::CLOCK_BOOTTIME) else { return 0 };
    let seconds = u64::try_from(time.tv_sec()).unwrap_or_default();
    let nanoseconds = u64::try_from(time.tv_nsec()).unwrap_or_default();
    seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds)
}

/// The time of day of a moment that was given as nanoseconds since boot, in RFC 3339, UTC.
pub(crate) fn time_of(at_ns: u64) -> String {
    let ago = boot_ns().saturating_sub(at_ns);
    let ago = jiff::SignedDuration::from_nanos(i64::try_from(ago).unwrap_or(i64::MAX));
    let moment = Timestamp::now().checked_sub(ago).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{moment:.3}")
}

/// Now, in RFC 3339, UTC.
pub(crate) fn now() -> String {
    format!("{:.3}", Timestamp::now())
}

/// Microseconds since a moment that was given as nanoseconds since boot.
pub(crate) fn microseconds_since(at_ns: u64) -> u64 {
    boot_ns().saturating_sub(at_ns) / 1000
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
        assert!(microseconds_since(event) >= 1_000_000);
    }

    #[test]
    fn an_event_of_the_future_has_no_latency() {
        assert_eq!(microseconds_since(u64::MAX), 0);
    }
}
