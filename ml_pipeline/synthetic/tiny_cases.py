"""Invented lesions, people and photos of them: what the writers of tiny downloads share.

Identifiers start at 9000001, far above the real ones.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ml_pipeline.synthetic.fields import Photo
from ml_pipeline.synthetic.scene import LESION_CODES, Scene, draw

FIRST_NUMBER = 9_000_001
_JPEG_QUALITY = 92
_PROVED_BY_BIOPSY = frozenset({"akiec", "bcc", "mel", "scc"})
_SITES = ("abdomen", "back", "face", "lower extremity", "trunk", "upper extremity", "unknown")


@dataclass(frozen=True, slots=True)
class Case:
    """One lesion and the patient facts that all of its photos share, in the words of HAM10000."""

    lesion_id: str
    code: str
    dx_type: str
    age: str
    sex: str
    site: str


@dataclass(frozen=True, slots=True)
class CaseImage:
    """One photo of a case; `photo_number` counts within the case."""

    image_id: str
    case: Case
    photo_number: int


def invent_ham_images(*, lesions_per_class: int, images_per_lesion: int, seed: int) -> Sequence[CaseImage]:
    """The images of the invented HAM10000, equal in every download that is written with equal arguments."""
    rng = np.random.default_rng(seed)
    codes = rng.permutation(np.repeat(LESION_CODES, lesions_per_class))
    return invent_images(rng, [str(code) for code in codes], images_per_lesion=images_per_lesion)


def invent_images(
    rng: np.random.Generator,
    codes: Sequence[str],
    *,
    images_per_lesion: int,
    first_number: int = FIRST_NUMBER,
    prefix: str = "HAM",
) -> Sequence[CaseImage]:
    """One case for each code, with ISIC's kind of image and lesion ids."""
    cases = [_invent_case(rng, f"{prefix}_{first_number + index}", code) for index, code in enumerate(codes)]
    photos = [(case, number) for case in cases for number in range(images_per_lesion)]
    return [CaseImage(f"ISIC_{first_number + index}", case, number) for index, (case, number) in enumerate(photos)]


def photograph(image: CaseImage, *, seed: int, width_px: int, height_px: int) -> Photo:
    """One photo of a lesion: the same lesion on the same skin, held and focused differently each time."""
    lesion_number = int(image.case.lesion_id.rpartition("_")[2])
    lesion_rng = np.random.default_rng([seed, lesion_number])
    tone, scale, hair = (
        lesion_rng.uniform(0, 0.6),
        lesion_rng.uniform(0.45, 0.75),
        int(lesion_rng.integers(0, 6)),
    )
    rng = np.random.default_rng([seed, lesion_number, image.photo_number])
    scene = Scene(
        lesion=image.case.code,
        skin_tone=tone,
        lesion_scale=scale,
        hair=hair,
        blur_sigma_px=rng.uniform(0, 0.006) * min(width_px, height_px),
        exposure=rng.uniform(0.85, 1.1),
    )
    photo = draw(scene, width_px=width_px, height_px=height_px, seed=int(lesion_rng.integers(2**31)))
    return _hold_camera(photo, rng)


def write_photo(path: Path, photo: Photo) -> None:
    """Encode by suffix, make the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY] if path.suffix == ".jpg" else []
    path.write_bytes(cv2.imencode(path.suffix, photo[..., ::-1], options)[1].tobytes())


def write_rows(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a CSV, make the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _invent_case(rng: np.random.Generator, lesion_id: str, code: str) -> Case:
    return Case(
        lesion_id=lesion_id,
        code=code,
        dx_type="histo" if code in _PROVED_BY_BIOPSY else str(rng.choice(["histo", "follow_up", "consensus"])),
        age="" if rng.random() < 0.05 else f"{5 * int(rng.integers(4, 18))}.0",
        sex=str(rng.choice(["female", "male", "unknown"], p=[0.48, 0.48, 0.04])),
        site=str(rng.choice(_SITES)),
    )


def _hold_camera(photo: Photo, rng: np.random.Generator) -> Photo:
    """Tilts, sometimes stands on the other side, moves and zooms; mirrored skin fills the corners."""
    height, width = photo.shape[:2]
    angle_degrees = rng.uniform(-20, 20) + 180 * int(rng.integers(2))
    move = cv2.getRotationMatrix2D((width / 2, height / 2), angle_degrees, rng.uniform(1.02, 1.2))
    move[:, 2] += rng.uniform(-0.05, 0.05, 2) * min(width, height)
    held = cv2.warpAffine(photo, move, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(held, np.uint8)
