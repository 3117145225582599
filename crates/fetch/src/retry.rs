//! What is tried again, and after how long.
//!
//! Only what a second try can mend: a connection that failed before any answer, 429 and 5xx. The
//! waits double and are blurred, so that many clients do not come back in step.

use crate::Options;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

/// Whether a failed exchange may be tried again: it broke before an answer came, and not because
/// the other side is not who it should be.
pub(crate) fn is_worth_it(error: &ureq::Error) -> bool {
    use std::io::ErrorKind;
    match error {
        ureq::Error::Io(error) => {
            !matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::InvalidInput)
        }
        ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve)
        | ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed => true,
        _ => false,
    }
}

/// Whether a status says that the server cannot serve now.
pub(crate) const fn is_unavailable(status: u16) -> bool {
    status == 429 || (status >= 500 && status <= 599)
}

/// The seconds of a `Retry-After`; none of its other form, a date.
pub(crate) fn seconds(retry_after: &str) -> Option<u64> {
    retry_after.trim().parse().ok()
}

/// How long to wait before try number `attempt` + 1 (counted from 1), by the server's `Retry-After`
/// where it gave one in seconds. None where it asks for more patience than we have. The date form
/// of the header is rare and falls back to the back-off.
pub(crate) fn wait(options: &Options, attempt: u32, retry_after: Option<u64>) -> Option<Duration> {
    let asked = retry_after.map(Duration::from_secs);
    if let Some(asked) = asked {
        return (asked <= options.backoff_limit).then_some(asked);
    }
    let doubled = options.backoff.saturating_mul(1 << attempt.saturating_sub(1).min(16));
    let whole = doubled.min(options.backoff_limit);
    let blur = u32::try_from(RandomState::new().hash_one(attempt) % 1024).unwrap_or(0);
    Some(whole / 2 + whole.saturating_mul(blur) / 2048)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_limit() {
        let options = Options { backoff_limit: Duration::from_secs(3), ..Options::default() };
        for (attempt, least, most) in
            [(1, 250, 500), (2, 500, 1000), (3, 1000, 2000), (40, 1500, 3000)]
        {
            let wait = wait(&options, attempt, None).unwrap().as_millis();
            assert!((least..=most).contains(&wait), "{attempt}: {wait}");
        }
    }

    #[test]
    fn retry_after_is_honoured_or_ends_the_tries() {
        let options = Options::default();
        assert_eq!(wait(&options, 1, seconds(" 7 ")), Some(Duration::from_secs(7)));
        assert_eq!(wait(&options, 1, seconds("86400")), None);
        assert!(wait(&options, 1, seconds("Fri, 31 Dec 1999 23:59:59 GMT")).is_some());
    }
}
