//! The maps of answers, which also hold the objects that are ranges of a file.

use serde_json::{Map, Value};

use super::frames::write_details;
use crate::error::Result;
use crate::json::Emitter;
use crate::row::answer::{AnswerEntry, write_unless};
use crate::row::classification::{ClassificationInstance, ClassifiedSpace};
use crate::row::content::Content;
use crate::row::html::HtmlRange;
use crate::row::object::{Extent, ObjectInstance};
use crate::shape::ShapeKind;

pub(super) fn write_answers(content: &Content, out: &mut Emitter<'_>) -> Result<()> {
    out.key("object_answers").object(|out| {
        for object in content.objects.values() {
            let says_something =
                object.always_answered || !object.answers.is_empty() || object.number.is_some();
            if says_something && object.is_somewhere() {
                out.text_key(object.hash.as_str());
                write_object(object, out)?;
            }
        }
        write_orphans(&content.orphan_object_answers, out);
        Ok(())
    })?;
    out.key("classification_answers").object(|out| {
        for classification in content.classifications.values() {
            out.text_key(classification.hash.as_str());
            write_classification(classification, out)?;
        }
        write_orphans(&content.orphan_classification_answers, out);
        Ok(())
    })?;
    out.key("object_actions").object(|out| {
        for object in content.objects.values() {
            let says_something = !object.dynamic.is_empty() || !object.action_extra.is_empty();
            if says_something && object.is_somewhere() {
                out.text_key(object.hash.as_str());
                write_actions(object, out)?;
            }
        }
        write_orphans(&content.orphan_object_actions, out);
        Ok(())
    })
}

fn write_orphans(orphans: &Map<String, Value>, out: &mut Emitter<'_>) {
    for (key, value) in orphans {
        out.text_key(key).value(value);
    }
}

fn write_list(answers: &[AnswerEntry], out: &mut Emitter<'_>) -> Result<()> {
    out.key("classifications").array(|out| answers.iter().try_for_each(|answer| answer.write(out.item())))
}

fn write_object(object: &ObjectInstance, out: &mut Emitter<'_>) -> Result<()> {
    let details = &object.details;
    out.object(|out| {
        write_list(&object.answers, out)?;
        out.key("objectHash").string(object.hash.as_str());
        if let Some(number) = object.number {
            out.key("objectNumber").whole(number);
        }
        let class = &object.class;
        if class.shape().is_range() {
            write_details(details, true, out);
            write_identity(object, out);
            match &object.root {
                Extent::Html { ranges, .. } => {
                    HtmlRange::write_list(ranges, out.key("range_html"))?;
                    if details.extra.get("range").is_none() {
                        out.key("range").array(|_| Ok(()))?;
                    }
                }
                Extent::Ranges { ranges, .. } => ranges.write(out.key("range"))?,
                Extent::Frames(_) => out.key("range").array(|_| Ok(()))?,
            }
        } else {
            write_details(details, false, out);
            if class.shape() == ShapeKind::Segmentation && details.extra.get("range").is_none() {
                write_identity(object, out);
                out.key("range").array(|_| Ok(()))?;
            }
        }
        if needs_spaces(object) {
            write_spaces(object, out)?;
        }
        details.extra.write(out);
        Ok(())
    })
}

fn write_identity(object: &ObjectInstance, out: &mut Emitter<'_>) {
    let (class, extra) = (&object.class, &object.details.extra);
    write_unless(extra, out, "featureHash", class.feature_hash().as_str());
    write_unless(extra, out, "name", class.name());
    write_unless(extra, out, "color", class.color());
    write_unless(extra, out, "shape", class.shape().as_str());
    write_unless(extra, out, "value", class.value());
}

fn needs_spaces(object: &ObjectInstance) -> bool {
    let ranged = object.class.shape().is_range() || object.class.shape() == ShapeKind::Segmentation;
    ranged && !object.spaces.is_empty() && object.details.extra.get("spaces").is_none()
}

fn write_spaces(object: &ObjectInstance, out: &mut Emitter<'_>) -> Result<()> {
    out.key("spaces").object(|out| {
        object.spaces.iter().try_for_each(|(id, extent)| {
            out.text_key(id.as_str()).object(|out| {
                let (kind, extra) = match extent {
                    Extent::Html { ranges, extra } => {
                        HtmlRange::write_pairs(ranges, out.key("range"))?;
                        ("html", Some(extra))
                    }
                    Extent::Ranges { ranges, extra } => {
                        ranges.write(out.key("range"))?;
                        ("frame", Some(extra))
                    }
                    Extent::Frames(_) => {
                        out.key("range").array(|_| Ok(()))?;
                        ("frame", None)
                    }
                };
                out.key("type").string(kind);
                extra
                    .iter()
                    .flat_map(|extra| extra.iter())
                    .for_each(|(key, value)| out.text_key(key).value(value));
                Ok(())
            })
        })
    })
}

fn write_actions(object: &ObjectInstance, out: &mut Emitter<'_>) -> Result<()> {
    out.object(|out| {
        out.key("actions")
            .array(|out| object.dynamic.iter().try_for_each(|action| action.write(out.item())))?;
        out.key("objectHash").string(object.hash.as_str());
        object.action_extra.write(out);
        Ok(())
    })
}

fn write_classification(classification: &ClassificationInstance, out: &mut Emitter<'_>) -> Result<()> {
    out.object(|out| {
        write_list(&classification.answers, out)?;
        out.key("classificationHash").string(classification.hash.as_str());
        out.key("featureHash").string(classification.class.feature_hash().as_str());
        out.key("spaces").object(|out| {
            classification.spaces.iter().try_for_each(|space| write_classified_space(space, out))
        })?;
        classification.ranges.write(out.key("range"))?;
        write_details(&classification.details, true, out);
        classification.details.extra.write(out);
        Ok(())
    })
}

fn write_classified_space(space: &ClassifiedSpace, out: &mut Emitter<'_>) -> Result<()> {
    out.text_key(space.id.as_str()).object(|out| {
        if space.extra.get("range").is_none() {
            space.ranges.write(out.key("range"))?;
        }
        out.key("type").string(if space.html { "html" } else { "frame" });
        space.extra.write(out);
        Ok(())
    })
}
