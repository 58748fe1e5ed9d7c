"""Drawn lesions, small downloads of all sources, and hands to encode and examine photos."""

import functools
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from ml_models.classification import Modality
from ml_pipeline.data import fingerprint
from ml_pipeline.data.cache import Cache
from ml_pipeline.data.deduplicate import File, Limits, Pair, find_copies
from ml_pipeline.data.fingerprint import Pyramid
from ml_pipeline.data.sources import folders, ham10000, isic2018, isic2019, pad_ufes, reviews
from ml_pipeline.data.sources.source import Reading
from ml_pipeline.data.verify import FileFacts, FileStatus, examine
from ml_pipeline.progress import silence
from ml_pipeline.synthetic import (
    LESION_CODES,
    Scene,
    draw,
    tiny_cases,
    tiny_data_set,
    tiny_isic,
    write_class_folders,
    write_ham10000,
    write_isic2018,
    write_isic2019,
    write_pad_ufes,
    write_reviews,
)

Photo = NDArray[np.uint8]
ORIENTATION_TAG = 0x0112


@dataclass(frozen=True, slots=True)
class SmallDownloads:
    """The folder of each source; together they give every class enough lesions for three splits."""

    ham10000: Path
    isic2019: Path
    isic2018: Path
    pad_ufes: Path
    class_folders: Path
    reviews: Path

    def readings(self) -> list[Reading]:
        return [
            ham10000.read(self.ham10000),
            isic2019.read(self.isic2019),
            isic2018.read(self.isic2018),
            pad_ufes.read(self.pad_ufes),
            folders.read("own", self.class_folders, modality=Modality.CLINICAL),
            reviews.read(self.reviews),
        ]


def write_small_downloads(out: Path) -> SmallDownloads:
    """What `write_downloads` writes, with smaller photos, which take a third of the time to draw."""
    lesions_per_class, seed, width_px, height_px = 5, 3, 96, 72
    ham = write_ham10000(out, lesions_per_class=lesions_per_class, seed=seed, width_px=width_px, height_px=height_px)
    isic = {"lesions_per_class": lesions_per_class, "seed": seed, "width_px": width_px, "height_px": height_px}
    return SmallDownloads(
        ham10000=ham.metadata_csv.parent,
        isic2019=write_isic2019(out, **isic),
        isic2018=write_isic2018(out, **isic),
        pad_ufes=write_pad_ufes(out, lesions_per_class=2, photos_per_lesion=1, seed=seed),
        class_folders=write_class_folders(
            out, classes=("Melanoma", "nevus", "tinea corporis"), photos_per_class=5, seed=seed
        ),
        reviews=write_reviews(out, photos=8, seed=seed),
    )


@pytest.fixture(scope="session")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> SmallDownloads:
    """All sources on disk; tests that damage files copy them first."""
    with pytest.MonkeyPatch.context() as patch:
        drawn_once = functools.cache(tiny_cases.photograph)  # three of the sources show the same photos
        for module in (tiny_data_set, tiny_isic):
            patch.setattr(module, "photograph", drawn_once)
        return write_small_downloads(tmp_path_factory.mktemp("downloads"))


@pytest.fixture(scope="session")
def lesions() -> Sequence[Photo]:
    """Photos uint8 [225, 300, 3] of sixteen different lesions with hairs, not in the middle: what real photos have."""
    photos = []
    for number in range(16):
        rng = np.random.default_rng([5, number])
        scene = Scene(
            lesion=LESION_CODES[number % len(LESION_CODES)],
            skin_tone=rng.uniform(0, 0.6),
            lesion_scale=rng.uniform(0.35, 0.65),
            shift_x=rng.uniform(-0.08, 0.08),
            shift_y=rng.uniform(-0.08, 0.08),
            hair=int(rng.integers(4, 12)),
        )
        photos.append(draw(scene, width_px=300, height_px=225, seed=100 + number))
    return photos


def encoded(photo: Photo, image_format: str = "JPEG", **options: object) -> bytes:
    """A file's bytes, by Pillow; JPEGs at quality 92 unless told."""
    buffer = io.BytesIO()
    if image_format == "JPEG":
        options = {"quality": 92, **options}
    Image.fromarray(photo).save(buffer, image_format, **options)
    return buffer.getvalue()


def exif_orientation(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = orientation
    return exif


def examined(data: bytes) -> FileFacts:
    return examine(data, hashlib.sha256(data).hexdigest())


def write_file(folder: Path, image_id: str, data: bytes, suffix: str = ".jpg") -> File:
    """Write and examine one usable file."""
    path = folder / f"{image_id.replace('/', '-')}-{hashlib.sha256(data).hexdigest()[:8]}{suffix}"
    path.write_bytes(data)
    facts = examined(data)
    assert facts.status is FileStatus.OK, facts.reason
    return File(image_id, path, facts)


def copies_of(files: Sequence[File], folder: Path, *, limits: Limits | None = None, workers: int = 1) -> list[Pair]:
    """All judged pairs, through a cache of their own."""
    cache = Cache(folder / "copies.sqlite3")
    try:
        return list(find_copies(files, limits=limits or Limits(), workers=workers, cache=cache, progress=silence))
    finally:
        cache.close()


def pyramid_of(photo: Photo) -> Pyramid:
    return fingerprint.pyramid(np.asarray(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), np.uint8))
