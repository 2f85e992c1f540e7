//! The wall clock, in the two units the simulator needs.

use std::time::{SystemTime, UNIX_EPOCH};

/// The current time, and the sandbox's address.
#[derive(Debug, Clone, Copy)]
pub struct Now<'a> {
    /// Milliseconds since 1970.
    pub ms: i64,
    /// The sandbox's public address, without a trailing slash.
    pub base: &'a str,
}

/// Milliseconds since 1970, for timers.
#[expect(
    clippy::disallowed_methods,
    reason = "the sandbox stands for somebody else's system: it has a clock of its own"
)]
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The year and month (1–12) in UTC of a time in Unix seconds, for expiry dates on cards.
pub fn year_month(unix_seconds: i64) -> (u32, u32) {
    // Converts days to a civil date, after Howard Hinnant's `civil_from_days`. Its years begin in March.
    let days = unix_seconds.div_euclid(86_400) + 719_468;
    let era = days.div_euclid(146_097);
    let day = days.rem_euclid(146_097);
    let year_of_era = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = year_of_era + era * 400 + carry;
    (u32::try_from(year).unwrap_or(0), u32::try_from(month).unwrap_or(1))
}

/// `HH:MM:SS` in UTC, for people.
pub fn time_of_day(unix_seconds: i64) -> String {
    let second = unix_seconds.rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_follow_the_calendar() {
        assert_eq!(year_month(0), (1970, 1));
        assert_eq!(year_month(951_782_400), (2000, 2));
        assert_eq!(year_month(951_868_800), (2000, 3));
        assert_eq!(year_month(1_795_219_200), (2026, 11));
        assert_eq!(time_of_day(86_399), "23:59:59");
    }
}
