"""Tiny downloads of the ISIC challenges of 2018 (Task 3) and 2019, which hold the invented HAM10000 again."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from ml_pipeline.synthetic.fields import Photo
from ml_pipeline.synthetic.tiny_cases import (
    CaseImage,
    invent_ham_images,
    invent_images,
    photograph,
    write_photo,
    write_rows,
)

_FIRST_ELSEWHERE = 9_500_001
_CODES_2019: Mapping[str, frozenset[str]] = {
    "MEL": frozenset({"mel"}),
    "NV": frozenset({"nv"}),
    "BCC": frozenset({"bcc"}),
    "AK": frozenset({"akiec"}),
    "BKL": frozenset({"bkl"}),
    "DF": frozenset({"df"}),
    "VASC": frozenset({"vasc"}),
    "SCC": frozenset({"scc"}),
    "UNK": frozenset(),
}
_CODES_2018: Mapping[str, frozenset[str]] = {
    "MEL": frozenset({"mel"}),
    "NV": frozenset({"nv"}),
    "BCC": frozenset({"bcc"}),
    "AKIEC": frozenset({"akiec", "scc"}),
    "BKL": frozenset({"bkl"}),
    "DF": frozenset({"df"}),
    "VASC": frozenset({"vasc"}),
}
_GENERAL_SITES = {
    "abdomen": "anterior torso",
    "back": "posterior torso",
    "face": "head/neck",
    "trunk": "",
    "unknown": "",
}
_CONFIRM_TYPES = {
    "histo": "histopathology",
    "follow_up": "serial imaging showing no change",
    "consensus": "single image expert consensus",
}


def write_isic2019(
    out: Path,
    *,
    lesions_per_class: int,
    images_per_lesion: int = 2,
    elsewhere: int = 6,
    seed: int,
    width_px: int = 200,
    height_px: int = 150,
) -> Path:
    """Writes `ISIC2019` below `out`: images, ground truth and metadata; gives the folder.

    Equal arguments give the lesions of `write_ham10000` under the same ids, their photos half as large again and every
    second one cut to the middle square. `elsewhere` more images, of ids ending in `_downsampled`, have no lesion id.
    """
    folder = out / "ISIC2019"
    photos = folder / "ISIC_2019_Training_Input"
    ham = invent_ham_images(lesions_per_class=lesions_per_class, images_per_lesion=images_per_lesion, seed=seed)
    others = _invent_elsewhere(elsewhere, seed=seed)
    write_isic2019_ground_truth(folder / "ISIC_2019_Training_GroundTruth.csv", [*ham, *others])
    header = ("image", "age_approx", "anatom_site_general", "lesion_id", "sex")
    write_rows(folder / "ISIC_2019_Training_Metadata.csv", header, [_metadata(image) for image in (*ham, *others)])
    for index, image in enumerate((*ham, *others)):
        photo = _enlarged(photograph(image, seed=seed, width_px=width_px, height_px=height_px))
        write_photo(photos / f"{image.image_id}.jpg", _middle_square(photo) if index % 2 else photo)
    return folder


def write_isic2018(
    out: Path,
    *,
    lesions_per_class: int,
    images_per_lesion: int = 2,
    seed: int,
    width_px: int = 200,
    height_px: int = 150,
) -> Path:
    """Writes `ISIC2018` below `out`: Task 3 with its table of lesions; gives the folder.

    Equal arguments give the very photos of `write_ham10000`.
    """
    folder = out / "ISIC2018"
    truth = "ISIC2018_Task3_Training_GroundTruth"
    images = invent_ham_images(lesions_per_class=lesions_per_class, images_per_lesion=images_per_lesion, seed=seed)
    write_rows(folder / truth / f"{truth}.csv", ("image", *_CODES_2018), _one_hot(images, _CODES_2018))
    write_rows(
        folder / "ISIC2018_Task3_Training_LesionGroupings.csv",
        ("image", "lesion_id", "diagnosis_confirm_type"),
        [(image.image_id, image.case.lesion_id, _CONFIRM_TYPES[image.case.dx_type]) for image in images],
    )
    for image in images:
        photo = photograph(image, seed=seed, width_px=width_px, height_px=height_px)
        write_photo(folder / "ISIC2018_Task3_Training_Input" / f"{image.image_id}.jpg", photo)
    return folder


def write_isic2019_ground_truth(path: Path, images: Sequence[CaseImage]) -> None:
    """Writes the one-hot table alone."""
    write_rows(path, ("image", *_CODES_2019), _one_hot(images, _CODES_2019))


def _invent_elsewhere(count: int, *, seed: int) -> Sequence[CaseImage]:
    rng = np.random.default_rng([seed, _FIRST_ELSEWHERE])
    codes = [("nv", "mel", "bkl")[index % 3] for index in range(count)]
    images = invent_images(rng, codes, images_per_lesion=1, first_number=_FIRST_ELSEWHERE, prefix="NONE")
    return [CaseImage(f"{image.image_id}_downsampled", image.case, image.photo_number) for image in images]


def _one_hot(images: Sequence[CaseImage], columns: Mapping[str, frozenset[str]]) -> Sequence[Sequence[str]]:
    return [
        [image.image_id, *("1.0" if image.case.code in codes else "0.0" for codes in columns.values())]
        for image in images
    ]


def _metadata(image: CaseImage) -> Sequence[str]:
    case = image.case
    return (
        image.image_id,
        case.age.removesuffix(".0"),
        _GENERAL_SITES.get(case.site, case.site),
        case.lesion_id if case.lesion_id.startswith("HAM") else "",
        "" if case.sex == "unknown" else case.sex,
    )


def _enlarged(photo: Photo) -> Photo:
    return np.asarray(cv2.resize(photo, None, fx=1.5, fy=1.5, interpolation=cv2.INTER_CUBIC), np.uint8)


def _middle_square(photo: Photo) -> Photo:
    side = min(photo.shape[:2])
    top, left = (photo.shape[0] - side) // 2, (photo.shape[1] - side) // 2
    return photo[top : top + side, left : left + side]
