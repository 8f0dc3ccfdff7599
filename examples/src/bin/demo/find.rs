//! Finding things in samples: the work the demo's agents do. Plain functions on arrays, no platform in sight.

use ndarray::{ArrayView1, ArrayView2, ArrayView3};

/// A rectangle in pixels; the right and lower edges are exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rectangle {
    pub(crate) left: usize,
    pub(crate) top: usize,
    pub(crate) right: usize,
    pub(crate) bottom: usize,
}

/// Where a picture (`[height, width, 3]`, RGB) is clearly red.
pub(crate) fn red_thing(picture: ArrayView3<u8>) -> Option<Rectangle> {
    let (height, width, _) = picture.dim();
    let is_red = |y: usize, x: usize| {
        let [red, green, blue] = [0, 1, 2].map(|channel| i32::from(picture[[y, x, channel]]));
        red > 120 && red > green + 70 && red > blue + 70
    };
    extent(height, width, is_red)
}

/// Where a slice (`[rows, columns]`, Hounsfield units) is denser than soft tissue.
pub(crate) fn dense_thing(slice: ArrayView2<f32>) -> Option<Rectangle> {
    let (rows, columns) = slice.dim();
    extent(rows, columns, |row, column| slice[[row, column]] > 150.0)
}

/// The first and last millisecond of what is much louder than the rest.
pub(crate) fn loud_part(samples: ArrayView1<f32>, samples_per_second: u32) -> Option<(u64, u64)> {
    let loud = |sample: &f32| sample.abs() > 0.3;
    let first = samples.iter().position(loud)?;
    let last = samples.len() - 1 - samples.iter().rev().position(loud)?;
    let milliseconds = |index: usize| index as u64 * 1000 / u64::from(samples_per_second.max(1));
    Some((milliseconds(first), milliseconds(last)))
}

/// Where a text contains a word, in characters; the end is exclusive.
pub(crate) fn word(text: &str, word: &str) -> Option<(usize, usize)> {
    let start = text[..text.find(word)?].chars().count();
    Some((start, start + word.chars().count()))
}

/// The mean of all channels of all pixels, 0 to 255.
pub(crate) fn brightness(picture: ArrayView3<u8>) -> f64 {
    picture.iter().map(|&value| f64::from(value)).sum::<f64>() / picture.len().max(1) as f64
}

/// The smallest rectangle around all places that satisfy the condition.
fn extent(height: usize, width: usize, inside: impl Fn(usize, usize) -> bool) -> Option<Rectangle> {
    let mut found: Option<Rectangle> = None;
    for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))).filter(|&(y, x)| inside(y, x)) {
        let rectangle = found.get_or_insert(Rectangle { left: x, top: y, right: x + 1, bottom: y + 1 });
        rectangle.left = rectangle.left.min(x);
        rectangle.right = rectangle.right.max(x + 1);
        rectangle.bottom = y + 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, Array2, Array3};

    use super::*;

    #[test]
    fn red_is_found_where_it_is() {
        let mut picture = Array3::from_elem((8, 10, 3), 200);
        assert_eq!(red_thing(picture.view()), None);
        for (y, x) in [(2, 3), (4, 7)] {
            picture[[y, x, 1]] = 20;
            picture[[y, x, 2]] = 20;
        }
        assert_eq!(red_thing(picture.view()), Some(Rectangle { left: 3, top: 2, right: 8, bottom: 5 }));
    }

    #[test]
    fn dense_is_found_where_it_is() {
        let mut slice = Array2::from_elem((4, 4), 40.0);
        assert_eq!(dense_thing(slice.view()), None);
        slice[[3, 1]] = 300.0;
        assert_eq!(dense_thing(slice.view()), Some(Rectangle { left: 1, top: 3, right: 2, bottom: 4 }));
    }

    #[test]
    fn loud_parts_are_given_in_milliseconds() {
        let mut samples = Array1::zeros(3000);
        assert_eq!(loud_part(samples.view(), 1000), None);
        samples[1000] = 0.9;
        samples[1999] = -0.9;
        assert_eq!(loud_part(samples.view(), 1000), Some((1000, 1999)));
    }

    #[test]
    fn words_are_counted_in_characters() {
        assert_eq!(word("über den pathway", "pathway"), Some((9, 16)));
        assert_eq!(word("nothing", "pathway"), None);
    }
}
