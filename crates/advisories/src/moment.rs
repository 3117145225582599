//! When a record was changed, as feeds write it.

/// Microseconds since 1970; 0 where the date is missing or makes no sense.
pub(crate) fn time_of(date: &str) -> u64 {
    time(date).unwrap_or(0)
}

/// Microseconds since 1970, of a date that makes sense; 0 for those before. As fine as the public bucket
/// has them: of two changes within one second both are seen.
pub(crate) fn time(date: &str) -> Option<u64> {
    let time = date.parse::<jiff::Timestamp>().ok()?;
    Some(u64::try_from(time.as_microsecond()).unwrap_or(0))
}
