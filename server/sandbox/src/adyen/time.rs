//! Dates in the provider's notation (ISO 8601 with an offset).

/// The offset of times in notifications, in seconds: the provider uses Amsterdam's winter time.
const AMSTERDAM: i64 = 3_600;

const DAY: i64 = 86_400;

/// `2026-11-25T01:13:02Z`, as in replies.
pub fn utc(unix_seconds: i64) -> String {
    format!("{}Z", local(unix_seconds))
}

/// `2026-11-25T02:13:02+01:00`, as in notifications.
pub fn event(unix_seconds: i64) -> String {
    format!("{}+01:00", local(unix_seconds + AMSTERDAM))
}

/// `2026-11-25 01:13:02`, as in reports.
pub fn report(unix_seconds: i64) -> String {
    local(unix_seconds).replace('T', " ")
}

fn local(unix_seconds: i64) -> String {
    let (year, month, day) = civil(unix_seconds.div_euclid(DAY));
    let second = unix_seconds.rem_euclid(DAY);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

/// The Unix seconds of a date with an offset. `None` if the text is no such date.
pub fn parse(text: &str) -> Option<i64> {
    let date = text.get(..10)?;
    let rest = text.get(10..)?.strip_prefix(['T', 't'])?;
    let (year, month, day) = (number(date, 0, 4)?, number(date, 5, 2)?, number(date, 8, 2)?);
    let (hour, minute, second) = (number(rest, 0, 2)?, number(rest, 3, 2)?, number(rest, 6, 2)?);
    let separators = [date.as_bytes()[4], date.as_bytes()[7], *rest.as_bytes().get(2)?, *rest.as_bytes().get(5)?];
    if separators != *b"--::" || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let days = days(year, month, day);
    if civil(days) != (year, month, day) {
        return None;
    }
    let zone = rest.get(8..)?;
    let zone = match zone.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => zone,
    };
    Some(days * DAY + hour * 3600 + minute * 60 + second - offset(zone)?)
}

fn number(text: &str, at: usize, length: usize) -> Option<i64> {
    let digits = text.get(at..at + length)?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

fn offset(zone: &str) -> Option<i64> {
    if matches!(zone, "Z" | "z") {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let digits = zone.strip_prefix(['+', '-'])?.replace(':', "");
    let (hours, minutes) = (number(&digits, 0, 2)?, number(&digits, 2, 2)?);
    (digits.len() == 4 && hours <= 18 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Days since 1970 of a date in the Gregorian calendar (Hinnant's `days_from_civil`).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The date of a day since 1970 (Hinnant's `civil_from_days`).
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day = days.rem_euclid(146_097);
    let year_of_era = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (year_of_era + era * 400 + carry, month, day_of_month)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates_are_read_with_their_offset() {
        assert_eq!(parse("2026-11-25T01:13:02Z"), Some(1_795_569_182));
        assert_eq!(parse("2026-11-25T02:13:02+01:00"), Some(1_795_569_182));
        assert_eq!(parse("2026-11-24T20:13:02.123-0500"), Some(1_795_569_182));
        for bad in [
            "",
            "2026-11-25",
            "2026-11-25T01:13:02",
            "2026-02-30T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "x026-11-25T01:13:02Z",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn notifications_bear_an_offset() {
        assert_eq!(event(1_795_569_182), "2026-11-25T02:13:02+01:00");
        assert_eq!(utc(0), "1970-01-01T00:00:00Z");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(at in 0_i64..4_000_000_000) {
            prop_assert_eq!(parse(&utc(at)), Some(at));
            prop_assert_eq!(parse(&event(at)), Some(at));
        }

        #[test]
        fn reading_never_panics(text in "\\PC{0,40}") {
            let _ = parse(&text);
        }
    }
}
