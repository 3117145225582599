//! A calendar date, and nothing else: parsed, compared, shown.
//!
//! Policy compares days only, and is told which day it is; so it needs no clock and no time zone.

use std::fmt;
use std::str::FromStr;

/// A day of the proleptic Gregorian calendar, years 0 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

/// Why a text is not a date.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a date; use YYYY-MM-DD, such as 2027-01-31")]
pub struct DateError(String);

impl Date {
    /// A day; none where the calendar has no such day.
    #[must_use]
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let leap =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            2 => 28 + u8::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        (year <= 9999 && (1..=days).contains(&day)).then_some(Self { year, month, day })
    }
}

impl fmt::Display for Date {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let date = || {
            let (year, rest) = text.split_once('-')?;
            let (month, day) = rest.split_once('-')?;
            let digits = |part: &str, count| {
                part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit())
            };
            if !(digits(year, 4) && digits(month, 2) && digits(day, 2)) {
                return None;
            }
            Self::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
        };
        date().ok_or_else(|| DateError(text.chars().take(40).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_ordered_and_survive_a_round_trip() {
        let days = ["1999-12-31", "2000-02-29", "2026-11-22", "2027-01-01", "9999-12-31"];
        let dates: Vec<Date> = days.iter().map(|text| text.parse().unwrap()).collect();
        assert!(dates.is_sorted());
        assert!(dates.iter().zip(days).all(|(date, text)| date.to_string() == text));
    }

    #[test]
    fn days_that_the_calendar_does_not_have_are_refused() {
        for text in [
            "2027-02-29",
            "2100-02-29",
            "2027-13-01",
            "2027-00-10",
            "2027-1-1",
            "2027-01-32",
            "",
            "tomorrow",
            "2027-01-01T00:00:00Z",
            "-2027-01-01",
            "+027-01-01",
        ] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
    }
}
