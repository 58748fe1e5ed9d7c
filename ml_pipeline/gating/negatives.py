"""Photos that show no lesion: folders of real ones, in splits of their own, and drawn ones to learn from.

Drawn photos and patches of skin beside a lesion are for fitting alone; no figure is made of them.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_models.errors import PhotoError
from ml_models.image_io import read_pixels
from ml_pipeline.data.records import Split
from ml_pipeline.data.sources.source import photos_below
from ml_pipeline.errors import PipelineError
from ml_pipeline.synthetic import LESION_CODES, draw, draw_document, draw_wall, vary_scene

Photo = NDArray[np.uint8]
_SHARES = ((Split.TRAIN, 0.5), (Split.VALIDATION, 0.75), (Split.TEST, 1.0))  # upper ends
_DRAWN_PX = (280, 210)
_ROUGH = 0.3  # share of noise with hard edges
_WORDS = ("Settings", "Messages", "12:45", "Back", "Search", "Photos", "Send", "Today", "Invoice", "100 %")


@dataclass(frozen=True, slots=True)
class Negatives:
    """The photo files of one source, by split; a source that stays out of every choice has test photos alone."""

    name: str
    paths: tuple[Path, ...]
    splits: tuple[Split, ...]

    @property
    def is_held_out(self) -> bool:
        """Whether none of its photos has a say in anything."""
        return set(self.splits) == {Split.TEST}

    def of_split(self, split: Split) -> tuple[Path, ...]:
        """The files of one split."""
        return tuple(path for path, each in zip(self.paths, self.splits, strict=True) if each is split)


def find_negatives(folder: Path, *, held_out: bool = False) -> Negatives:
    """All photos below a folder, named after it. Equal files share a split: it is drawn from their content.

    Raises PipelineError where there is none.
    """
    paths = tuple(sorted(photos_below(folder))) if folder.is_dir() else ()
    if not paths:
        raise PipelineError(f"No photos below {folder}. Give a folder of photos that show no lesion.")
    splits = tuple(Split.TEST if held_out else _split(path) for path in paths)
    return Negatives(folder.name, paths, splits)


def read_negative(path: Path, *, model_input_px: int) -> Photo:
    """Decode one as the server would. Raises PipelineError naming a file that no server would take."""
    try:
        return read_pixels(path.read_bytes(), model_input_px=model_input_px).rgb
    except PhotoError as error:
        raise PipelineError(f"{path}: {error} Take it away.") from error


def drawn_negatives(*, count: int, seed: int) -> Iterator[Photo]:
    """Documents, walls, skin without a lesion, screens and noise, in turns."""
    width, height = _DRAWN_PX
    for index in range(count):
        rng = np.random.default_rng([seed, index])
        number = int(rng.integers(2**31))
        kinds = (
            lambda n=number: draw_document(width_px=width, height_px=height, seed=n),
            lambda n=number: draw_wall(width_px=width, height_px=height, seed=n),
            lambda r=rng, n=number: draw(
                vary_scene(None, r, size_px=min(_DRAWN_PX)), width_px=width, height_px=height, seed=n
            ),
            lambda r=rng: _screen(r),
            lambda r=rng: _noise(r),
        )
        yield kinds[index % len(kinds)]()


def drawn_lesions(*, count: int, seed: int) -> Iterator[Photo]:
    """Lesions drawn on skin: so that drawings are judged by what they show, and not by being drawn."""
    width, height = _DRAWN_PX
    for index in range(count):
        rng = np.random.default_rng([seed, 1, index])
        scene = vary_scene(LESION_CODES[index % len(LESION_CODES)], rng, size_px=min(_DRAWN_PX))
        yield draw(scene, width_px=width, height_px=height, seed=int(rng.integers(2**31)))


def views(photo: Photo, *, count: int, rng: np.random.Generator) -> Iterator[Photo]:
    """Random parts of a photo, mirrored and relit: from a third of each side to all of it."""
    height, width = photo.shape[:2]
    for _ in range(count):
        scale = rng.uniform(0.35, 1.0)
        part_height, part_width = max(16, round(scale * height)), max(16, round(scale * width))
        top, left = rng.integers(0, height - part_height + 1), rng.integers(0, width - part_width + 1)
        part = photo[top : top + part_height, left : left + part_width][:: rng.choice((-1, 1)), :: rng.choice((-1, 1))]
        yield np.asarray(np.clip(part * rng.uniform(0.6, 1.3), 0, 255), np.uint8)


def skin_beside(photo: Photo, lesion: NDArray[np.bool_], *, rng: np.random.Generator) -> Photo | None:
    """A patch that holds nothing of the lesion; `lesion` is bool [h, w] of the photo's own size. None where none fits.

    A patch has at least a third of each side, and a tenth of a side lies between it and the lesion.
    """
    height, width = lesion.shape
    near = cv2.dilate(lesion.astype(np.uint8), np.ones((height // 5, width // 5), np.uint8))
    part_height, part_width = height // 3, width // 3
    covered = cv2.boxFilter(
        near.astype(np.float32),
        -1,
        (part_width, part_height),
        anchor=(0, 0),
        normalize=False,
        borderType=cv2.BORDER_CONSTANT,
    )[: height - part_height, : width - part_width]
    free = np.argwhere(covered < 1)
    if not len(free):
        return None
    top, left = free[rng.integers(len(free))]
    return np.ascontiguousarray(photo[top : top + part_height, left : left + part_width])


def _split(path: Path) -> Split:
    digest = hashlib.sha256(path.read_bytes()).digest()
    share = int.from_bytes(digest[:8], "big") / 2**64
    return next(split for split, end in _SHARES if share < end)


def _screen(rng: np.random.Generator) -> Photo:
    """Boxes and words in flat colours, as on a telephone."""
    width, height = _DRAWN_PX
    picture = np.full((height, width, 3), rng.integers(0, 256, 3), np.uint8)
    for _ in range(int(rng.integers(4, 14))):
        left, top = int(rng.integers(0, width)), int(rng.integers(0, height))
        corner = (left + int(rng.integers(10, width)), top + int(rng.integers(6, 60)))
        cv2.rectangle(picture, (left, top), corner, [int(each) for each in rng.integers(0, 256, 3)], -1)
        word, colour = _WORDS[rng.integers(len(_WORDS))], [int(each) for each in rng.integers(0, 256, 3)]
        cv2.putText(picture, word, (left, top), cv2.FONT_HERSHEY_SIMPLEX, rng.uniform(0.3, 1.2), colour, 1, cv2.LINE_AA)
    return picture


def _noise(rng: np.random.Generator) -> Photo:
    """Smooth or rough random colours."""
    width, height = _DRAWN_PX
    coarse = max(2, int(2 ** rng.uniform(1, 7.5)))
    small = rng.integers(0, 256, (coarse, coarse, 3)).astype(np.uint8)
    method = cv2.INTER_NEAREST if rng.random() < _ROUGH else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(small, (width, height), interpolation=method), np.uint8)
