"""A tiny data set laid out like a download of HAM10000 and ISIC 2019, to test and try out the pipeline.

The formats are those of Tschandl et al., Sci Data 2018 (HAM10000) and of the ISIC 2019 challenge; every row
and every photo is invented. Identifiers start at 9000001, far above the real ones.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ml_pipeline.synthetic.fields import Photo
from ml_pipeline.synthetic.scene import LESION_CODES, Scene, draw

_FIRST_NUMBER = 9_000_001
_JPEG_QUALITY = 92
_DX = {"scc": "akiec"}  # HAM10000 has no class of its own for it; all other codes are equal
_GROUND_TRUTH_CODES = {
    "MEL": "mel",
    "NV": "nv",
    "BCC": "bcc",
    "AK": "akiec",
    "BKL": "bkl",
    "DF": "df",
    "VASC": "vasc",
    "SCC": "scc",
    "UNK": None,
}
_METADATA_COLUMNS = ("lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization")
_PROVED_BY_BIOPSY = frozenset({"akiec", "bcc", "mel", "scc"})
_SITES = ("abdomen", "back", "face", "lower extremity", "trunk", "upper extremity", "unknown")


@dataclass(frozen=True, slots=True)
class HamLayout:
    """Where `write_ham10000` put things."""

    metadata_csv: Path
    images_part_1: Path
    images_part_2: Path
    ground_truth_csv: Path


@dataclass(frozen=True, slots=True)
class _Case:
    """One lesion and the patient facts that all of its photos share."""

    lesion_id: str
    code: str
    dx_type: str
    age: str
    sex: str
    site: str


@dataclass(frozen=True, slots=True)
class _Image:
    image_id: str
    case: _Case
    photo_number: int


def write_ham10000(
    out: Path,
    *,
    lesions_per_class: int,
    images_per_lesion: int = 2,
    seed: int,
    width_px: int = 200,
    height_px: int = 150,
) -> HamLayout:
    """Writes photos, `HAM10000_metadata.csv` and the ISIC 2019 ground truth below `out`.

    The metadata calls both akiec and scc `akiec`, as HAM10000 does; only the ground truth tells them apart.
    The classes come in random order; the first half of the photos lies in part 1.
    """
    layout = _layout(out)
    for folder in (layout.images_part_1, layout.images_part_2, layout.ground_truth_csv.parent):
        folder.mkdir(parents=True, exist_ok=True)
    images = _invent_images(np.random.default_rng(seed), lesions_per_class, images_per_lesion)
    _write_rows(layout.metadata_csv, _METADATA_COLUMNS, _metadata(images))
    _write_rows(layout.ground_truth_csv, ["image", *_GROUND_TRUTH_CODES], _ground_truth(images))
    for index, image in enumerate(images):
        folder = layout.images_part_1 if 2 * index < len(images) else layout.images_part_2
        photo = _photograph(image, seed=seed, width_px=width_px, height_px=height_px)
        encoded = cv2.imencode(".jpg", photo[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1]
        (folder / f"{image.image_id}.jpg").write_bytes(encoded.tobytes())
    return layout


def _layout(out: Path) -> HamLayout:
    ham = out / "HAM10000"
    return HamLayout(
        metadata_csv=ham / "HAM10000_metadata.csv",
        images_part_1=ham / "HAM10000_images_part_1",
        images_part_2=ham / "HAM10000_images_part_2",
        ground_truth_csv=out / "ISIC2019" / "ISIC_2019_Training_GroundTruth.csv",
    )


def _invent_images(rng: np.random.Generator, lesions_per_class: int, images_per_lesion: int) -> Sequence[_Image]:
    codes = rng.permutation(np.repeat(LESION_CODES, lesions_per_class))
    cases = [_invent_case(rng, _FIRST_NUMBER + index, str(code)) for index, code in enumerate(codes)]
    photos = [(case, number) for case in cases for number in range(images_per_lesion)]
    return [_Image(f"ISIC_{_FIRST_NUMBER + index}", case, number) for index, (case, number) in enumerate(photos)]


def _invent_case(rng: np.random.Generator, number: int, code: str) -> _Case:
    return _Case(
        lesion_id=f"HAM_{number}",
        code=code,
        dx_type="histo" if code in _PROVED_BY_BIOPSY else str(rng.choice(["histo", "follow_up", "consensus"])),
        age="" if rng.random() < 0.05 else f"{5 * int(rng.integers(4, 18))}.0",
        sex=str(rng.choice(["female", "male", "unknown"], p=[0.48, 0.48, 0.04])),
        site=str(rng.choice(_SITES)),
    )


def _metadata(images: Sequence[_Image]) -> Sequence[Sequence[str]]:
    rows = []
    for image in images:
        case = image.case
        dx = _DX.get(case.code, case.code)
        rows.append([case.lesion_id, image.image_id, dx, case.dx_type, case.age, case.sex, case.site])
    return rows


def _ground_truth(images: Sequence[_Image]) -> Sequence[Sequence[str]]:
    return [
        [
            image.image_id,
            *("1.0" if code == image.case.code else "0.0" for code in _GROUND_TRUTH_CODES.values()),
        ]
        for image in images
    ]


def _write_rows(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _photograph(image: _Image, *, seed: int, width_px: int, height_px: int) -> Photo:
    """One photo of a lesion: the same lesion on the same skin, held and focused differently each time."""
    lesion_number = int(image.case.lesion_id.removeprefix("HAM_"))
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


def _hold_camera(photo: Photo, rng: np.random.Generator) -> Photo:
    """Tilts, sometimes stands on the other side, moves and zooms; mirrored skin fills the corners."""
    height, width = photo.shape[:2]
    angle_degrees = rng.uniform(-20, 20) + 180 * int(rng.integers(2))
    move = cv2.getRotationMatrix2D((width / 2, height / 2), angle_degrees, rng.uniform(1.02, 1.2))
    move[:, 2] += rng.uniform(-0.05, 0.05, 2) * min(width, height)
    held = cv2.warpAffine(photo, move, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(held, np.uint8)
