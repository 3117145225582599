//! `--timeout`: a time, as people write it.

use std::str::FromStr;
use std::time::Duration;

/// A time after which a command ends; none for no such time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timeout(pub(crate) Option<Duration>);

impl FromStr for Timeout {
    type Err = String;

    /// `90`, `90s`, `5m`, `2h`; `0` is no end.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
        let factor = match text.get(digits.len()..) {
            Some("" | "s") => Some(1),
            Some("m") => Some(60),
            Some("h") => Some(60 * 60),
            _ => None,
        };
        let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok());
        let seconds: Option<u64> =
            number.flatten().zip(factor).and_then(|(number, factor): (u64, u64)| {
                number.checked_mul(factor).filter(|seconds| *seconds < 1 << 32)
            });
        match seconds {
            None => Err(format!("`{text}` is no time; use 90s, 5m or 2h, or 0 for no end")),
            Some(0) => Ok(Self(None)),
            Some(seconds) => Ok(Self(Some(Duration::from_secs(seconds)))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_written() {
        let read = |text: &str| text.parse::<Timeout>().ok().map(|timeout| timeout.0);
        for (text, seconds) in [("90", 90), ("30s", 30), ("5m", 300), ("2h", 7_200)] {
            assert_eq!(read(text), Some(Some(Duration::from_secs(seconds))), "{text}");
        }
        assert_eq!((read("0"), read("0s")), (Some(None), Some(None)));
        for wrong in ["", "s", "-1", "+1", "1d", "1.5m", "99999999999h", "1 m", "5ms", "1\u{661}"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
