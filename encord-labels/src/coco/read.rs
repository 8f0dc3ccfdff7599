//! From the JSON of a COCO file to the model, with the place of everything that is wrong.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::model::{Annotation, Category, Dataset, Image, Rle, RleCounts, Segmentation};
use crate::error::{Error, Result};
use crate::json::{Cursor, Kind};

type Other = BTreeMap<String, Value>;

pub(super) fn dataset(json: &[u8]) -> Result<Dataset> {
    let mut cursor = Cursor::from_slice(json)?;
    let mut read = Dataset::default();
    let (mut images, mut annotations) = (None, None);
    cursor.object(|cursor, key| {
        match &*key {
            "info" => read.info = cursor.value()?,
            "categories" => read.categories = list(cursor, category)?,
            "images" => images = Some(list(cursor, image)?),
            "annotations" => annotations = Some(list(cursor, annotation)?),
            _ => keep(&mut read.extra, &key, cursor)?,
        }
        Ok(())
    })?;
    cursor.end()?;
    read.images = images.ok_or_else(|| Error::missing("images"))?;
    read.annotations = annotations.ok_or_else(|| Error::missing("annotations"))?;
    Ok(read)
}

fn category(cursor: &mut Cursor<'_>) -> Result<Category> {
    let (mut supercategory, mut id, mut name, mut extra) = (None, None, None, Other::new());
    cursor.object(|cursor, key| {
        match &*key {
            "supercategory" => supercategory = cursor.nullable(text)?,
            "id" => id = Some(cursor.whole()?),
            "name" => name = Some(text(cursor)?),
            _ => keep(&mut extra, &key, cursor)?,
        }
        Ok(())
    })?;
    let id = id.ok_or_else(|| Error::missing("id"))?;
    Ok(Category { supercategory, id, name: name.ok_or_else(|| Error::missing("name"))?, extra })
}

fn image(cursor: &mut Cursor<'_>) -> Result<Image> {
    let (mut id, mut coco_url, mut file_name) = (None, None, None);
    let (mut height, mut width, mut extra) = (None, None, Other::new());
    cursor.object(|cursor, key| {
        match &*key {
            "id" => id = Some(cursor.whole()?),
            "coco_url" => coco_url = cursor.nullable(text)?,
            "file_name" => file_name = cursor.nullable(text)?,
            "height" => height = Some(small(cursor)?),
            "width" => width = Some(small(cursor)?),
            _ => keep(&mut extra, &key, cursor)?,
        }
        Ok(())
    })?;
    Ok(Image {
        id: id.ok_or_else(|| Error::missing("id"))?,
        coco_url,
        file_name,
        height: height.ok_or_else(|| Error::missing("height"))?,
        width: width.ok_or_else(|| Error::missing("width"))?,
        extra,
    })
}

fn annotation(cursor: &mut Cursor<'_>) -> Result<Annotation> {
    let (mut bbox, mut category_id, mut image_id, mut id) = (None, None, None, None);
    let (mut area, mut iscrowd, mut segmentation) = (0.0, 0, None);
    let (mut keypoints, mut num_keypoints) = (None, None);
    let (mut attributes, mut extra) = (Map::new(), Other::new());
    cursor.object(|cursor, key| {
        match &*key {
            "area" => area = cursor.number()?,
            "bbox" => bbox = Some(corners(cursor)?),
            "category_id" => category_id = Some(cursor.whole()?),
            "image_id" => image_id = Some(cursor.whole()?),
            "iscrowd" => iscrowd = small(cursor)?,
            "segmentation" => segmentation = cursor.nullable(area_of)?,
            "keypoints" => keypoints = cursor.nullable(|cursor| list(cursor, Cursor::number))?,
            "num_keypoints" => num_keypoints = cursor.nullable(Cursor::whole)?,
            "id" => id = Some(cursor.whole()?),
            "attributes" => cursor.object(|cursor, key| {
                attributes.insert(key.into_owned(), cursor.value()?);
                Ok(())
            })?,
            _ => keep(&mut extra, &key, cursor)?,
        }
        Ok(())
    })?;
    Ok(Annotation {
        area,
        bbox: bbox.ok_or_else(|| Error::missing("bbox"))?,
        category_id: category_id.ok_or_else(|| Error::missing("category_id"))?,
        image_id: image_id.ok_or_else(|| Error::missing("image_id"))?,
        iscrowd,
        segmentation,
        keypoints,
        num_keypoints,
        id: id.ok_or_else(|| Error::missing("id"))?,
        attributes,
        extra,
    })
}

fn area_of(cursor: &mut Cursor<'_>) -> Result<Segmentation> {
    match cursor.kind()? {
        Kind::Array => list(cursor, |cursor| list(cursor, Cursor::number)).map(Segmentation::Outlines),
        Kind::Object => rle(cursor).map(Segmentation::Mask),
        _ => Err(cursor.expected("a list of outlines or a mask")),
    }
}

fn rle(cursor: &mut Cursor<'_>) -> Result<Rle> {
    let (mut size, mut counts) = (None, None);
    cursor.object(|cursor, key| {
        match &*key {
            "size" => size = Some(exactly(list(cursor, small)?, "a height and a width")?),
            "counts" => {
                counts = Some(match cursor.kind()? {
                    Kind::String => RleCounts::Compressed(text(cursor)?),
                    Kind::Array => RleCounts::Plain(list(cursor, Cursor::whole)?),
                    _ => return Err(cursor.expected("a string or a list of numbers")),
                });
            }
            // Nothing else belongs to a mask.
            _ => cursor.skip().map(|_| ())?,
        }
        Ok(())
    })?;
    let size = size.ok_or_else(|| Error::missing("size"))?;
    Ok(Rle { size, counts: counts.ok_or_else(|| Error::missing("counts"))? })
}

fn corners(cursor: &mut Cursor<'_>) -> Result<[f64; 4]> {
    exactly(list(cursor, Cursor::number)?, "left, top, width and height")
}

fn exactly<T, const N: usize>(items: Vec<T>, expected: &str) -> Result<[T; N]> {
    let count = items.len();
    items.try_into().map_err(|_| Error::invalid(format!("expected {expected}, found {count} numbers")))
}

fn list<'a, T>(
    cursor: &mut Cursor<'a>,
    mut read: impl FnMut(&mut Cursor<'a>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut items = Vec::new();
    cursor.array(|cursor, _| {
        items.push(read(cursor)?);
        Ok(())
    })?;
    Ok(items)
}

fn text(cursor: &mut Cursor<'_>) -> Result<String> {
    cursor.string().map(Into::into)
}

/// A number that COCO keeps small: sides of pictures, flags.
fn small<T: TryFrom<u64>>(cursor: &mut Cursor<'_>) -> Result<T> {
    let number = cursor.whole()?;
    T::try_from(number).map_err(|_| Error::invalid(format!("{number} is too large here")))
}

fn keep(extra: &mut Other, key: &str, cursor: &mut Cursor<'_>) -> Result<()> {
    extra.insert(key.to_owned(), cursor.value()?);
    Ok(())
}
