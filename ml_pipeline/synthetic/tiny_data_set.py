"""Tiny downloads of every source, laid out as people get them, to test and try out the pipeline.

Every row and every photo is invented. HAM10000 is written here (Tschandl et al., Sci Data 2018); the others have
modules of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ml_pipeline.synthetic.tiny_cases import CaseImage, invent_ham_images, photograph, write_photo, write_rows
from ml_pipeline.synthetic.tiny_folders import write_class_folders, write_reviews
from ml_pipeline.synthetic.tiny_isic import write_isic2018, write_isic2019, write_isic2019_ground_truth
from ml_pipeline.synthetic.tiny_pad_ufes import write_pad_ufes

_DX = {"scc": "akiec"}  # HAM10000 has no class of its own for it; all other codes are equal
_METADATA_COLUMNS = ("lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization")


@dataclass(frozen=True, slots=True)
class HamLayout:
    """Where `write_ham10000` put things."""

    metadata_csv: Path
    images_part_1: Path
    images_part_2: Path
    ground_truth_csv: Path


@dataclass(frozen=True, slots=True)
class Downloads:
    """The folder of each source that `write_downloads` wrote."""

    ham10000: Path
    isic2019: Path
    isic2018: Path
    pad_ufes: Path
    class_folders: Path
    reviews: Path


def write_downloads(out: Path, *, lesions_per_class: int = 1, seed: int) -> Downloads:
    """Writes one download of every source below `out`; those of ISIC hold HAM10000's ids again, as the real ones do."""
    ham = write_ham10000(out, lesions_per_class=lesions_per_class, seed=seed)
    return Downloads(
        ham10000=ham.metadata_csv.parent,
        isic2019=write_isic2019(out, lesions_per_class=lesions_per_class, seed=seed),
        isic2018=write_isic2018(out, lesions_per_class=lesions_per_class, seed=seed),
        pad_ufes=write_pad_ufes(out, lesions_per_class=lesions_per_class, seed=seed),
        class_folders=write_class_folders(
            out, classes=("Melanoma", "nevus", "tinea corporis"), photos_per_class=2 * lesions_per_class, seed=seed
        ),
        reviews=write_reviews(out, photos=4 * lesions_per_class, seed=seed),
    )


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
    images = invent_ham_images(lesions_per_class=lesions_per_class, images_per_lesion=images_per_lesion, seed=seed)
    write_rows(layout.metadata_csv, _METADATA_COLUMNS, _metadata(images))
    write_isic2019_ground_truth(layout.ground_truth_csv, images)
    for index, image in enumerate(images):
        folder = layout.images_part_1 if 2 * index < len(images) else layout.images_part_2
        photo = photograph(image, seed=seed, width_px=width_px, height_px=height_px)
        write_photo(folder / f"{image.image_id}.jpg", photo)
    return layout


def _layout(out: Path) -> HamLayout:
    ham = out / "HAM10000"
    return HamLayout(
        metadata_csv=ham / "HAM10000_metadata.csv",
        images_part_1=ham / "HAM10000_images_part_1",
        images_part_2=ham / "HAM10000_images_part_2",
        ground_truth_csv=out / "ISIC2019" / "ISIC_2019_Training_GroundTruth.csv",
    )


def _metadata(images: Sequence[CaseImage]) -> Sequence[Sequence[str]]:
    rows = []
    for image in images:
        case = image.case
        dx = _DX.get(case.code, case.code)
        rows.append([case.lesion_id, image.image_id, dx, case.dx_type, case.age, case.sex, case.site])
    return rows
