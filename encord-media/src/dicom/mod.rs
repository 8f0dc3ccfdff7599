//! DICOM files and series as arrays.
//!
//! [`DicomTags`] reads what a file says about itself and leaves the pixels alone. [`DicomFile`] decodes them: as
//! stored, rescaled (Hounsfield units of a CT), through a window to eight bits, or as RGB. [`DicomSeries`] puts
//! files in the order they lie in the patient.
//!
//! Decoded transfer syntaxes: implicit and explicit little endian, explicit big endian, deflated, RLE, JPEG (baseline
//! and lossless) and JPEG 2000. JPEG-LS has decoders in C++ only and is [`Error::Unsupported`](crate::Error).

#[cfg(feature = "dicom")]
mod codestream;
mod guard;
#[cfg(feature = "dicom")]
mod pixels;
#[cfg(feature = "dicom")]
mod series;
mod tags;

#[cfg(feature = "dicom")]
pub use pixels::DicomFile;
#[cfg(feature = "dicom")]
pub use series::DicomSeries;
pub use tags::{DicomTags, Window};
