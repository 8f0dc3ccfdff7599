//! Data units: the files a row consists of, and what their `labels` hold beside the objects.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::error::Result;
use crate::extra::Extra;
use crate::json::Emitter;
use crate::range::Frame;

/// One file of a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DataUnit {
    /// Everything but `labels`, in order.
    pub(crate) facts: Map<String, Value>,
    /// Position among the units; in image groups also the frame.
    pub(crate) sequence: Frame,
    pub(crate) labels: Labels,
}

/// What `labels` of a unit or space hold beside the objects.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Labels {
    /// Labels this version does not model, written back as they came. Then nothing else is written.
    pub(crate) opaque: Option<Value>,
    /// Keys of a frame other than its objects and classifications.
    pub(crate) frames: BTreeMap<Frame, Extra>,
    /// Keys that are no frames.
    pub(crate) other: Extra,
    /// Classifications that older documents repeat on every frame.
    pub(crate) legacy: BTreeMap<Frame, Vec<Value>>,
}

impl DataUnit {
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.facts.get(key).and_then(Value::as_str)
    }

    pub(crate) fn data_hash(&self) -> &str {
        self.text("data_hash").unwrap_or_default()
    }

    pub(crate) fn size(&self) -> Option<(u64, u64)> {
        size_of(&self.facts)
    }
}

/// Height and width among the facts of a file.
pub(crate) fn size_of(facts: &Map<String, Value>) -> Option<(u64, u64)> {
    let side =
        |key| facts.get(key).and_then(Value::as_f64).filter(|side| *side >= 1.0).map(|side| side as u64);
    Some((side("height")?, side("width")?))
}

impl Labels {
    /// Frames that have something to write beside objects.
    pub(crate) fn frames(&self) -> impl Iterator<Item = Frame> + '_ {
        self.frames.keys().chain(self.legacy.keys()).copied()
    }

    /// Writes what a frame holds beside its objects.
    pub(crate) fn write_frame_rest(&self, frame: Frame, out: &mut Emitter<'_>) -> Result<()> {
        out.key("classifications").array(|out| {
            for entry in self.legacy.get(&frame).into_iter().flatten() {
                out.item().value(entry);
            }
            Ok(())
        })?;
        if let Some(extra) = self.frames.get(&frame) {
            extra.write(out);
        }
        Ok(())
    }

    /// Forgets repeated entries of classifications, by hash and frame.
    pub(crate) fn forget_legacy(&mut self, gone: impl Fn(&str, Frame) -> bool) {
        for (frame, entries) in &mut self.legacy {
            entries.retain(|entry| {
                let hash = entry.get("classificationHash").and_then(Value::as_str);
                hash.is_none_or(|hash| !gone(hash, *frame))
            });
        }
        self.legacy.retain(|_, entries| !entries.is_empty());
    }
}
