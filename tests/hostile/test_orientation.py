"""The same scene, stored under each of the eight orientations, gets the same answer."""

import struct
from collections.abc import Callable
from functools import cache
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from ml_models.classification import Classification
from ml_models.classifier import Classifier
from ml_models.image_io import read_photo
from tests.hostile import boxes, jpegs, pngs, riffs
from tests.hostile.scenes import Rgb, encoded, scene

ORIENTATIONS = range(1, 9)
# How a camera that writes this number has turned the upright picture (CIPA DC-008, 2023).
_TURNED: dict[int, Callable[[Rgb], Rgb]] = {
    1: lambda rgb: rgb,
    2: lambda rgb: rgb[:, ::-1],
    3: lambda rgb: rgb[::-1, ::-1],
    4: lambda rgb: rgb[::-1],
    5: lambda rgb: rgb.transpose(1, 0, 2),
    6: lambda rgb: rgb.transpose(1, 0, 2)[::-1],
    7: lambda rgb: rgb[::-1, ::-1].transpose(1, 0, 2),
    8: lambda rgb: rgb.transpose(1, 0, 2)[:, ::-1],
}
SCENES = {
    "mole": ("nv", 600, 450, 11),
    "melanoma": ("mel", 600, 450, 5),
    "keratosis": ("bkl", 600, 450, 7),
    "carcinoma": ("bcc", 600, 450, 3),
    "odd-sides": ("vasc", 601, 451, 9),
}
# Shown to the model at a quarter, at a half, and at a half of sides that cannot be halved.
LARGE_SCENES = {
    "large-mole": ("nv", 2_000, 1_500, 21),
    "large-melanoma": ("mel", 1_600, 1_200, 22),
    "large-odd-sides": ("bkl", 961, 721, 23),
}


def _exif(orientation: int) -> bytes:
    return b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def _oriented_jpeg(rgb: Rgb, orientation: int) -> bytes:
    return encoded("JPEG", rgb, quality=92, exif=b"Exif\0\0" + _exif(orientation))


def _oriented_png(rgb: Rgb, orientation: int) -> bytes:
    return pngs.planted(encoded("PNG", rgb), pngs.chunk(b"eXIf", _exif(orientation)))


def _oriented_png_behind(rgb: Rgb, orientation: int) -> bytes:
    return pngs.planted(encoded("PNG", rgb), pngs.chunk(b"eXIf", _exif(orientation)), before=b"IEND")


def _oriented_webp(rgb: Rgb, orientation: int) -> bytes:
    return encoded("WEBP", rgb, lossless=True, method=0, exif=_exif(orientation))


def _oriented_heic(rgb: Rgb, orientation: int) -> bytes:
    """HEIF has no use for EXIF's number: it is said by the properties irot and imir, applied in this order."""
    picture = boxes.coded_picture(encoded("HEIF", rgb, quality=90))
    turns = {3: 2, 5: 1, 6: 3, 7: 3, 8: 1}.get(orientation, 0)
    mirrored = {2: 1, 4: 0, 5: 0, 7: 0}.get(orientation)
    said = (boxes.box(b"irot", bytes((turns,))),) if turns else ()
    said += (boxes.box(b"imir", bytes((mirrored,))),) if mirrored is not None else ()
    return boxes.heif([boxes.Item(1, b"hvc1", picture.data, (*picture.properties, *said))], primary=1)


MAKERS: dict[str, tuple[Callable[[Rgb, int], bytes], float]] = {
    "jpeg": (_oriented_jpeg, 0.05),
    "png": (_oriented_png, 0.0),
    "png-behind-picture": (_oriented_png_behind, 0.0),
    "webp": (_oriented_webp, 0.0),
    "heic": (_oriented_heic, 0.05),
}


@cache
def _upright(name: str) -> Rgb:
    lesion, width_px, height_px, seed = (SCENES | LARGE_SCENES)[name]
    return scene(lesion, width_px=width_px, height_px=height_px, seed=seed)


def _read(make: Callable[[Rgb, int], bytes], name: str, orientation: int) -> NDArray[np.uint8]:
    stored = np.ascontiguousarray(_TURNED[orientation](_upright(name)))
    return read_photo(make(stored, orientation), model_input_px=224).rgb


@pytest.fixture(scope="module")
def answer(shipped_classifier: Classifier) -> Callable[[str, str, int], Classification]:
    """Classify a scene, stored in a format under an orientation; each once."""

    @cache
    def classified(maker: str, name: str, orientation: int) -> Classification:
        return shipped_classifier.classify(_read(MAKERS[maker][0], name, orientation))

    return classified


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_turned_is_what_pillow_undoes(orientation: int) -> None:
    image = Image.fromarray(np.ascontiguousarray(_TURNED[orientation](_upright("odd-sides"))))
    image.getexif()[0x0112] = orientation
    np.testing.assert_array_equal(np.asarray(ImageOps.exif_transpose(image)), _upright("odd-sides"))


@pytest.mark.parametrize("orientation", ORIENTATIONS[1:])
@pytest.mark.parametrize(
    ("maker", "name"),  # every scene as JPEG, two in the other formats
    [*product(["jpeg"], SCENES | LARGE_SCENES), *product([*MAKERS][1:], ["melanoma", "odd-sides", "large-odd-sides"])],
)
def test_orientation_changes_no_answer(
    answer: Callable[[str, str, int], Classification], maker: str, name: str, orientation: int
) -> None:
    upright, turned = answer(maker, name, 1), answer(maker, name, orientation)
    assert turned.decision.label == upright.decision.label
    assert (turned.decision.status, turned.decision.severity) == (upright.decision.status, upright.decision.severity)
    assert upright.probabilities is not None
    assert turned.probabilities == pytest.approx(upright.probabilities, abs=MAKERS[maker][1], rel=0)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("maker", ["png", "png-behind-picture", "webp"])
def test_read_photo_lossless_formats_are_upright_to_the_pixel(maker: str, orientation: int) -> None:
    np.testing.assert_array_equal(_read(MAKERS[maker][0], "odd-sides", orientation), _upright("odd-sides"))


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("maker", ["jpeg", "heic"])
def test_read_photo_lossy_formats_are_upright(maker: str, orientation: int) -> None:
    seen = _read(MAKERS[maker][0], "odd-sides", orientation)
    assert np.abs(seen.astype(int) - _upright("odd-sides")).mean() < 5


NONSENSE = {
    "zero": _exif(0),
    "nine": _exif(9),
    "65535": _exif(65_535),
    "as-text": b"MM\0*" + struct.pack(">IHHHI4sI", 8, 1, 0x0112, 2, 2, b"6\0\0\0", 0),
    "as-a-fraction-by-zero": b"MM\0*" + struct.pack(">IHHHIIIII", 8, 1, 0x0112, 5, 1, 26, 0, 6, 0),
    "of-four-billion": b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 2**32 - 1, 6, 0, 0),
    "in-a-circle": b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x8769, 4, 1, 0, 8, 8),
    "behind-the-end": b"MM\0*" + struct.pack(">I", 2**32 - 1),
    "of-65535-entries": b"MM\0*" + struct.pack(">IH", 8, 65_535) + bytes(12),
    "cut": b"MM\0*\0",
    "empty": b"",
    "big-tiff": b"MM\0+" + bytes(40),
    "words": b"this is no exif",
}


@pytest.mark.parametrize("maker", ["jpeg", "png", "webp"])
@pytest.mark.parametrize("block", NONSENSE.values(), ids=NONSENSE)
def test_read_photo_nonsensical_orientation_turns_nothing(block: bytes, maker: str) -> None:
    rgb = _upright("odd-sides")
    data = {
        "jpeg": lambda: jpegs.planted(encoded("JPEG", rgb, quality=92), jpegs.segment(0xE1, b"Exif\0\0" + block)),
        "png": lambda: pngs.planted(encoded("PNG", rgb), pngs.chunk(b"eXIf", block)),
        "webp": lambda: riffs.extended(
            encoded("WEBP", rgb, lossless=True), riffs.chunk(b"EXIF", block), flags=8, size_px=(601, 451)
        ),
    }[maker]()
    seen = read_photo(data, model_input_px=224).rgb
    assert seen.shape == rgb.shape
    assert np.abs(seen.astype(int) - rgb).mean() < 5
