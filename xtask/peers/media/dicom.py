"""DICOM against pydicom: stored values, rescaled values and colours, of every transfer syntax that is decoded."""

from __future__ import annotations

import pathlib
from copy import deepcopy
from typing import Iterator

import gdcm
import numpy as np
import pydicom
from pydicom.dataset import FileMetaDataset
from pydicom.pixels import apply_color_lut, apply_rescale, convert_color_space, pixel_array
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    generate_uid,
)

import through_rust

SHAPE = (48, 64)
LOSSLESS = {
    "rle": gdcm.TransferSyntax.RLELossless,
    "jpeg-lossless": gdcm.TransferSyntax.JPEGLosslessProcess14_1,
    "jpeg-2000": gdcm.TransferSyntax.JPEG2000Lossless,
    "jpeg-ls": gdcm.TransferSyntax.JPEGLSLossless,
}
LOSSY = {
    "jpeg": gdcm.TransferSyntax.JPEGBaselineProcess1,
    "jpeg-2000-lossy": gdcm.TransferSyntax.JPEG2000,
}
PLAIN = {
    "implicit": ImplicitVRLittleEndian,
    "explicit": ExplicitVRLittleEndian,
    "big-endian": ExplicitVRBigEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
}
# Only decoders in C++ exist for the first, and the one for the second does not know this layout.
UNSUPPORTED = ("jpeg-ls", "ybr-jpeg-lossless")

# GDCM calls RGB what it compressed as luma and chroma, and pydicom believes it; pydicom reads palettes as little endian
# always. The originals of these files cannot be wrong.
ORIGINALS = {
    "rgb-jpeg": "rgb-explicit",
    "planes-jpeg": "rgb-explicit",
    "palette-big-endian": "palette-explicit",
}


def compare(folder: pathlib.Path) -> Iterator[tuple[str, str | None]]:
    files = list(make(folder))
    kinds = ("dicom-raw", "dicom-rescaled", "dicom-windowed", "dicom-rgb")
    jobs = [(kind, file) for file, color in files for kind in kinds if not color or kind == "dicom-rgb"]
    for (kind, file), (answer, ours) in zip(jobs, through_rust.arrays(jobs, folder)):
        yield f"{file.stem} {kind}", problem(kind, file, answer, ours)


def make(folder: pathlib.Path) -> Iterator[tuple[pathlib.Path, bool]]:
    """Files, and whether they are in colour."""
    for name, dataset in datasets():
        color = dataset.SamplesPerPixel == 3 or dataset.PhotometricInterpretation == "PALETTE COLOR"
        for syntax, uid in PLAIN.items():
            path = folder / f"{name}-{syntax}.dcm"
            save(dataset, uid, path)
            yield path, color
        source = folder / f"{name}-explicit.dcm"
        lossy = dataset.BitsAllocated == 8 and dataset.PhotometricInterpretation != "PALETTE COLOR"
        for syntax, uid in (LOSSLESS | LOSSY if lossy else LOSSLESS).items():
            path = folder / f"{name}-{syntax}.dcm"
            if transcode(source, uid, path):
                yield path, color


def datasets() -> Iterator[tuple[str, pydicom.Dataset]]:
    generator = np.random.default_rng(11)
    rows, columns = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]]
    ramp = rows * 40 + columns * 7
    noise = generator.integers(0, 50, SHAPE)
    unsigned, signed = (ramp + noise).astype("u2"), (ramp + noise - 1500).astype("i2")
    byte = (ramp // 12 + noise // 10).astype("u1")
    color = np.stack([byte, byte[::-1], byte[:, ::-1]], axis=2)

    yield "unsigned", grey(unsigned, 12)
    yield "unsigned-16", grey((unsigned.astype("u4") * 15).astype("u2"), 16)
    yield "signed", grey(signed, 16, RescaleSlope="2", RescaleIntercept="-1024")
    yield "signed-12", grey(np.clip(signed, -2048, 2047), 12, RescaleSlope="1", RescaleIntercept="0")
    yield "byte", grey(byte, 8, WindowCenter="100", WindowWidth="120")
    yield "inverted", grey(unsigned, 12, PhotometricInterpretation="MONOCHROME1")
    yield "fraction", grey(unsigned, 12, RescaleSlope="0.125", RescaleIntercept="-3.5")
    yield "frames", grey(np.stack([unsigned, unsigned[::-1], unsigned // 2]), 12, NumberOfFrames=3)
    yield "rgb", colored(color, "RGB", 0)
    yield "planes", colored(np.moveaxis(color, 2, 0), "RGB", 1)
    yield "ybr", colored(color, "YBR_FULL", 0)
    palette = grey(byte, 8, PhotometricInterpretation="PALETTE COLOR")
    for name, values in zip(("Red", "Green", "Blue"), generator.integers(0, 65536, (3, 256), dtype="u2")):
        setattr(palette, f"{name}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(palette, f"{name}PaletteColorLookupTableData", values.astype("<u2").tobytes())
    yield "palette", palette


def grey(pixels: np.ndarray, bits: int, **tags: object) -> pydicom.Dataset:
    dataset = pydicom.Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, generate_uid()
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = generate_uid(), generate_uid()
    dataset.Modality, dataset.PatientID, dataset.PatientName = "CT", "p", "P"
    dataset.Rows, dataset.Columns = pixels.shape[-2:]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = pixels.itemsize * 8, bits, bits - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.WindowCenter, dataset.WindowWidth = "1000", "1500"
    for name, value in tags.items():
        setattr(dataset, name, value)
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OW" if pixels.itemsize == 2 else "OB"
    return dataset


def colored(pixels: np.ndarray, photometric: str, planes: int) -> pydicom.Dataset:
    dataset = grey(pixels[0] if planes else pixels[:, :, 0], 8, PhotometricInterpretation=photometric)
    dataset.SamplesPerPixel, dataset.PlanarConfiguration = 3, planes
    dataset.PixelData = pixels.tobytes()
    return dataset


def save(dataset: pydicom.Dataset, syntax: str, path: pathlib.Path) -> None:
    copy = deepcopy(dataset)
    copy.file_meta = FileMetaDataset()
    copy.file_meta.TransferSyntaxUID = syntax
    copy.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    copy.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    if syntax == ExplicitVRBigEndian and dataset.BitsAllocated == 16:
        copy.PixelData = np.frombuffer(dataset.PixelData, "<u2").astype(">u2").tobytes()
    if syntax == ExplicitVRBigEndian and dataset.PhotometricInterpretation == "PALETTE COLOR":
        for name in (f"{color}PaletteColorLookupTableData" for color in ("Red", "Green", "Blue")):
            setattr(copy, name, np.frombuffer(dataset[name].value, "<u2").astype(">u2").tobytes())
    copy.save_as(path, enforce_file_format=True)


def transcode(source: pathlib.Path, syntax: int, target: pathlib.Path) -> bool:
    """Compresses with GDCM; false for layouts that it or the syntax does not know."""
    reader = gdcm.ImageReader()
    reader.SetFileName(str(source))
    if not reader.Read():
        return False
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    change.SetInput(reader.GetImage())
    if not change.Change():
        return False
    writer = gdcm.ImageWriter()
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    writer.SetFileName(str(target))
    return writer.Write()


def problem(kind: str, file: pathlib.Path, answer: dict, ours: np.ndarray | None) -> str | None:
    if file.stem.endswith(UNSUPPORTED):
        return None if ours is None else "decoded, although it was not known to be"
    if ours is None:
        return answer["error"]
    original = ORIGINALS.get(file.stem)
    theirs = expected_array(kind, pydicom.dcmread(file.with_stem(original) if original else file))
    if ours.shape != theirs.shape:
        return f"{ours.shape} instead of {theirs.shape}"
    difference = float(np.abs(ours.astype(float) - theirs).max())
    lossy = file.stem.endswith(tuple(LOSSY))
    # Rescaled values are 32-bit floats here and 64-bit ones there; shades of grey are rounded by each in its own way.
    # A lossy copy differs from its original by more than two decoders do.
    allowed = 10 if lossy and original else 3 if lossy else {"dicom-rescaled": 1e-3, "dicom-windowed": 1, "dicom-rgb": 1}.get(kind, 0)
    return f"differs by {difference:g}" if difference > allowed else None


def expected_array(kind: str, dataset: pydicom.Dataset) -> np.ndarray:
    stored = pixel_array(dataset, raw=True)
    if kind == "dicom-rgb" and dataset.SamplesPerPixel == 3:
        photometric = dataset.PhotometricInterpretation
        return convert_color_space(stored, photometric, "RGB") if photometric.startswith("YBR_FULL") else stored
    if kind == "dicom-rgb" and dataset.PhotometricInterpretation == "PALETTE COLOR":
        return apply_color_lut(stored, dataset) >> 8
    frames = stored if stored.ndim == 3 else stored[np.newaxis]
    if kind == "dicom-raw":
        return frames
    rescaled = apply_rescale(frames, dataset).astype(float)
    if kind == "dicom-rescaled":
        return rescaled
    center, width = float(dataset.WindowCenter), float(dataset.WindowWidth)
    shades = np.clip((rescaled - (center - 0.5)) / (width - 1) + 0.5, 0, 1) * 255
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        shades = 255 - shades
    shades = shades.round()
    return shades if kind == "dicom-windowed" else np.repeat(shades[0][:, :, np.newaxis], 3, axis=2)
