"""Small good files, damaged at random: the strategy of the fuzzing tests."""

from collections.abc import Callable, Sequence
from functools import cache
from random import Random

import numpy as np
from hypothesis import strategies as st
from PIL import Image

from tests.hostile import boxes, jpegs, plants, pngs, profiles, riffs
from tests.hostile.scenes import Rgb, encoded, scene

_SMALL_PX = (160, 120)
_LONGEST_RUN_BITS = 12
_KEPT = 0.8  # of the files keep their beginning, and of PNGs their checksums
_RECOGNISED_BYTES = 12
_FULL = {2: (0, 1, 0x7FFF, 0xFFFF), 4: (0, 1, 0x7FFFFFFF, 0xFFFFFFFF)}


def _small() -> Rgb:
    width_px, height_px = _SMALL_PX
    return scene("nv", width_px=width_px, height_px=height_px, seed=4)


@cache
def seeds() -> dict[str, bytes]:
    """One file of each kind that is accepted, every one of at most 20 KB."""
    image = Image.fromarray(_small())
    jpeg, webp = encoded("JPEG", image, quality=70), encoded("WEBP", image, quality=50)
    alpha = image.copy()
    alpha.putalpha(Image.linear_gradient("L").resize(alpha.size))
    tile = boxes.coded_picture(encoded("HEIF", image, quality=30))
    whole = boxes.Item(
        2, b"grid", boxes.grid(2, 2, 320, 240), (boxes.size_property(320, 240),), ((b"dimg", (1, 1, 1, 1)),)
    )
    few = image.quantize(16)
    return {
        "jpeg": jpeg,
        "jpeg-progressive": encoded("JPEG", image, quality=60, progressive=True),
        "jpeg-with-restarts": encoded("JPEG", image, quality=60, restart_marker_blocks=7),
        "jpeg-grey": encoded("JPEG", image.convert("L"), quality=60),
        "jpeg-cmyk": encoded("JPEG", image.convert("CMYK"), quality=40),
        "jpeg-with-everything": jpegs.planted(
            jpeg,
            jpegs.segment(0xE1, b"Exif\0\0" + _small_exif()) + jpegs.icc_segments(profiles.profile(), size=300),
        ),
        "png-palette": encoded("PNG", few),
        "png-with-everything": pngs.planted(
            encoded("PNG", few, icc_profile=profiles.profile(), transparency=3), pngs.chunk(b"eXIf", _small_exif())
        ),
        "png-16-bit": encoded(
            "PNG", Image.fromarray(np.linspace(0, 65_535, 64 * 64).astype(np.uint16).reshape(64, 64))
        ),
        "png-alpha": encoded("PNG", alpha.resize((70, 64))),
        "png-interlaced": pngs.interlaced(np.asarray(image.resize((64, 64)))),
        "png-animated": pngs.animated(encoded("PNG", few), 1),
        "webp": webp,
        "webp-lossless-alpha": encoded("WEBP", alpha.resize((80, 64)), lossless=True),
        "webp-with-everything": encoded(
            "WEBP", alpha, quality=50, exif=_small_exif(), icc_profile=profiles.profile(), xmp=plants.xmp()
        ),
        "webp-animated": encoded("WEBP", image, save_all=True, append_images=[image.rotate(90)], quality=40),
        "heic": encoded("HEIF", image, quality=40),
        "heic-alpha": encoded("HEIF", alpha, quality=30),
        "heic-grid": boxes.heif([tile, whole], primary=2),
        "heic-with-everything": encoded(
            "HEIF", image, quality=30, exif=_small_exif(), icc_profile=profiles.profile(), xmp=plants.xmp()
        ),
        "webp-extended": riffs.extended(webp, riffs.chunk(b"EXIF", _small_exif()), flags=8, size_px=_SMALL_PX),
    }


def _small_exif() -> bytes:
    block = Image.Exif()
    block[0x0112] = 6
    block.get_ifd(0x8825)[1] = "N"
    return block.tobytes().removeprefix(b"Exif\0\0")


@cache
def parts() -> dict[str, tuple[bytes, ...]]:
    """Files for the readers of single formats: small enough that most mutations hit what they read."""
    curves = (profiles.gamma(2.2), profiles.sampled([0, 9_000, 65_535]), profiles.parametric(3, *profiles.SRGB_CURVE))
    heics = (data[: data.index(b"mdat") - 4] for name, data in seeds().items() if name.startswith("heic"))
    return {
        "jpeg": tuple(data for name, data in seeds().items() if name.startswith("jpeg")),
        "png": tuple(data for name, data in seeds().items() if name.startswith("png")),
        "heif": (seeds()["heic-grid"], *heics, _heads_of_grids(wide=False), _heads_of_grids(wide=True)),
        "profile": tuple(profiles.profile(curve=curve) for curve in curves),
    }


def _heads_of_grids(*, wide: bool) -> bytes:
    """The boxes of a grid of grids, without any picture."""
    size = boxes.size_property(320, 240)
    tile = boxes.Item(1, b"hvc1", b"", (size,))
    inner, outer = (boxes.Item(number, b"grid", b"", (size,), ((b"dimg", (number - 1,) * 4),)) for number in (2, 3))
    return boxes.heif([tile, inner, outer], primary=3, wide=wide)


def mutated_files(originals: Sequence[bytes] | None = None) -> st.SearchStrategy[bytes]:
    """A seed, or one of these, after one to four mutations, each file made from one number."""
    return st.integers(0, 2**64 - 1).map(lambda number: mutated(number, originals or tuple(seeds().values())))


def mutated(number: int, originals: Sequence[bytes]) -> bytes:
    """The file of this number: most keep what they are recognised by, and most PNGs have true checksums."""
    random = Random(number)  # noqa: S311 - repeatable on purpose
    original = random.choice(originals)
    data = original
    for _ in range(random.randint(1, 4)):
        at = int(len(data) * random.random() ** random.choice((1, 1, 3)))
        data = random.choice(_MUTATIONS)(random, data, at)
    if random.random() < _KEPT:
        data = original[:_RECOGNISED_BYTES] + data[_RECOGNISED_BYTES:]
    if random.random() < _KEPT and data.startswith(pngs.SIGNATURE):
        data = pngs.with_true_checksums(data)
    return data


def _run_length(random: Random) -> int:
    return int(2 ** random.uniform(0, _LONGEST_RUN_BITS))


def _flip(random: Random, data: bytes, at: int) -> bytes:
    return data[:at] + bytes(byte ^ 1 << random.randrange(8) for byte in data[at : at + 1]) + data[at + 1 :]


def _byte(random: Random, data: bytes, at: int) -> bytes:
    return data[:at] + random.randbytes(1) + data[at + 1 :]


def _overwrite(random: Random, data: bytes, at: int) -> bytes:
    length = _run_length(random)
    run = random.choice((bytes(length), b"\xff" * length, random.randbytes(length)))
    return data[:at] + run[: len(data) - at] + data[at + length :]


def _delete(random: Random, data: bytes, at: int) -> bytes:
    return data[:at] + data[at + _run_length(random) :]


def _duplicate(random: Random, data: bytes, at: int) -> bytes:
    return data[:at] + data[at : at + _run_length(random)] * random.randint(2, 5) + data[at:]


def _swap(random: Random, data: bytes, at: int) -> bytes:
    other = random.choice(list(seeds().values()))
    start = random.randrange(len(other))
    return data[:at] + other[start : start + _run_length(random)] + data[at:]


def _truncate(_random: Random, data: bytes, at: int) -> bytes:
    return data[:at]


def _number(random: Random, data: bytes, at: int) -> bytes:
    width = random.choice((2, 4))
    value = random.choice((*_FULL[width], random.randrange(256 ** random.randint(1, width))))
    run = value.to_bytes(width, random.choice(("big", "little")))
    return data[:at] + run[: len(data) - at] + data[at + width :]


_MUTATIONS: tuple[Callable[[Random, bytes, int], bytes], ...] = (
    _flip,
    _flip,
    _byte,
    _byte,
    _overwrite,
    _delete,
    _duplicate,
    _swap,
    _truncate,
    _number,
    _number,
    _number,
)
