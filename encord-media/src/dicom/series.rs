//! Several DICOM files that make one volume.

use ndarray::{Array3, Axis, s};

use super::pixels::DicomFile;
use super::tags::{DicomTags, Window};
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::source::Source;

/// The files of a series, in the order they lie in the patient.
///
/// They are ordered by position along the normal of the first slice; if a file has no position, by instance
/// number; if one has neither, as they were given. Holds tags only, pixels are decoded slice by slice.
#[derive(Debug, Clone)]
pub struct DicomSeries {
    slices: Vec<(Source, DicomTags)>,
    limits: Limits,
}

impl DicomSeries {
    /// Reads the tags of all files.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] if there are no files, and as [`DicomTags::read`].
    pub fn open(sources: impl IntoIterator<Item = impl Into<Source>>, limits: &Limits) -> Result<Self> {
        let mut slices = Vec::new();
        for source in sources {
            let source = source.into();
            limits.check_frames(&source.to_string(), slices.len() as u64 + 1)?;
            let tags = DicomTags::read(&source, limits)?;
            slices.push((source, tags));
        }
        if slices.is_empty() {
            return Err(Error::InvalidArgument {
                argument: "sources",
                reason: "a series has at least one file".into(),
            });
        }
        if slices.iter().all(|(_, tags)| tags.depth().is_some()) {
            slices.sort_by(|(_, left), (_, right)| {
                left.depth().partial_cmp(&right.depth()).unwrap_or(std::cmp::Ordering::Equal)
            });
        } else if slices.iter().all(|(_, tags)| tags.instance_number.is_some()) {
            slices.sort_by_key(|(_, tags)| tags.instance_number);
        }
        Ok(Self { slices, limits: *limits })
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.slices.len()
    }

    /// Never true: a series has at least one file.
    pub fn is_empty(&self) -> bool {
        self.slices.is_empty()
    }

    /// The tags of every file, in order.
    pub fn tags(&self) -> impl ExactSizeIterator<Item = &DicomTags> {
        self.slices.iter().map(|(_, tags)| tags)
    }

    /// The SOP instance uids in order, by which label rows name the slices.
    pub fn uids(&self) -> Vec<Option<&str>> {
        self.tags().map(|tags| tags.sop_instance_uid.as_deref()).collect()
    }

    /// One file with its pixels, counted from zero in order.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] if there is no such file, and as [`DicomFile::open`].
    pub fn file(&self, index: usize) -> Result<DicomFile> {
        let Some((source, _)) = self.slices.get(index) else {
            return Err(Error::OutOfRange {
                what: "the series".into(),
                wanted: format!("slice {index}"),
                available: format!("{} slices, numbered from 0", self.len()),
            });
        };
        DicomFile::open(source, &self.limits)
    }

    /// Values as stored, `[slices, rows, columns]`; a file of several frames adds as many slices.
    ///
    /// # Errors
    ///
    /// [`Error::Decode`] if files differ in size, [`Error::Limit`] if the volume is too large, and as
    /// [`DicomFile::raw`].
    pub fn raw(&self) -> Result<Array3<i32>> {
        self.stack(4, DicomFile::raw)
    }

    /// Values in the unit of the modality, `[slices, rows, columns]`.
    ///
    /// # Errors
    ///
    /// As [`DicomSeries::raw`].
    pub fn rescaled(&self) -> Result<Array3<f32>> {
        self.stack(4, DicomFile::rescaled)
    }

    /// Eight bits through a window, `[slices, rows, columns]`.
    ///
    /// Without a window each file uses the one it suggests.
    ///
    /// # Errors
    ///
    /// As [`DicomSeries::raw`] and [`DicomFile::windowed`].
    pub fn windowed(&self, window: Option<Window>) -> Result<Array3<u8>> {
        self.stack(1, |file| file.windowed(window))
    }

    fn stack<T: Clone + Default>(
        &self,
        bytes: u64,
        decode: impl Fn(&DicomFile) -> Result<Array3<T>>,
    ) -> Result<Array3<T>> {
        let (first, shape) = match self.slices.first() {
            Some((source, tags)) => (source, (tags.rows, tags.columns)),
            None => return Ok(Array3::default((0, 0, 0))),
        };
        if let Some((source, _)) = self.slices.iter().find(|(_, tags)| (tags.rows, tags.columns) != shape) {
            return Err(source.broken(
                "DICOM",
                format_args!("its size differs from that of {first}, they make no volume"),
            ));
        }
        let (rows, columns) = (shape.0.unwrap_or(0) as usize, shape.1.unwrap_or(0) as usize);
        let count = self.tags().map(|tags| u64::from(tags.number_of_frames)).fold(0, u64::saturating_add);
        let size = count.saturating_mul(rows as u64).saturating_mul(columns as u64);
        self.limits.check_frames("the series", count)?;
        self.limits.check_decoded("the series", size.saturating_mul(bytes))?;
        let mut volume = Array3::default((count as usize, rows, columns));
        let mut place = 0;
        for index in 0..self.len() {
            let values = decode(&self.file(index)?)?;
            let frames = values.len_of(Axis(0));
            if values.dim() != (frames, rows, columns) || place + frames > count as usize {
                return Err(self.slices[index]
                    .0
                    .broken("DICOM", "its pixels have another size than its tags say"));
            }
            volume.slice_mut(s![place..place + frames, .., ..]).assign(&values);
            place += frames;
        }
        Ok(volume)
    }
}
