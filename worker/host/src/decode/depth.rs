//! How deep a message is nested: the parser's own limit does not count an empty list or object that is innermost.

/// As in `edgemodel_support`.
const MAX_DEPTH: usize = 200;

/// Whether a JSON text has more levels of lists and objects than a message may have.
pub(super) fn is_too_deep(json: &[u8]) -> bool {
    // Most messages have too few brackets, which is soon found out.
    brackets(json) > MAX_DEPTH && levels(json) > MAX_DEPTH
}

/// Opening brackets, including those in strings.
fn brackets(json: &[u8]) -> usize {
    // `[` and `{` differ in one bit. Sums of one byte are added up many at once.
    let count = |piece: &[u8]| {
        piece
            .iter()
            .map(|byte| u8::from(byte | 0x20 == b'{'))
            .sum::<u8>()
    };
    json.chunks(usize::from(u8::MAX))
        .map(|piece| usize::from(count(piece)))
        .sum()
}

fn levels(json: &[u8]) -> usize {
    let (mut level, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => {
                level += 1;
                deepest = deepest.max(level);
            }
            b']' | b'}' => level = level.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}
