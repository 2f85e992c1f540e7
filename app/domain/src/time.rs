//! Times as text: RFC 3339, to the second or finer, with an offset (`2026-11-25T10:00:00+01:00`).

use crate::{DAY, HOUR, MINUTE, Millis, SECOND};

/// The most bytes of a text that is read as a time.
const BYTES_MAX: usize = 40;

/// A time in UTC, cut to the second. Works for the years 1970 to 9999.
#[must_use]
pub fn format(at: Millis) -> String {
    let (days, rest) = (at.div_euclid(DAY), at.rem_euclid(DAY));
    let (year, month, day) = date_of(days);
    let (hour, minute, second) = (rest / HOUR, rest % HOUR / MINUTE, rest % MINUTE / SECOND);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Reads a time. None if the text is not a time.
#[must_use]
pub fn parse(text: &str) -> Option<Millis> {
    if !text.is_ascii() || text.len() > BYTES_MAX {
        return None;
    }
    let (date, time) = text.split_once('T')?;
    let [year, month, day] = numbers(date, '-')?;
    let start = time.find(['Z', '+', '-'])?;
    let (clock, zone) = time.split_at(start);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let [hour, minute, second] = numbers(clock, ':')?;
    let fits = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 61;
    if !fits || fraction.is_empty() || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let millis: Millis = format!("{fraction:0<3.3}").parse().ok()?;
    let local = days_until(year, month, day) * DAY + hour * HOUR + minute * MINUTE + second * SECOND + millis;
    Some(local - offset(zone)?)
}

fn offset(zone: &str) -> Option<Millis> {
    if zone == "Z" {
        return Some(0);
    }
    let (sign, rest) = zone.split_at(1);
    let (hours, minutes) = rest.split_once(':').or_else(|| rest.split_at_checked(2))?;
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let size = (hours < 24 && minutes < 60).then_some(hours * HOUR + minutes * MINUTE)?;
    Some(if sign == "-" { -size } else { size })
}

fn numbers(text: &str, separator: char) -> Option<[Millis; 3]> {
    let mut parts = text.split(separator).map(number);
    let all = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(all)
}

fn number(text: &str) -> Option<Millis> {
    let plain = (1..=4).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

/// Days from 1 January 1970 to a date. Years are counted from 1 March of the year 0, so that leap days come last.
fn days_until(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1 - EPOCH
}

/// 1 January 1970 in days from 1 March of the year 0.
const EPOCH: i64 = 719_468;

fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + EPOCH;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let year = year + era * 400;
    if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 9999-12-31T23:59:59.
    const LAST: Millis = 253_402_300_799_000;

    #[test]
    fn known_times() {
        for (at, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_800_000_000_000, "2027-01-15T08:00:00Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z"),
            (LAST, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!((format(at).as_str(), parse(text)), (text, Some(at)));
        }
        assert_eq!(parse("2027-01-15T09:00:00+01:00"), Some(1_800_000_000_000));
        assert_eq!(parse("2027-01-15T09:00:00.25+0100"), Some(1_800_000_000_250));
        assert_eq!(parse("2027-01-15T03:00:00-05:00"), Some(1_800_000_000_000));
    }

    #[test]
    fn anything_else_is_no_time() {
        for text in ["", "2027-01-15", "2027-01-15T08:00:00", "2027-13-15T08:00:00Z", "T", "2027-1-1T1:1:1+", "é-T:Z"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_time_reads_back_to_the_second(at in 0..=LAST) {
            prop_assert_eq!(parse(&format(at)), Some(at - at % SECOND));
        }

        #[test]
        fn no_text_panics(text in ".{0,50}", close in "[0-9TZ:.+-]{0,30}") {
            let _ = (parse(&text), parse(&close));
        }
    }
}
