//! What a sandbox starts with: users, ontologies, workflow templates, datasets
//! with their files, projects and labels.

mod datasets;
mod model;
mod plant;
mod templates;

use std::fs;
use std::path::{Path, PathBuf};

pub(crate) use self::model::{
    DatasetSeed, ItemSeed, LabelSeed, OntologySeed, PathwaySeed, ProjectSeed, SeedFile, StageSeed,
    TemplateSeed,
};
pub(crate) use self::plant::plant;
use crate::error::Error;

/// The initial state of a sandbox, read from JSON or made with
/// [`Sandbox::builder`](crate::Sandbox::builder).
///
/// The format is described in the [crate documentation](crate#seeds).
///
/// ```
/// let seed = encord_sandbox::Seed::from_json(
///     br#"{"datasets": [{"title": "d", "items": [{"generate": "image", "count": 3, "width": 8, "height": 8}]}]}"#,
///     ".",
/// )?;
/// # Ok::<(), encord_sandbox::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Seed {
    pub(crate) file: SeedFile,
    /// What relative paths are relative to.
    pub(crate) base: PathBuf,
}

impl Seed {
    /// Reads a seed file; paths in it are relative to it.
    ///
    /// # Errors
    /// When the file cannot be read or is not a seed; the error names the JSON path.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let text = fs::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
        Self::from_json(&text, path.parent().unwrap_or(Path::new(".")))
    }

    /// Reads a seed from JSON; `base` is what paths in it are relative to.
    ///
    /// # Errors
    /// When it is not a seed; the error names the JSON path.
    pub fn from_json(json: &[u8], base: impl Into<PathBuf>) -> Result<Self, Error> {
        let value: serde_json::Value = serde_json::from_slice(json).map_err(Error::SeedSyntax)?;
        let file = serde_path_to_error::deserialize(value).map_err(|error| {
            let path = error.path().to_string();
            let path = if path == "." { "$".to_owned() } else { format!("$.{path}") };
            Error::seed(path, error.into_inner().to_string())
        })?;
        Ok(Self { file, base: base.into() })
    }
}
