//! The time of a mobile network, as ModemManager writes it: ISO 8601.

/// Without a time zone the text may be that of any, of which the most eastern is 14 hours ahead. So
/// the moment is this much earlier at most.
const MOST_EASTERN_S: i64 = 14 * 3600;

/// Seconds since 1970 of `2026-11-30T19:20:00+01:00`, of a time with another form of the zone
/// (`+01`, `+0100`, `Z`), or of one without: then the earliest moment that it can mean. `None`: it
/// is no time.
#[must_use]
pub fn parse(text: &str) -> Option<u64> {
    let (date, rest) = text.trim().split_once('T')?;
    let [year, month, day] = numbers(date, '-')?;
    let at = rest.find(['+', '-', 'Z']).unwrap_or(rest.len());
    let (time, zone) = (rest.get(..at)?, rest.get(at..)?);
    // Fractions of a second do not matter.
    let [hour, minute, second] = numbers(time.split('.').next()?, ':')?;
    let legal = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_of(year, month)).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        // A leap second.
        && (0..=60).contains(&second);
    if !legal {
        return None;
    }
    let local = days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    u64::try_from(local - offset(zone)?).ok()
}

/// Seconds east of Greenwich.
fn offset(zone: &str) -> Option<i64> {
    if zone.is_empty() {
        return Some(MOST_EASTERN_S);
    }
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("Z", "") => return Some(0),
        ("+", rest) => (1, rest.replace(':', "")),
        ("-", rest) => (-1, rest.replace(':', "")),
        _ => return None,
    };
    let digits = if digits.len() == 2 { digits + "00" } else { digits };
    if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = digits.split_at(2);
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

fn numbers(text: &str, separator: char) -> Option<[i64; 3]> {
    let mut parts = text.split(separator).map(|part| {
        let digits = (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| part.parse().ok()).flatten()
    });
    let found = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(found)
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Of the Gregorian calendar, counted from March, so that the leap day is a year's last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = (153 * month + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + days - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_all_forms_are_read() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:00:00+00:00", 951_825_600),
            ("2026-11-30T19:20:00Z", 1_796_066_400),
            ("2026-11-30T20:20:00+01:00", 1_796_066_400),
            ("2026-11-30T20:20:00+01", 1_796_066_400),
            ("2026-11-30T20:20:00+0100", 1_796_066_400),
            ("2026-11-30T14:50:00.250-04:30", 1_796_066_400),
            ("2024-12-31T23:59:60Z", 1_735_689_600),
        ] {
            assert_eq!(parse(text), Some(seconds), "{text}");
        }
    }

    #[test]
    fn a_time_without_its_zone_is_the_earliest_that_it_can_be() {
        let earliest = 1_796_066_400 - MOST_EASTERN_S.unsigned_abs();
        assert_eq!(parse("2026-11-30T19:20:00"), Some(earliest));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "T",
            "2026-11-30",
            "2026-11-30T19:20",
            "2026-02-30T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-11-30T24:00:00Z",
            "2026-11-30T19:20:00+15",
            "2026-11-30T19:20:00+1",
            "2026-11-30T19:20:00Zx",
            "1969-12-31T23:00:00Z",
            "80/01/06,00:00:00",
            "99999-11-30T19:20:00Z",
            "2026-11-30T19:20:00+ü1",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
