"""The files that finding copies is measured on: a person's own, or drawn ones, and the same photos at other sizes.

Everything made lies in a folder that the caller removes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring import BenchmarkError
from benchmarks.photos import FOLDER_SUFFIXES
from ml_models.image_io import read_pixels
from ml_pipeline.data.records import read_records
from ml_pipeline.executor import ordered_map
from ml_pipeline.synthetic import LESION_CODES, Scene, draw

AS_GIVEN = "as given"
WHOLE = 1 << 20  # a model's input so large that every pixel is decoded

_SEED = 2026
_DRAWN_PX = (600, 450)
_TILE_PX = 512

Rgb = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class SizeClass:
    """Photos of one size, or as they were given."""

    name: str
    paths: tuple[Path, ...]

    @property
    def mean_bytes(self) -> float:
        return float(np.mean([path.stat().st_size for path in self.paths]))


@dataclass(frozen=True, slots=True)
class Made:
    """How photos of one size are made: with the noise and quality that give files as large as a camera's.

    600 x 450 weigh 270 kB as HAM10000's originals do, 12 MP 4 MB as a phone's.
    """

    width_px: int
    height_px: int
    noise: float
    quality: int

    @property
    def name(self) -> str:
        return f"{self.width_px} x {self.height_px}"


DERMATOSCOPIC, SCREEN, PHONE = Made(600, 450, 8.0, 98), Made(1024, 768, 5.0, 95), Made(3000, 4000, 5.0, 95)
SIZES = (DERMATOSCOPIC, SCREEN, PHONE)


def files_below(folders: Sequence[Path]) -> list[Path]:
    """All photos by suffix, in all depths, sorted. Raises BenchmarkError when a folder holds none."""
    found = []
    for folder in folders:
        files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in FOLDER_SUFFIXES and file.is_file())
        if not files:
            raise BenchmarkError(f"{folder} holds no photo. Name a folder with {', '.join(FOLDER_SUFFIXES)} files.")
        found += files
    return sorted(set(found))


def one_per_group(table: Path) -> list[Path]:
    """A photo of every group of a build's table, so that no two show the same lesion."""
    first: dict[str, Path] = {}
    for record in read_records(table):
        first.setdefault(record.group, Path(record.path))
    return [first[group] for group in sorted(first)]


def evenly(paths: Sequence[Path], count: int) -> tuple[Path, ...]:
    """So many of them, spread over the whole."""
    chosen = np.linspace(0, len(paths) - 1, min(count, len(paths))).round().astype(int)
    return tuple(paths[index] for index in np.unique(chosen))


def draw_photos(folder: Path, count: int, *, workers: int) -> list[Path]:
    """Draw so many different lesions at 600 x 450 into the folder."""
    return list(ordered_map(partial(_draw, folder), range(count), workers=workers, chunk=4))


def made_at(size: Made, photos: Sequence[Path], folder: Path) -> SizeClass:
    """The same photos at that size, whatever shape they had, with a sensor's noise, as JPEG."""
    folder = folder / size.name.replace(" ", "")
    folder.mkdir()
    tile = np.random.default_rng(_SEED).normal(0, size.noise, (_TILE_PX, _TILE_PX, 3)).round().astype(np.int8)
    times = (-(-size.height_px // _TILE_PX), -(-size.width_px // _TILE_PX), 1)
    noise = np.ascontiguousarray(np.tile(tile, times)[: size.height_px, : size.width_px])
    paths = []
    for number, photo in enumerate(photos):
        rgb = cv2.resize(decoded(photo), (size.width_px, size.height_px), interpolation=cv2.INTER_CUBIC)
        path = folder / f"{number:04}.jpg"
        write_jpeg(path, np.asarray(cv2.add(rgb, noise, dtype=cv2.CV_8U), np.uint8), quality=size.quality)
        paths.append(path)
    return SizeClass(size.name, tuple(paths))


def decoded(path: Path) -> Rgb:
    """Every pixel, uint8 [h, w, 3]."""
    return read_pixels(path.read_bytes(), model_input_px=WHOLE).rgb


def write_jpeg(path: Path, rgb: Rgb, *, quality: int) -> None:
    done, encoded = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise BenchmarkError(f"{path} could not be encoded as JPEG.")
    path.write_bytes(bytes(encoded))


def _draw(folder: Path, number: int) -> Path:
    rng = np.random.default_rng([_SEED, number])
    skin_tone, scale, shift_x, shift_y = rng.uniform((0.05, 0.35, -0.1, -0.1), (0.5, 0.75, 0.1, 0.1))
    scene = Scene(
        LESION_CODES[number % len(LESION_CODES)],
        skin_tone=float(skin_tone),
        lesion_scale=float(scale),
        shift_x=float(shift_x),
        shift_y=float(shift_y),
        hair=int(rng.integers(0, 30)),
    )
    width_px, height_px = _DRAWN_PX
    path = folder / f"drawn_{number:04}.jpg"
    write_jpeg(path, draw(scene, width_px=width_px, height_px=height_px, seed=number), quality=DERMATOSCOPIC.quality)
    return path
