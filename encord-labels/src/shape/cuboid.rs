//! Boxes in three dimensions.

use super::check_finite;
use crate::error::{Error, Result};
use crate::json::{Cursor, Emitter, Reading};

/// A box in space.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cuboid {
    /// Centre, in the units of the scene.
    pub position: [f64; 3],
    /// Euler angles in radians, applied about X, Y and Z.
    pub orientation: [f64; 3],
    /// Extent along each axis.
    pub size: [f64; 3],
}

impl Cuboid {
    /// A box from its centre, orientation and size.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] for numbers that are not finite or a negative size.
    pub fn new(position: [f64; 3], orientation: [f64; 3], size: [f64; 3]) -> Result<Self> {
        let cuboid = Self { position, orientation, size };
        cuboid.check()?;
        match size.into_iter().find(|side| *side < 0.0) {
            None => Ok(cuboid),
            Some(side) => Err(Error::invalid(format!("size has {side}, but must not be negative"))),
        }
    }

    pub(crate) fn check(&self) -> Result<()> {
        let parts = [("position", self.position), ("orientation", self.orientation), ("size", self.size)];
        check_finite(parts.into_iter().flat_map(|(name, numbers)| numbers.map(|number| (name, number))))
    }

    pub(crate) fn read(cursor: &mut Cursor<'_>, reading: &mut Reading) -> Result<Self> {
        let (mut position, mut orientation, mut size) = (None, None, None);
        cursor.object(|cursor, key| {
            match &*key {
                "position" => position = Some(read_triple(cursor)?),
                "orientation" => orientation = Some(read_triple(cursor)?),
                "size" => size = Some(read_triple(cursor)?),
                _ => {
                    reading.found_oddity();
                    cursor.skip()?;
                }
            }
            Ok(())
        })?;
        Ok(Self {
            position: position.ok_or_else(|| Error::missing("position"))?,
            orientation: orientation.ok_or_else(|| Error::missing("orientation"))?,
            size: size.ok_or_else(|| Error::missing("size"))?,
        })
    }

    pub(crate) fn write(&self, out: &mut Emitter<'_>) -> Result<()> {
        out.key("cuboid").object(|out| {
            for (key, numbers) in
                [("position", self.position), ("orientation", self.orientation), ("size", self.size)]
            {
                out.key(key).array(|out| {
                    numbers.into_iter().for_each(|number| out.item().number(number));
                    Ok(())
                })?;
            }
            Ok(())
        })
    }
}

fn read_triple(cursor: &mut Cursor<'_>) -> Result<[f64; 3]> {
    let mut numbers = Vec::with_capacity(3);
    cursor.array(|cursor, _| {
        numbers.push(cursor.number()?);
        Ok(())
    })?;
    let count = numbers.len();
    numbers.try_into().map_err(|_| Error::invalid(format!("expected 3 numbers, found {count}")))
}
