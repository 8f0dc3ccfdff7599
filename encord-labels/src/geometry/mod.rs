//! What shapes mean on a real image: area, extent, overlap, crops and pixels.
//!
//! Labels hold fractions; turning, circles and distances only make sense once the size of the image is known.
//! [`Shape::on_image`] takes that size and gives a [`Region`] in pixels, which answers the questions agents ask.
//! The coordinates of a region run from (0, 0), the top left corner of the first pixel, to (width, height);
//! the pixel in row `r` and column `c` has its centre at (c + 0.5, r + 0.5).

mod outline;
mod raster;
mod region;
mod trace;

pub use region::{PixelBox, Rectangle, Region};
pub use trace::trace;

#[cfg(feature = "coco")]
pub(crate) use outline::Scale;

use crate::error::{Error, Result};
use crate::shape::Shape;

impl Shape {
    /// This shape on an image of `width` × `height` pixels.
    ///
    /// ```
    /// use encord_labels::shape::{BoundingBox, Shape};
    /// let shape = Shape::from(BoundingBox::new(0.25, 0.5, 0.5, 0.25)?);
    /// let region = shape.on_image(200, 100)?;
    /// assert_eq!(region.area(), 2500.0);
    /// let crop = region.crop().unwrap();
    /// assert_eq!((crop.rows, crop.columns), (50..75, 50..150));
    /// # Ok::<(), encord_labels::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidValue`] for an image without pixels, for a mask of another size, for coordinates more than
    /// 10⁹ pixels away, and for shapes that do not lie on an image: cuboids, segmentations, points and lines in space.
    pub fn on_image(&self, width: u32, height: u32) -> Result<Region> {
        if width == 0 || height == 0 {
            return Err(Error::invalid(format!("an image of {width} x {height} pixels has no geometry")));
        }
        Region::new(self, width, height)
    }
}
