//! DICOM series.

use encord_runner::{FromTask, Needs, TaskContext};

use super::{Rejection, blocking, expect_type, source};
use crate::dicom::DicomSeries;
use crate::limits::Limits;

/// The files of the task's DICOM series, or its one DICOM file, in the order they lie in the patient.
///
/// Needs the storage item and downloads every file of the series. Opening reads tags only; decode with
/// [`blocking`](encord_runner::blocking) agents or `spawn_blocking`.
impl<S: Sync> FromTask<S> for DicomSeries {
    const NEEDS: Needs = Needs::ASSET;
    type Rejection = Rejection;

    async fn from_task(ctx: &TaskContext, _state: &S) -> Result<Self, Rejection> {
        let found = expect_type(ctx, "DicomSeries", &["dicomSeries", "dicomFile"], "DICOM series and files")?;
        let mut sources = Vec::new();
        if found == "dicomFile" {
            sources.push(source(&ctx.asset().await?));
        } else {
            for item in ctx.child_items().await?.iter() {
                sources.push(source(&ctx.child_asset(item).await?));
            }
        }
        blocking(move || DicomSeries::open(sources, &Limits::default())).await
    }
}
