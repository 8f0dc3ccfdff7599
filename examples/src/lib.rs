//! What the example programs share: sample media made on the spot, so that every example can be tried
//! without anybody's data.
//!
//! The examples themselves are in `src/bin`, one file each.

pub mod samples;
