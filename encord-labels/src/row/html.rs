//! Ranges of an HTML file.

use crate::error::{Error, Result};
use crate::extra::Extra;
use crate::json::{Cursor, Emitter};

/// From one place of an HTML file to another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HtmlRange {
    /// Where it starts.
    pub start: HtmlPosition,
    /// Where it ends.
    pub end: HtmlPosition,
    extra: Extra,
}

/// A place in an HTML file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HtmlPosition {
    /// The text node, as an XPath.
    pub xpath: String,
    /// Characters into the node.
    pub offset: u64,
    extra: Extra,
}

impl HtmlRange {
    /// A range between two places.
    pub fn new(start: HtmlPosition, end: HtmlPosition) -> Self {
        Self { start, end, extra: Extra::default() }
    }

    /// Reads a list of `{"start":…, "end":…}`.
    pub(crate) fn read_list(cursor: &mut Cursor<'_>) -> Result<Vec<Self>> {
        let mut ranges = Vec::new();
        cursor.array(|cursor, _| {
            let (mut start, mut end) = (None, None);
            let mut extra = Extra::default();
            cursor.object(|cursor, key| {
                match &*key {
                    "start" => start = Some(HtmlPosition::read(cursor)?),
                    "end" => end = Some(HtmlPosition::read(cursor)?),
                    _ => extra.insert(key, cursor.value()?),
                }
                Ok(())
            })?;
            let start = start.ok_or_else(|| Error::missing("start"))?;
            let end = end.ok_or_else(|| Error::missing("end"))?;
            ranges.push(Self { start, end, extra });
            Ok(())
        })?;
        Ok(ranges)
    }

    /// Reads a list of `[start, end]`, the form inside spaces.
    pub(crate) fn read_pairs(cursor: &mut Cursor<'_>) -> Result<Vec<Self>> {
        let mut ranges = Vec::new();
        cursor.array(|cursor, _| {
            let mut ends = Vec::with_capacity(2);
            cursor.array(|cursor, _| {
                ends.push(HtmlPosition::read(cursor)?);
                Ok(())
            })?;
            let count = ends.len();
            let [start, end] = <[HtmlPosition; 2]>::try_from(ends)
                .map_err(|_| Error::invalid(format!("a range needs 2 places, found {count}")))?;
            ranges.push(Self::new(start, end));
            Ok(())
        })?;
        Ok(ranges)
    }

    pub(crate) fn write_list(ranges: &[Self], out: &mut Emitter<'_>) -> Result<()> {
        out.array(|out| {
            ranges.iter().try_for_each(|range| {
                out.item().object(|out| {
                    range.start.write(out.key("start"))?;
                    range.end.write(out.key("end"))?;
                    range.extra.write(out);
                    Ok(())
                })
            })
        })
    }

    pub(crate) fn write_pairs(ranges: &[Self], out: &mut Emitter<'_>) -> Result<()> {
        out.array(|out| {
            ranges.iter().try_for_each(|range| {
                out.item().array(|out| {
                    range.start.write(out.item())?;
                    range.end.write(out.item())
                })
            })
        })
    }
}

impl HtmlPosition {
    /// A place in a text node.
    pub fn new(xpath: impl Into<String>, offset: u64) -> Self {
        Self { xpath: xpath.into(), offset, extra: Extra::default() }
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self> {
        let (mut xpath, mut offset) = (None, None);
        let mut extra = Extra::default();
        cursor.object(|cursor, key| {
            match &*key {
                "xpath" => xpath = Some(cursor.string()?.into_owned()),
                "offset" => offset = Some(cursor.whole()?),
                _ => extra.insert(key, cursor.value()?),
            }
            Ok(())
        })?;
        Ok(Self {
            xpath: xpath.ok_or_else(|| Error::missing("xpath"))?,
            offset: offset.ok_or_else(|| Error::missing("offset"))?,
            extra,
        })
    }

    fn write(&self, out: &mut Emitter<'_>) -> Result<()> {
        out.object(|out| {
            out.key("xpath").string(&self.xpath);
            out.key("offset").whole(self.offset);
            self.extra.write(out);
            Ok(())
        })
    }
}
