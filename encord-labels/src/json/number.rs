//! Numbers of JSON text.
//!
//! A document holds millions of coordinates, nearly all of them short decimals. Those are read here in one pass; all
//! others are left to the standard library.

/// The value and length of a decimal number whose digits and power of ten are exact as `f64`, so that one division
/// rounds once and the result is the nearest. `None` for any other number; most coordinates are of this kind.
#[inline]
pub(super) fn short_decimal(bytes: &[u8]) -> Option<(f64, usize)> {
    const POWERS: [f64; 23] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
        1e18, 1e19, 1e20, 1e21, 1e22,
    ];
    let digit = |at: usize| bytes.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10);
    let negative = bytes.first() == Some(&b'-');
    let start = usize::from(negative);
    let (mut at, mut digits) = (start, 0u64);
    while let Some(next) = digit(at) {
        // Nineteen digits fit; more wrap, which is noticed below.
        digits = digits.wrapping_mul(10).wrapping_add(u64::from(next));
        at += 1;
    }
    if at == start || (at > start + 1 && bytes[start] == b'0') {
        return None;
    }
    let mut places = 0;
    if bytes.get(at) == Some(&b'.') {
        let point = at;
        at += 1;
        while let Some(next) = digit(at) {
            digits = digits.wrapping_mul(10).wrapping_add(u64::from(next));
            at += 1;
        }
        places = at - point - 1;
        if places == 0 {
            return None;
        }
    }
    let count = at - start - usize::from(places > 0);
    let exact = count <= 19 && digits <= 1 << 53 && places < POWERS.len();
    if !exact || matches!(bytes.get(at), Some(b'e' | b'E' | b'.' | b'-' | b'+')) {
        return None;
    }
    let value = digits as f64 / POWERS[places];
    Some((if negative { -value } else { value }, at))
}

/// Whether the text follows the JSON grammar of numbers, which is narrower than what `f64` parses.
#[inline]
pub(super) fn is_number(text: &[u8]) -> bool {
    fn digits(text: &[u8]) -> usize {
        text.iter().take_while(|byte| byte.is_ascii_digit()).count()
    }
    let mut rest = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest[0] == b'0') {
        return false;
    }
    rest = &rest[whole..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let count = digits(fraction);
        if count == 0 {
            return false;
        }
        rest = &fraction[count..];
    }
    if let Some(exponent) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) {
        let exponent =
            exponent.strip_prefix(b"-").or_else(|| exponent.strip_prefix(b"+")).unwrap_or(exponent);
        let count = digits(exponent);
        return count > 0 && count == exponent.len();
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::super::Cursor;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_have_the_nearest_value(text in "-?(0|[1-9][0-9]{0,21})(\\.[0-9]{1,24})?([eE][-+]?[0-9]{1,2})?") {
            let expected: f64 = text.parse().unwrap();
            prop_assert_eq!(Cursor::new(&text).number().unwrap().to_bits(), expected.to_bits());
        }

    }
}
