//! Recognises the beginning of an object that was spelled alike before.

/// How the fields at the beginning of an object were spelled, to pass over them in the next object of its kind.
///
/// Of the dozen things an object on a frame says, most were said in the same words on the frame before.
#[derive(Debug, Default)]
pub(crate) struct Spelling<'a> {
    /// The document from the first field on.
    text: &'a str,
    /// Where the fields end within the text, each with the comma after it.
    ends: Vec<u32>,
}

impl<'a> Spelling<'a> {
    /// Begins anew with `text`, whose first `same` fields end where they did before.
    #[inline]
    pub(super) fn start(&mut self, text: &'a str, same: usize) {
        self.text = text;
        self.ends.truncate(same);
    }

    /// Notes where the next field ends, with the comma after it.
    #[inline]
    pub(super) fn push(&mut self, end: u32) {
        self.ends.push(end);
    }

    /// Where a field ends, with the comma after it.
    #[inline]
    pub(super) fn end(&self, field: usize) -> usize {
        self.ends[field] as usize
    }

    /// Whatever comes next is read in full.
    pub(crate) fn forget(&mut self) {
        self.ends.clear();
    }

    /// How many fields `rest` begins with that are spelled alike.
    #[inline]
    pub(super) fn repeated(&self, rest: &[u8]) -> usize {
        let Some(last) = self.ends.last() else { return 0 };
        let text = self.text.as_bytes().get(..*last as usize).unwrap_or_default();
        let alike = common_prefix(text, rest);
        // White space between a value and its comma would shift the ends; such fields do not count.
        let repeats = |end: u32| end as usize <= alike && text.get(end as usize - 1) == Some(&b',');
        self.ends.iter().take_while(|end| repeats(**end)).count()
    }
}

/// How many bytes two texts begin with in common.
#[inline]
fn common_prefix(one: &[u8], two: &[u8]) -> usize {
    let words = one.chunks_exact(8).zip(two.chunks_exact(8));
    let mut at = 0;
    for (a, b) in words {
        if a != b {
            break;
        }
        at += 8;
    }
    at + one[at..].iter().zip(&two[at..]).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::super::Cursor;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn fields_that_repeat_are_the_same_fields(
            names in proptest::collection::vec("[a-c]{1,2}", 1..6),
            values in proptest::collection::vec(proptest::collection::vec(0u32..3, 6), 1..5),
            spaced in any::<bool>(),
        ) {
            // Objects with the same keys, of whose values some repeat; the first field named `c` ends what is recognised.
            let space = if spaced { " " } else { "" };
            let objects: Vec<String> = values.iter().map(|values| {
                let fields = names.iter().zip(values).map(|(name, value)| format!("\"{name}\":{value}{space}"));
                format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
            }).collect();
            let text = format!("[{}]", objects.join(","));
            let mut spelling = Spelling::default();
            let mut fields: Vec<(String, f64)> = Vec::new();
            let mut read = Vec::new();
            Cursor::new(&text).array(|cursor, _| {
                let same = cursor.object_like(&spelling)?;
                fields.truncate(same);
                cursor.rest_of_object(same, &mut spelling, |cursor, key| {
                    let follow = key != "c";
                    fields.push((key.into_owned(), cursor.number()?));
                    Ok(follow)
                })?;
                read.push(fields.clone());
                Ok(())
            }).unwrap();
            let expected: Vec<Vec<(String, f64)>> = values.iter().map(|values| {
                names.iter().cloned().zip(values.iter().map(|value| f64::from(*value))).collect()
            }).collect();
            prop_assert_eq!(read, expected);
        }
    }
}
