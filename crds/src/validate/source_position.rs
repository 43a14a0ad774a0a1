//! The source position of a character within a scalar.

use crate::problem::Position;

/// The position of the character at `offset` of `value`, a scalar that begins at `start` of `lines`.
///
/// It is exact for scalars on one line without unusual escapes; for all others it is `start`.
pub(super) fn within(lines: &[&str], start: Position, value: &str, offset: usize) -> Position {
    column(lines, start, value, offset).map_or(start, |column| Position { column, ..start })
}

fn column(lines: &[&str], start: Position, value: &str, offset: usize) -> Option<usize> {
    let line = lines.get(start.line.checked_sub(1)?)?;
    let mut written = line.chars().skip(start.column.checked_sub(1)?).peekable();
    let mut column = start.column;
    let quote = written.next_if(|first| matches!(first, '"' | '\''));
    if quote.is_some() {
        column += 1;
    }
    for expected in value.chars().take(offset) {
        let escaped = matches!(
            (quote, written.peek()?),
            (Some('"'), '\\') | (Some('\''), '\'')
        );
        if escaped {
            written.next();
            column += 1;
        }
        written.next_if_eq(&expected)?;
        column += 1;
    }
    Some(column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, value: &str, offset: usize, expected: usize) {
        let start = Position { line: 2, column: 4 };
        let position = within(&["first", line], start, value, offset);
        assert_eq!((position.line, position.column), (2, expected), "{line}");
    }

    #[test]
    fn plain_and_quoted_scalars_are_counted_in_characters() {
        check("a: == x", "== x", 3, 7);
        check("a: '== x'", "== x", 3, 8);
        check("a: \"== x\"", "== x", 3, 8);
        check("a: == 设备 x", "== 设备 x", 6, 10);
    }

    #[test]
    fn escaped_quotes_count_twice() {
        check("a: 'a''b''c'", "a'b'c", 4, 11);
        check("a: \"a\\\"b\\\"c\"", "a\"b\"c", 4, 11);
    }

    #[test]
    fn where_the_text_differs_the_position_is_the_start() {
        check("a: *alias", "== x", 3, 4);
        check("a: \"\\u003d= x\"", "== x", 3, 4);
        check("a: >-", "== x", 3, 4);
        check("a", "== x", 3, 4);
        let beyond = Position { line: 9, column: 1 };
        assert_eq!(within(&["a"], beyond, "x", 0), beyond);
    }
}
