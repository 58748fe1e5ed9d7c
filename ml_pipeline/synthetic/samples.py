"""The named sample photos of `sample_images/` and what the server must answer to each.

The lesion a sample imitates is not an expected diagnosis: `Expectation` holds only what is true whatever the
model says.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from ml_pipeline.synthetic.backdrop import draw_document, draw_wall
from ml_pipeline.synthetic.fields import Photo
from ml_pipeline.synthetic.scene import Scene, draw

_JPEG_QUALITY = 90
_EXIF_ORIENTATION = 0x0112
_ROTATE_CLOCKWISE_TO_VIEW = 6


class Backdrop(StrEnum):
    """Photos without skin."""

    WALL = "wall"
    DOCUMENT = "document"


class Storage(StrEnum):
    """How a sample lies on disk."""

    JPEG = "jpeg"
    JPEG_ORIENTATION_6 = "jpeg_orientation_6"
    PNG = "png"


@dataclass(frozen=True, slots=True)
class Expectation:
    """What an answer must satisfy. None means that both are right; safe then still needs `ok` and `Low`.

    `statuses` and `severities` list every permitted value. When probabilities are present there are eight,
    and they sum to 1.
    """

    behaviour: str
    http_status: int
    is_safe: bool | None
    statuses: Sequence[str]
    severities: Sequence[str]
    has_label: bool | None
    has_probabilities: bool | None


_ANSWERED = Expectation(
    behaviour="Answered with all eight probabilities; which class is open. Safe only if plainly benign.",
    http_status=200,
    is_safe=None,
    statuses=("ok", "uncertain"),
    severities=("Low", "Moderate", "High"),
    has_label=True,
    has_probabilities=True,
)
_MALIGNANT = replace(
    _ANSWERED,
    behaviour="Answered with all eight probabilities; which class is open, but a malignant look is never called safe.",
    is_safe=False,
    severities=("Moderate", "High"),
)
_FAR_FROM_PHOTOS = Expectation(
    behaviour="Answered or refused: a drawing far from the photos that the model knows. Safe only if plainly benign.",
    http_status=200,
    is_safe=None,
    statuses=("ok", "uncertain", "rejected"),
    severities=("Low", "Moderate", "High"),
    has_label=None,
    has_probabilities=None,
)
_REJECTED = Expectation(
    behaviour="Rejected, with a reason that says how to take the photo again.",
    http_status=200,
    is_safe=False,
    statuses=("rejected",),
    severities=("Moderate",),
    has_label=False,
    has_probabilities=False,
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One named photo: what it shows, how it is stored, what the server must answer."""

    file: str
    scene: Scene | Backdrop
    seed: int
    expected: Expectation = _ANSWERED
    width_px: int = 600
    height_px: int = 450
    storage: Storage = Storage.JPEG

    def draw(self) -> Photo:
        """The upright photo as uint8 RGB [H, W, 3]."""
        match self.scene:
            case Backdrop.WALL:
                return draw_wall(width_px=self.width_px, height_px=self.height_px, seed=self.seed)
            case Backdrop.DOCUMENT:
                return draw_document(width_px=self.width_px, height_px=self.height_px, seed=self.seed)
            case Scene():
                return draw(self.scene, width_px=self.width_px, height_px=self.height_px, seed=self.seed)


SAMPLES: Sequence[Sample] = (
    Sample("akiec.jpg", Scene("akiec", skin_tone=0.10), seed=101, expected=_MALIGNANT),
    Sample("bcc.jpg", Scene("bcc", skin_tone=0.12, shift_x=0.05), seed=102, expected=_MALIGNANT),
    Sample("bkl.jpg", Scene("bkl", skin_tone=0.25, shift_y=-0.04), seed=103),
    Sample("df.jpg", Scene("df", skin_tone=0.20, lesion_scale=0.65), seed=104),
    Sample("mel.jpg", Scene("mel", skin_tone=0.10, lesion_scale=0.7, vignette=True), seed=105, expected=_MALIGNANT),
    Sample("nv.jpg", Scene("nv", skin_tone=0.20, vignette=True), seed=106),
    Sample("scc.jpg", Scene("scc", skin_tone=0.15, shift_x=-0.06), seed=107, expected=_MALIGNANT),
    Sample("vasc.png", Scene("vasc", skin_tone=0.15), seed=108, width_px=360, height_px=270, storage=Storage.PNG),
    Sample("hair.jpg", Scene("nv", skin_tone=0.15, hair=45), seed=109, expected=_FAR_FROM_PHOTOS),
    Sample(
        "ruler_orientation_6.jpg",
        Scene("bkl", skin_tone=0.15, lesion_scale=0.5, shift_y=-0.08, ruler=True),
        seed=110,
        storage=Storage.JPEG_ORIENTATION_6,
    ),
    Sample("dark_skin.jpg", Scene("nv", skin_tone=0.9, shift_x=0.08), seed=111, expected=_FAR_FROM_PHOTOS),
    Sample("blurred.jpg", Scene("mel", skin_tone=0.2, blur_sigma_px=7.0), seed=112, expected=_REJECTED),
    Sample("too_dark.jpg", Scene("bkl", skin_tone=0.05, lesion_scale=0.7, exposure=0.28), seed=113, expected=_REJECTED),
    Sample("plain_wall.jpg", Backdrop.WALL, seed=114, expected=_REJECTED),
    Sample("document.jpg", Backdrop.DOCUMENT, seed=115, expected=_REJECTED),
)


def write_samples(out: Path) -> None:
    """Writes every sample photo and `expected.json` into `out`; files of the same name are replaced."""
    out.mkdir(parents=True, exist_ok=True)
    for sample in SAMPLES:
        _write_photo(out / sample.file, sample.draw(), sample.storage)
    answers = [
        {"file": sample.file, "scene": _describe(sample), "expected": asdict(sample.expected)} for sample in SAMPLES
    ]
    (out / "expected.json").write_text(json.dumps(answers, indent=2) + "\n", encoding="utf-8")


def _write_photo(path: Path, photo: Photo, storage: Storage) -> None:
    match storage:
        case Storage.PNG:
            path.write_bytes(cv2.imencode(".png", photo[..., ::-1])[1].tobytes())
        case Storage.JPEG:
            quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
            path.write_bytes(cv2.imencode(".jpg", photo[..., ::-1], quality)[1].tobytes())
        case Storage.JPEG_ORIENTATION_6:
            exif = Image.Exif()
            exif[_EXIF_ORIENTATION] = _ROTATE_CLOCKWISE_TO_VIEW
            Image.fromarray(np.rot90(photo)).save(path, "JPEG", quality=_JPEG_QUALITY, exif=exif)


def _describe(sample: Sample) -> dict[str, object]:
    """The scene as plain values for JSON, with size and seed, so that the photo can be drawn again."""
    size = {"width_px": sample.width_px, "height_px": sample.height_px, "seed": sample.seed}
    match sample.scene:
        case Scene():
            return {"subject": "skin", **asdict(sample.scene), **size}
        case Backdrop():
            return {"subject": sample.scene.value, **size}
