//! Saying who made something when, of objects and classifications that exist.
//!
//! A change is checked before it is made, so that no row ends up with details that cannot be written. Authors that
//! documents bring along may be anything; new ones are e-mail addresses, as the platform's own tools want it.

use super::annotation::Details;
use super::classification::ClassificationInstance;
use super::object::ObjectInstance;
use crate::error::{Error, Result};
use crate::id::SpaceId;
use crate::range::Frame;

macro_rules! own_details {
    ($owner:ty) => {
        impl $owner {
            /// Says who made it when, for objects that are ranges and for classifications. Authors are taken as they are.
            ///
            /// # Errors
            /// [`Error::InvalidValue`] for a confidence that is not finite; nothing changes then.
            pub fn set_details(&mut self, details: Details) -> Result<()> {
                details.check()?;
                self.details = details;
                Ok(())
            }

            /// Changes what is said about who made it when, for objects that are ranges and for classifications.
            ///
            /// # Errors
            /// [`Error::InvalidValue`] for a confidence that is not finite and for a new author that is no e-mail
            /// address; nothing changes then.
            pub fn change_details(&mut self, change: impl FnOnce(&mut Details)) -> Result<()> {
                self.details.change(change)
            }
        }
    };
}

own_details!(ObjectInstance);
own_details!(ClassificationInstance);

impl ObjectInstance {
    /// Changes what is said about who drew the object on a frame when.
    ///
    /// ```
    /// # use encord_labels::{ObjectInstance, ontology::{ObjectClass, Ontology}, shape::{BoundingBox, ShapeKind}};
    /// # let ontology = Ontology::new().with_object(ObjectClass::new("Car", ShapeKind::BoundingBox))?;
    /// let mut car = ObjectInstance::new(ontology.object("Car")?);
    /// car.set(3, BoundingBox::new(0.1, 0.1, 0.2, 0.2)?)?;
    /// car.change_details_on(3, |details| details.created_by = Some("annotator@example.com".into()))?;
    /// assert!(car.change_details_on(3, |details| details.confidence = Some(f64::NAN)).is_err());
    /// # Ok::<(), encord_labels::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NotFound`] for a frame it is not on; [`Error::InvalidValue`] as for
    /// [`ObjectInstance::change_details`]. Nothing changes then.
    pub fn change_details_on(&mut self, frame: Frame, change: impl FnOnce(&mut Details)) -> Result<()> {
        self.change_drawn(None, frame, change)
    }

    /// As [`ObjectInstance::change_details_on`], on a space.
    ///
    /// # Errors
    /// As [`ObjectInstance::change_details_on`].
    pub fn change_details_on_space(
        &mut self,
        space: &SpaceId,
        frame: Frame,
        change: impl FnOnce(&mut Details),
    ) -> Result<()> {
        self.change_drawn(Some(space), frame, change)
    }

    fn change_drawn(
        &mut self,
        space: Option<&SpaceId>,
        frame: Frame,
        change: impl FnOnce(&mut Details),
    ) -> Result<()> {
        let hash = self.hash.clone();
        let track = match self.extent(space).and_then(|extent| extent.track()) {
            Some(_) => self.extent_mut(space).track_mut(),
            None => None,
        };
        match track.and_then(|track| track.get_mut(frame)) {
            Some(annotation) => annotation.details.change(change),
            None => {
                Err(Error::not_found("object on the given frame with the hash", hash.as_str().to_owned(), []))
            }
        }
    }
}
