//! The `Range` header, as far as downloads that are resumed need it.

/// What part of a file to send.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Whole,
    /// First byte and number of bytes.
    Some {
        start: u64,
        length: u64,
    },
    /// The range starts behind the end of the file.
    Unsatisfiable,
}

/// Reads the header for a file of `size` bytes. Units other than bytes, several
/// ranges and nonsense mean the whole file, as HTTP says.
pub(crate) fn part(header: Option<&str>, size: u64) -> Part {
    let range = header.and_then(|header| header.trim().strip_prefix("bytes="));
    let Some((first, last)) =
        range.filter(|range| !range.contains(',')).and_then(|range| range.split_once('-'))
    else {
        return Part::Whole;
    };
    match (first.trim().parse::<u64>().ok(), last.trim().parse::<u64>().ok()) {
        (Some(start), _) if start >= size => Part::Unsatisfiable,
        (Some(start), None) if last.trim().is_empty() => Part::Some { start, length: size - start },
        (Some(start), Some(end)) if start <= end => {
            Part::Some { start, length: end.min(size - 1) - start + 1 }
        }
        (None, Some(suffix)) if first.trim().is_empty() => match suffix.min(size) {
            0 => Part::Unsatisfiable,
            length => Part::Some { start: size - length, length },
        },
        _ => Part::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::{Part, part};

    #[test]
    fn reads_ranges() {
        let some = |start, length| Part::Some { start, length };
        for (header, expected) in [
            ("bytes=0-", some(0, 10)),
            ("bytes=4-", some(4, 6)),
            ("bytes=4-5", some(4, 2)),
            ("bytes=4-500", some(4, 6)),
            ("bytes=-3", some(7, 3)),
            ("bytes=-30", some(0, 10)),
            ("bytes=10-", Part::Unsatisfiable),
            ("bytes=-0", Part::Unsatisfiable),
            ("bytes=5-4", Part::Whole),
            ("bytes=0-1,4-5", Part::Whole),
            ("items=0-1", Part::Whole),
            ("bytes=x-y", Part::Whole),
        ] {
            assert_eq!(part(Some(header), 10), expected, "{header}");
        }
        assert_eq!(part(None, 10), Part::Whole);
        assert_eq!(part(Some("bytes=0-"), 0), Part::Unsatisfiable);
    }
}
