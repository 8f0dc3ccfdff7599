//! Another sample rate.

use ndarray::Array2;
use rubato::audioadapter_buffers::direct::SequentialSliceOfVecs;
use rubato::{Fft, FixedSync, Resampler};

use super::Samples;
use crate::error::{Error, Result};

/// The longest rate anything records at, in samples per second.
const HIGHEST_RATE: u32 = 1_536_000;

impl Samples {
    /// The same sound at another sample rate, as long in seconds as it was.
    ///
    /// Needs the feature `resample`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] for a rate of zero or beyond all recorders.
    pub fn resampled(&self, sample_rate: u32) -> Result<Samples> {
        if sample_rate == 0 || sample_rate > HIGHEST_RATE {
            return Err(Error::InvalidArgument {
                argument: "sample_rate",
                reason: format!("{sample_rate} is not between 1 and {HIGHEST_RATE}"),
            });
        }
        let (channels, length) = self.data.dim();
        if sample_rate == self.sample_rate || length == 0 || channels == 0 {
            return Ok(Samples { sample_rate, ..self.clone() });
        }
        let scale = f64::from(sample_rate) / f64::from(self.sample_rate);
        let start = (self.start as f64 * scale).round() as u64;
        let failed = |reason: String| Error::Decode { what: "samples".into(), format: "audio", reason };
        let mut resampler =
            Fft::<f32>::new(self.sample_rate as usize, sample_rate as usize, 1024, channels, FixedSync::Both)
                .map_err(|error| failed(error.to_string()))?;
        let planes: Vec<Vec<f32>> = self.data.outer_iter().map(|channel| channel.to_vec()).collect();
        let input = SequentialSliceOfVecs::new(&planes, channels, length)
            .map_err(|error| failed(error.to_string()))?;
        let room = resampler.process_all_needed_output_len(length);
        let mut resampled = vec![vec![0.0; room]; channels];
        let written = {
            let mut output = SequentialSliceOfVecs::new_mut(&mut resampled, channels, room)
                .map_err(|error| failed(error.to_string()))?;
            let (_, written) = resampler
                .process_all_into_buffer(&input, &mut output, length, None)
                .map_err(|error| failed(error.to_string()))?;
            written
        };
        for channel in &mut resampled {
            channel.truncate(written);
        }
        let data = Array2::from_shape_vec((channels, written), resampled.concat())
            .map_err(|error| failed(error.to_string()))?;
        Ok(Samples { sample_rate, start, data })
    }
}
