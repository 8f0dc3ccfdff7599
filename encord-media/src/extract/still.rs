//! Single pictures and groups of pictures.

use std::ops::Deref;

use encord_runner::{Asset, FromTask, Needs, StorageItem, TaskContext};

use super::{Rejection, blocking, expect_type, source};
use crate::RgbArray;
use crate::error::{Error, Result};
use crate::source::Source;

/// The first picture of the task's data, `[height, width, 3]` RGB: the image itself, the first frame of a video
/// or image sequence, the first image of a group, the first frame of a DICOM file.
///
/// Needs the storage item and its file. An image needs the feature `image`, DICOM `dicom`, a video one of the
/// video backends.
///
/// ```
/// use encord_media::extract::SingleFrame;
///
/// async fn agent(frame: SingleFrame) -> &'static str {
///     let (height, width, _) = frame.dim();
///     if height > width { "portrait" } else { "landscape" }
/// }
/// # let runner = encord_runner::Runner::new().stage("Agent 1", agent);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SingleFrame(pub RgbArray);

impl Deref for SingleFrame {
    type Target = RgbArray;

    fn deref(&self) -> &RgbArray {
        &self.0
    }
}

impl<S: Sync> FromTask<S> for SingleFrame {
    const NEEDS: Needs = Needs::ASSET;
    type Rejection = Rejection;

    async fn from_task(ctx: &TaskContext, _state: &S) -> Result<Self, Rejection> {
        const TYPES: &[&str] = &["image", "video", "imageSequence", "imageGroup", "dicomFile", "dicomSeries"];
        let found = expect_type(
            ctx,
            "SingleFrame",
            TYPES,
            "images, videos, image sequences, image groups and DICOM",
        )?;
        let asset = match found.as_str() {
            "imageGroup" | "dicomSeries" => {
                let children = ctx.child_items().await?;
                let Some(first) = children.first() else {
                    return Err(Error::OutOfRange {
                        what: ctx.storage_item()?.name.clone(),
                        wanted: "first picture".into(),
                        available: "no files".into(),
                    }
                    .into());
                };
                ctx.child_asset(first).await?
            }
            _ => ctx.asset().await?,
        };
        let source = source(&asset);
        blocking(move || match found.as_str() {
            "video" | "imageSequence" => video_frame(&source),
            "dicomFile" | "dicomSeries" => dicom_frame(source),
            _ => image(source),
        })
        .await
        .map(Self)
    }
}

/// The images of an image group, in order. All are downloaded before the agent is called, each is decoded when it is
/// asked for, so memory holds one picture however large the group is.
///
/// Needs the storage item; it lists the images of the group.
///
/// ```
/// use encord_media::extract::{ImageGroup, Rejection};
///
/// async fn agent(group: ImageGroup) -> Result<&'static str, Rejection> {
///     for index in 0..group.len() {
///         let pixels = group.image(index).await?;
///         assert_eq!(pixels.dim().2, 3);
///     }
///     Ok("complete")
/// }
/// # let runner = encord_runner::Runner::new().stage("Agent 1", agent);
/// ```
#[derive(Clone)]
pub struct ImageGroup {
    assets: Vec<Asset>,
}

impl ImageGroup {
    /// How many images there are.
    pub fn len(&self) -> usize {
        self.assets.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.assets.is_empty()
    }

    /// The storage items of the images, in order.
    pub fn items(&self) -> impl ExactSizeIterator<Item = &StorageItem> {
        self.assets.iter().map(Asset::item)
    }

    /// One image, counted from zero.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] if there is no such image, and the errors of decoding.
    pub async fn image(&self, index: usize) -> Result<RgbArray, Rejection> {
        let Some(asset) = self.assets.get(index) else {
            return Err(Error::OutOfRange {
                what: "the image group".into(),
                wanted: format!("image {index}"),
                available: format!("{} images, numbered from 0", self.len()),
            }
            .into());
        };
        let source = source(asset);
        blocking(move || image(source)).await
    }
}

impl std::fmt::Debug for ImageGroup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ImageGroup").field("len", &self.len()).finish()
    }
}

impl<S: Sync> FromTask<S> for ImageGroup {
    const NEEDS: Needs = Needs::STORAGE_ITEM;
    type Rejection = Rejection;

    async fn from_task(ctx: &TaskContext, _state: &S) -> Result<Self, Rejection> {
        expect_type(ctx, "ImageGroup", &["imageGroup"], "image groups")?;
        let mut assets = Vec::new();
        for item in ctx.child_items().await?.iter() {
            assets.push(ctx.child_asset(item).await?);
        }
        Ok(Self { assets })
    }
}

#[cfg(feature = "image")]
fn image(source: Source) -> Result<RgbArray> {
    crate::image::decode(source, &crate::Limits::default())
}

#[cfg(not(feature = "image"))]
fn image(source: Source) -> Result<RgbArray> {
    Err(Error::MissingFeature { what: format!("decoding the image {source}"), feature: "image" })
}

#[cfg(feature = "dicom")]
fn dicom_frame(source: Source) -> Result<RgbArray> {
    crate::dicom::DicomFile::open(source, &crate::Limits::default())?.rgb(0)
}

#[cfg(not(feature = "dicom"))]
fn dicom_frame(source: Source) -> Result<RgbArray> {
    Err(Error::MissingFeature { what: format!("decoding the DICOM file {source}"), feature: "dicom" })
}

fn video_frame(source: &Source) -> Result<RgbArray> {
    Ok(super::video::open(source)?.frame(0)?.pixels)
}
