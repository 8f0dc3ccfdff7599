//! Bitmasks: which pixels of a frame belong to an object.
//!
//! The platform sends a mask as a run-length string over row-major pixels. [`Bitmask`] keeps that string,
//! so reading and writing a row costs nothing per pixel, and works on runs wherever it can: area, bounding
//! box, overlap and look-ups never unfold the mask. Only the conversions to pixels do, and they refuse
//! masks above a stated limit before they allocate.

use std::ops::Range;

use super::rle::{self, Counts, Runs};
use crate::error::{Error, Result};

/// Largest mask, in pixels, that is unfolded unless a caller sets another limit: 2²⁸, about 16,000 × 16,000.
pub const MAX_MASK_PIXELS: u64 = 1 << 28;

/// A mask over a frame of `height` × `width` pixels.
///
/// Checked constructors ([`Bitmask::new`], [`Bitmask::from_pixels`]) guarantee that the string fits the size.
/// [`Bitmask::from_wire`] takes whatever the platform sent; ask [`Bitmask::validate`] before trusting it.
///
/// ```
/// use encord_labels::shape::Bitmask;
/// let pixels = [false, false, false, false, false, true, true, false, false, true, true, false];
/// let mask = Bitmask::from_pixels(&pixels, 3, 4)?;
/// assert_eq!(mask.rle(), "5220O");
/// assert_eq!(mask.area()?, 4);
/// assert_eq!(mask.bounding_box()?, Some((1..3, 1..3)));
/// # Ok::<(), encord_labels::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Bitmask {
    top: i64,
    left: i64,
    height: u32,
    width: u32,
    rle: String,
}

impl Bitmask {
    /// A mask from a row-major run-length string, checked against the size.
    ///
    /// A string that covers less than the mask is accepted; the rest is unset, as the platform reads it.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] if the string is malformed or covers more than the mask.
    pub fn new(height: u32, width: u32, rle: impl Into<String>) -> Result<Self> {
        let mask = Self { top: 0, left: 0, height, width, rle: rle.into() };
        mask.validate()?;
        Ok(mask)
    }

    /// A mask exactly as a label document spells it, with nothing checked.
    ///
    /// `top` and `left` are kept and written back; they have no influence on the pixels.
    pub fn from_wire(top: i64, left: i64, height: u32, width: u32, rle: impl Into<String>) -> Self {
        Self { top, left, height, width, rle: rle.into() }
    }

    /// Encodes row-major pixels.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] unless there is one value per pixel.
    pub fn from_pixels(pixels: &[bool], height: u32, width: u32) -> Result<Self> {
        let expected = u64::from(height) * u64::from(width);
        if pixels.len() as u64 != expected {
            return Err(Error::invalid(format!(
                "mask of {height} x {width} pixels needs {expected} values, got {}",
                pixels.len()
            )));
        }
        Ok(Self { top: 0, left: 0, height, width, rle: rle::encode_cells(pixels.iter().copied()) })
    }

    /// A mask without any pixel set.
    pub fn empty(height: u32, width: u32) -> Self {
        let area = u64::from(height) * u64::from(width);
        let rle = if area == 0 { String::new() } else { rle::encode_counts([area]) };
        Self { top: 0, left: 0, height, width, rle }
    }

    /// A mask from `(row, columns)` spans in row order, each span after the one before it.
    ///
    /// Spans are cut to the mask; whatever does not come after the previous span is joined with it.
    #[cfg(feature = "geometry")]
    pub(crate) fn from_spans(
        height: u32,
        width: u32,
        spans: impl IntoIterator<Item = (u32, Range<u32>)>,
    ) -> Self {
        let total = u64::from(height) * u64::from(width);
        let mut encoder = rle::Encoder::default();
        let mut open = 0..0u64;
        let mut written = 0u64;
        for (row, columns) in spans {
            let (from, to) = (columns.start.min(width), columns.end.min(width));
            if row >= height || from >= to {
                continue;
            }
            let base = u64::from(row) * u64::from(width);
            let (start, end) = (base + u64::from(from), base + u64::from(to));
            if start <= open.end && open.end > open.start {
                open.end = open.end.max(end);
                continue;
            }
            if open.end > open.start {
                encoder.push(open.start - written);
                encoder.push(open.end - open.start);
                written = open.end;
            }
            open = start..end;
        }
        if open.end > open.start {
            encoder.push(open.start - written);
            encoder.push(open.end - open.start);
            written = open.end;
        }
        if written < total {
            encoder.push(total - written);
        }
        Self { top: 0, left: 0, height, width, rle: encoder.finish() }
    }

    /// Row offset as sent; the platform always sends 0.
    pub fn top(&self) -> i64 {
        self.top
    }

    /// Column offset as sent; the platform always sends 0.
    pub fn left(&self) -> i64 {
        self.left
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Columns.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// The row-major run-length string.
    pub fn rle(&self) -> &str {
        &self.rle
    }

    /// Reads the whole string and checks that it is well formed and fits the size.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] if the string is malformed or covers more than the mask.
    pub fn validate(&self) -> Result<()> {
        self.runs().try_for_each(|run| run.map(|_| ()))
    }

    /// Number of pixels set.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] if the string is malformed or covers more than the mask.
    pub fn area(&self) -> Result<u64> {
        let mut area = 0;
        for run in self.runs() {
            let run = run?;
            area += run.end() - run.start() + 1;
        }
        Ok(area)
    }

    /// Rows and columns of the smallest box around the pixels set; `None` if none is.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] if the string is malformed or covers more than the mask.
    pub fn bounding_box(&self) -> Result<Option<(Range<u32>, Range<u32>)>> {
        let mut found: Option<(Range<u32>, Range<u32>)> = None;
        for span in self.spans() {
            let (row, columns) = span?;
            found = Some(match found {
                None => (row..row + 1, columns),
                Some((rows, across)) => {
                    (rows.start..row + 1, across.start.min(columns.start)..across.end.max(columns.end))
                }
            });
        }
        Ok(found)
    }

    /// Whether the pixel at `row`, `column` is set. Pixels outside the mask are not.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] if the string is malformed or covers more than the mask.
    pub fn contains(&self, row: u32, column: u32) -> Result<bool> {
        if row >= self.height || column >= self.width {
            return Ok(false);
        }
        let index = u64::from(row) * u64::from(self.width) + u64::from(column);
        for run in self.runs() {
            let run = run?;
            if *run.end() >= index {
                return Ok(*run.start() <= index);
            }
        }
        Ok(false)
    }

    /// Number of pixels set in both masks. Both must have one size.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] if the masks differ in size, and if a string is malformed or covers more than its mask.
    pub fn intersection_area(&self, other: &Self) -> Result<u64> {
        self.same_size(other)?;
        let (mut mine, mut theirs) = (self.runs(), other.runs());
        let (mut a, mut b) = (mine.next().transpose()?, theirs.next().transpose()?);
        let mut shared = 0;
        while let (Some(left), Some(right)) = (&a, &b) {
            let (start, end) = (*left.start().max(right.start()), *left.end().min(right.end()));
            if start <= end {
                shared += end - start + 1;
            }
            if left.end() < right.end() {
                a = mine.next().transpose()?;
            } else {
                b = theirs.next().transpose()?;
            }
        }
        Ok(shared)
    }

    /// Intersection over union, between 0 and 1. Two empty masks have 0.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] if the masks differ in size, and if a string is malformed or covers more than its mask.
    pub fn iou(&self, other: &Self) -> Result<f64> {
        let shared = self.intersection_area(other)?;
        let union = self.area()? + other.area()? - shared;
        Ok(if union == 0 { 0.0 } else { shared as f64 / union as f64 })
    }

    /// Whether both masks have one size and the same pixels, however their strings are spelled.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] if the string is malformed or covers more than the mask.
    pub fn same_pixels(&self, other: &Self) -> Result<bool> {
        if (self.height, self.width) != (other.height, other.width) {
            return Ok(false);
        }
        let shared = self.intersection_area(other)?;
        Ok(shared == self.area()? && shared == other.area()?)
    }

    /// All pixels, row by row. Masks above [`MAX_MASK_PIXELS`] are refused.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] if the string is malformed or covers more than the mask, and above the limit.
    pub fn to_pixels(&self) -> Result<Vec<bool>> {
        self.to_pixels_within(MAX_MASK_PIXELS)
    }

    /// As [`Bitmask::to_pixels`] with the caller's limit. Allocates one byte per pixel, and nothing
    /// before the size is known to be within the limit.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] if the string is malformed or covers more than the mask, and above the limit.
    pub fn to_pixels_within(&self, limit: u64) -> Result<Vec<bool>> {
        let pixels = self.pixel_count(limit)?;
        let mut out = vec![false; pixels];
        for run in self.runs() {
            let run = run?;
            // The runs are checked against the pixel count, which fits usize.
            out[*run.start() as usize..=*run.end() as usize].fill(true);
        }
        Ok(out)
    }

    /// The column-major run-length string COCO tools read, with the closing run written.
    ///
    /// ```
    /// use encord_labels::shape::Bitmask;
    /// let mask = Bitmask::new(100, 200, "c<6R6000eab0")?;
    /// assert_eq!(mask.to_coco_rle()?, "^93Q3000000000jdb0");
    /// assert_eq!(Bitmask::from_coco_rle(100, 200, "^93Q3000000000jdb0")?, mask);
    /// # Ok::<(), encord_labels::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidValue`] if the string is malformed or covers more than the mask, and above the limit.
    pub fn to_coco_rle(&self) -> Result<String> {
        let pixels = self.to_pixels()?;
        Ok(rle::encode_cells(transposed(&pixels, self.height as usize, self.width as usize)))
    }

    /// The column-major run counts of COCO's uncompressed form, starting with the unset pixels.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] if the string is malformed or covers more than the mask, and above the limit.
    pub fn to_coco_counts(&self) -> Result<Vec<u64>> {
        Counts::new(&self.to_coco_rle()?).collect()
    }

    /// A mask from COCO's compressed column-major string.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] if the runs are malformed or cover more than the mask, and above [`MAX_MASK_PIXELS`].
    pub fn from_coco_rle(height: u32, width: u32, counts: &str) -> Result<Self> {
        // Column-major over height × width is row-major over width × height.
        let pixels = Self::from_wire(0, 0, width, height, counts).to_pixels()?;
        let rle = rle::encode_cells(transposed(&pixels, width as usize, height as usize));
        Ok(Self { top: 0, left: 0, height, width, rle })
    }

    /// A mask from COCO's uncompressed column-major run counts.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] if the runs are malformed or cover more than the mask, and above [`MAX_MASK_PIXELS`].
    pub fn from_coco_counts(height: u32, width: u32, counts: &[u64]) -> Result<Self> {
        Self::from_coco_rle(height, width, &rle::encode_counts(counts.iter().copied()))
    }

    /// A mask from a two-dimensional array, rows first.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] for an array with a side beyond the range of `u32`.
    #[cfg(feature = "ndarray")]
    pub fn from_array(mask: ndarray::ArrayView2<'_, bool>) -> Result<Self> {
        let (rows, columns) = mask.dim();
        let side = |count: usize| {
            u32::try_from(count)
                .map_err(|_| Error::invalid(format!("a mask cannot have a side of {count} pixels")))
        };
        let (height, width) = (side(rows)?, side(columns)?);
        Ok(Self { top: 0, left: 0, height, width, rle: rle::encode_cells(mask.iter().copied()) })
    }

    /// The mask as an array of shape `[height, width]`. Masks above [`MAX_MASK_PIXELS`] are refused.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] if the string is malformed or covers more than the mask, and above the limit.
    #[cfg(feature = "ndarray")]
    pub fn to_array(&self) -> Result<ndarray::Array2<bool>> {
        let pixels = self.to_pixels()?;
        ndarray::Array2::from_shape_vec((self.height as usize, self.width as usize), pixels)
            .map_err(|error| Error::invalid(error.to_string()))
    }

    /// The pixels set as `(row, columns)`, in row order; a run over several rows is cut at the row ends.
    /// Where the string is malformed, an item is an [`Error::InvalidValue`].
    pub fn spans(&self) -> impl Iterator<Item = Result<(u32, Range<u32>)>> + '_ {
        let width = u64::from(self.width.max(1));
        self.runs().flat_map(move |run| {
            let (first, error) = match run {
                Ok(run) => (Some(run), None),
                Err(error) => (None, Some(Err(error))),
            };
            let rows = first.into_iter().flat_map(move |run| {
                (*run.start() / width..=*run.end() / width).map(move |row| {
                    let from = run.start().saturating_sub(row * width);
                    let to = (run.end() - row * width).min(width - 1) + 1;
                    // Rows and columns lie inside a mask whose sides are u32.
                    Ok((row as u32, from as u32..to as u32))
                })
            });
            rows.chain(error)
        })
    }

    fn runs(&self) -> Runs<'_> {
        Runs::new(&self.rle, self.cells())
    }

    fn cells(&self) -> u64 {
        u64::from(self.height) * u64::from(self.width)
    }

    fn pixel_count(&self, limit: u64) -> Result<usize> {
        match usize::try_from(self.cells()) {
            Ok(pixels) if self.cells() <= limit => Ok(pixels),
            _ => Err(Error::invalid(format!(
                "mask of {} x {} pixels is above the limit of {limit} pixels",
                self.height, self.width
            ))),
        }
    }

    fn same_size(&self, other: &Self) -> Result<()> {
        let (left, right) = ((self.height, self.width), (other.height, other.width));
        if left == right {
            Ok(())
        } else {
            Err(Error::invalid(format!("masks differ in size: {left:?} and {right:?} (height, width)")))
        }
    }
}

/// Walks a row-major grid column by column.
fn transposed(pixels: &[bool], rows: usize, columns: usize) -> impl Iterator<Item = bool> + '_ {
    (0..columns).flat_map(move |column| (0..rows).map(move |row| pixels[row * columns + column]))
}
