//! Times of YAML 1.1, as PyYAML's regular expression takes them.

/// Whether a scalar is `2024-01-31 10:20:30` or one of its other forms. A date alone has the same text in Python.
pub(super) fn is_time(written: &str) -> bool {
    let Some((date, time)) = written.split_once(['T', 't', ' ', '\t']) else {
        return false;
    };
    let blank = written[date.len()..].starts_with([' ', '\t']);
    let time = if blank { without_blanks(time) } else { time };
    is_date(date) && is_clock(time)
}

fn without_blanks(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

fn are_digits(text: &str, least: usize, most: usize) -> bool {
    (least..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_date(date: &str) -> bool {
    let mut parts = date.split('-');
    let mut next = |least, most| {
        parts
            .next()
            .is_some_and(|part| are_digits(part, least, most))
    };
    next(4, 4) && next(1, 2) && next(1, 2) && parts.next().is_none()
}

/// `10:20:30`, perhaps with a fraction and a zone.
fn is_clock(time: &str) -> bool {
    let mut parts = time.splitn(3, ':');
    let mut next = |least, most| {
        parts
            .next()
            .is_some_and(|part| are_digits(part, least, most))
    };
    if !next(1, 2) || !next(2, 2) {
        return false;
    }
    let Some((second, rest)) = parts.next().and_then(|rest| rest.split_at_checked(2)) else {
        return false;
    };
    let rest = rest.strip_prefix('.').map_or(rest, |fraction| {
        fraction.trim_start_matches(|digit: char| digit.is_ascii_digit())
    });
    are_digits(second, 2, 2) && is_zone(rest)
}

/// Nothing, `Z`, `+8` or `+08:00`, perhaps after blanks.
fn is_zone(rest: &str) -> bool {
    let zone = without_blanks(rest);
    if let Some(offset) = zone.strip_prefix(['+', '-']) {
        return match offset.split_once(':') {
            Some((hours, minutes)) => are_digits(hours, 1, 2) && are_digits(minutes, 2, 2),
            None => are_digits(offset, 1, 2),
        };
    }
    zone == "Z" || rest.is_empty()
}
