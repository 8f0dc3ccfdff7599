//! Where strings of JSON text end: most of a document is strings, so eight bytes are looked at together.

/// The first byte from `at` on that does not simply belong to a string: a quote, a backslash or a control character.
#[inline]
pub(super) fn plain_end(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    // Eight bytes at once: a byte below n has its high bit set in (word - n) and not in the word itself.
    let below = |word: u64, n: u64| word.wrapping_sub(ONES * n) & !word;
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk);
        let found = (below(word, 0x20)
            | below(word ^ (ONES * u64::from(b'"')), 1)
            | below(word ^ (ONES * u64::from(b'\\')), 1))
            & HIGHS;
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1f)) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_end_where_they_end_at_any_length() {
        for length in 0..40 {
            for special in ['"', '\\', '\n', 'é', '\u{7f}'] {
                let text = format!("{}{special}{}\"", "a".repeat(length), "ÿ".repeat(9));
                let plain = |c: char| c != '"' && c != '\\' && c >= ' ';
                let expected = text.char_indices().find(|(_, c)| !plain(*c)).map(|(at, _)| at);
                assert_eq!(Some(plain_end(text.as_bytes(), 0)), expected, "{text:?}");
            }
        }
    }
}
