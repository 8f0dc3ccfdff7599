"""Images against `cv2.imread` and BGR to RGB: equal where nothing is lost, within a few grey levels for JPEG and WebP."""

from __future__ import annotations

import pathlib
from typing import Iterator

import cv2
import numpy as np
from PIL import Image

import through_rust

# Decoders of these may round differently.
LOSSY_LEVELS = 3


def compare(folder: pathlib.Path) -> Iterator[tuple[str, str | None]]:
    files = list(make(folder))
    answers = through_rust.arrays([("image", file) for file in files], folder)
    for file, (answer, ours) in zip(files, answers):
        yield file.name, problem(file, answer, ours)


def make(folder: pathlib.Path) -> Iterator[pathlib.Path]:
    """A picture with gradients, edges and noise, in every format and layout."""
    generator = np.random.default_rng(7)
    rows, columns = np.mgrid[0:61, 0:83]
    color = np.stack([rows * 4 % 256, columns * 3 % 256, generator.integers(0, 256, rows.shape)], axis=2).astype("u1")
    deep = (color.astype("u2") << 8) | generator.integers(0, 256, color.shape, dtype="u2")
    alpha = np.dstack([color, (rows + columns).astype("u1")])
    smooth = cv2.GaussianBlur(color, (9, 9), 3)

    def written(name: str, pixels: np.ndarray, *arguments: int) -> pathlib.Path:
        path = folder / name
        assert cv2.imwrite(str(path), pixels, arguments)
        return path

    for extension in ("png", "bmp", "tiff", "ppm"):
        yield written(f"color.{extension}", color)
        yield written(f"grey.{extension}".replace("ppm", "pgm"), color[:, :, 0])
    yield written("alpha.png", alpha)
    yield written("alpha.tiff", alpha)
    yield written("alpha.webp", alpha, cv2.IMWRITE_WEBP_QUALITY, 101)
    yield written("lossless.webp", color, cv2.IMWRITE_WEBP_QUALITY, 101)
    yield written("lossy.webp", smooth, cv2.IMWRITE_WEBP_QUALITY, 80)
    yield written("deep.png", deep)
    yield written("deep-grey.png", deep[:, :, 1])
    yield written("deep.tiff", deep)
    yield written("deep-grey.tiff", deep[:, :, 1])
    yield written("deep.ppm", deep)
    yield written("smooth.jpg", smooth, cv2.IMWRITE_JPEG_QUALITY, 95)
    yield written("grey.jpg", smooth[:, :, 0])
    yield written("progressive.jpg", smooth, cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    yield written("restarts.jpg", smooth, cv2.IMWRITE_JPEG_RST_INTERVAL, 2)

    picture = Image.fromarray(smooth)
    saves = {
        "palette.png": (Image.fromarray(color).quantize(64), {}),
        "bits.png": (Image.fromarray(color).convert("1"), {}),
        "transparent.png": (Image.fromarray(color).quantize(16), {"transparency": 3}),
        "palette.gif": (Image.fromarray(color).quantize(200), {}),
        "palette.bmp": (Image.fromarray(color).quantize(200), {}),
        "packed.tiff": (Image.fromarray(color), {"compression": "tiff_lzw"}),
        "deflated.tiff": (Image.fromarray(color), {"compression": "tiff_adobe_deflate"}),
        "grey-alpha.png": (Image.fromarray(alpha).convert("LA"), {}),
        "cmyk.jpg": (picture.convert("CMYK"), {"quality": 95}),
        "full.jpg": (picture, {"quality": 92, "subsampling": 0}),
        "half.jpg": (picture, {"quality": 92, "subsampling": 1}),
    }
    for name, (image, options) in saves.items():
        path = folder / name
        image.save(path, **options)
        yield path
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        for extension in ("jpg", "png", "webp"):
            path = folder / f"turned-{orientation}.{extension}"
            picture.save(path, exif=exif, **({"lossless": True} if extension == "webp" else {}))
            yield path


def problem(file: pathlib.Path, answer: dict, ours: np.ndarray | None) -> str | None:
    if ours is None:
        return answer["error"]
    theirs = cv2.imread(str(file), cv2.IMREAD_COLOR)
    if theirs is None:
        return "OpenCV cannot read it"
    theirs = cv2.cvtColor(theirs, cv2.COLOR_BGR2RGB)
    if ours.shape != theirs.shape:
        return f"{ours.shape} instead of {theirs.shape}"
    difference = int(np.abs(ours.astype(int) - theirs).max())
    allowed = LOSSY_LEVELS if file.suffix == ".jpg" or file.name == "lossy.webp" else 0
    return f"differs by {difference} levels" if difference > allowed else None
