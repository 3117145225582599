//! Bounds what is told of one container in a minute.
//!
//! In go findings by their container, out comes whether one is told. A container that makes ten thousand
//! programs must not fill the disk with alerts, nor bury those of others; how many were left out is
//! told as soon as the minute is over.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Findings of one container that are told in a minute: an upgrade of a whole distribution inside of
/// a container is about that many.
const MAX_TOLD: u64 = 256;

/// The time that this holds for.
const MINUTE: Duration = Duration::from_secs(60);

/// What was told of each container.
#[derive(Debug, Default)]
pub(crate) struct Floods {
    minutes: HashMap<String, Minute>,
}

#[derive(Debug)]
struct Minute {
    began: Instant,
    told: u64,
    left_out: u64,
}

impl Floods {
    /// Whether one more finding of this container is told.
    pub(crate) fn has_room(&mut self, container: &str, now: Instant) -> bool {
        let begin = || Minute { began: now, told: 0, left_out: 0 };
        let minute = self.minutes.entry(container.to_owned()).or_insert_with(begin);
        if minute.told < MAX_TOLD {
            minute.told += 1;
            return true;
        }
        minute.left_out += 1;
        false
    }

    /// Ends the minutes that are over, or `all`: the containers of which something was left out.
    pub(crate) fn over(&mut self, now: Instant, all: bool) -> Vec<(String, u64)> {
        let is_over = |minute: &Minute| all || now.duration_since(minute.began) >= MINUTE;
        let ended = self.minutes.extract_if(|_, minute| is_over(minute));
        let mut left_out: Vec<_> = ended
            .filter(|(_, minute)| minute.left_out > 0)
            .map(|(container, minute)| (container, minute.left_out))
            .collect();
        left_out.sort();
        left_out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_counted_and_the_next_minute_begins_anew() {
        let mut floods = Floods::default();
        let begin = Instant::now();
        let told = (0..10_000).filter(|_| floods.has_room("a", begin)).count() as u64;
        assert_eq!(told, MAX_TOLD);
        assert!(floods.has_room("b", begin), "another container is told of as before");
        assert_eq!(floods.over(begin, false), []);
        let later = begin + MINUTE;
        assert_eq!(floods.over(later, false), [("a".to_owned(), 10_000 - MAX_TOLD)]);
        assert_eq!(floods.over(later, true), []);
        assert!(floods.has_room("a", later));
    }
}
