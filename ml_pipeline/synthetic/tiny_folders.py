"""Tiny data without published tables: one folder per class, and an export of the app's reviewed predictions."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ml_models.classification import Modality
from ml_pipeline.data.sources import reviews
from ml_pipeline.data.sources.vocabulary import DiagnosisMethod
from ml_pipeline.synthetic.scene import LESION_CODES, Scene, draw
from ml_pipeline.synthetic.tiny_cases import write_photo, write_rows


def write_class_folders(
    out: Path,
    *,
    classes: Sequence[str],
    photos_per_class: int,
    seed: int,
    parts: Sequence[str] = ("",),
) -> Path:
    """Writes `class_folders/CLASS/001.jpg` and so on below `out`, again in each of the parts; gives the folder.

    The first class looks like the first known lesion and so on; the names need not be known.
    """
    folder = out / "class_folders"
    for part_number, part in enumerate(parts):
        for class_number, name in enumerate(classes):
            for number in range(photos_per_class):
                scene = Scene(lesion=LESION_CODES[class_number % len(LESION_CODES)])
                photo_seed = np.random.default_rng([seed, part_number, class_number, number]).integers(2**31)
                photo = draw(scene, width_px=160, height_px=120, seed=int(photo_seed))
                write_photo(folder / part / name / f"{number + 1:03d}.jpg", photo)
    return folder


def write_reviews(out: Path, *, photos: int, seed: int) -> Path:
    """Writes `reviews` below `out` as the app exports it; gives the folder. Every fourth photo is anonymous."""
    folder = out / "reviews"
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(photos):
        code, tone = LESION_CODES[number % len(LESION_CODES)], int(rng.integers(1, 7))
        anonymous = number % 4 == 3
        cells = {
            "photo": f"photos/{number + 1:06d}.jpg",
            "label": code,
            "diagnosis_method": DiagnosisMethod.CLINICAL.value,
            "person": "" if anonymous else f"person-{1 + number // 2}",
            "lesion": "" if anonymous else f"lesion-{1 + number}",
            "age_years": str(int(rng.integers(20, 90))),
            "sex": str(rng.choice(["female", "male", ""])),
            "site": "back",
            "fitzpatrick_type": str(tone),
            "modality": Modality.CLINICAL.value,
        }
        rows.append([cells[column] for column in reviews.COLUMNS])
        scene = Scene(lesion=code, skin_tone=(tone - 1) / 5, lesion_scale=0.4)
        write_photo(folder / cells["photo"], draw(scene, width_px=160, height_px=120, seed=int(rng.integers(2**31))))
    write_rows(folder / reviews.TABLE, reviews.COLUMNS, rows)
    return folder
