"""Colour profiles: what the model sees is sRGB, and of a profile only the numbers that this needs survive.

A profile is a container of its own (texts, dates, private tags), so it is rebuilt from its colorants and curves.
ICC.1:2022. Profiles by look-up table, of CMYK and of grayscale are left out: phones write RGB matrix profiles.
"""

import io
import struct
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

MAX_PROFILE_BYTES = 2**20
_HEADER_BYTES, _ENTRY_BYTES = 128, 12
_MAX_TAGS = 100
_MAX_CURVE_POINTS = 4096
_ROUNDING = 2  # steps of 255 by which an sRGB profile differs from sRGB
_PARAMETERS = (1, 3, 4, 5, 7)  # of a parametric curve, by its function type
_MAX_NUMBER = 16 << 16  # 15 bits, a point, 16 bits
_D50 = struct.pack(">3i", 0xF6D6, 0x10000, 0xD32D)
_COLORANTS = (b"rXYZ", b"gXYZ", b"bXYZ")
_CURVES = (b"rTRC", b"gTRC", b"bTRC")


def matrix_profile(icc: bytes) -> bytes | None:
    """The RGB matrix profile with the same colours and nothing else in it; None where `icc` is not one or is damaged.

    Equal profiles give equal bytes, whatever texts, dates and identifiers they carried.
    """
    tags = _tags(icc)
    values = {name: _xyz(tags.get(name, b"")) for name in _COLORANTS}
    values |= {name: _curve(tags.get(name, b"")) for name in _CURVES}
    kept = {name: value for name, value in values.items() if value is not None}
    if len(kept) < len(values):
        return None
    header = struct.pack(">4x4sI4s4s4s", b"", 0x04300000, b"mntr", b"RGB ", b"XYZ ") + bytes(12) + b"acsp"
    header += bytes(28) + _D50 + bytes(48)
    position = _HEADER_BYTES + 4 + _ENTRY_BYTES * len(kept)
    table, body = struct.pack(">I", len(kept)), b""
    for name, value in kept.items():
        table += struct.pack(">4sII", name, position + len(body), len(value))
        body += value + bytes(-len(value) % 4)
    rebuilt = header + table + body
    return struct.pack(">I", len(rebuilt)) + rebuilt[4:]


def to_srgb(rgb: NDArray[np.uint8], profile: bytes | None) -> NDArray[np.uint8]:
    """Pixels uint8 [h, w, 3] of a rebuilt profile as sRGB; unchanged without one."""
    if profile is None:
        return rgb
    transform = _transform(profile)
    return rgb if transform is None else np.asarray(transform.apply(Image.fromarray(rgb)), np.uint8)


def _tags(icc: bytes) -> dict[bytes, bytes]:
    if not _HEADER_BYTES + 4 <= len(icc) <= MAX_PROFILE_BYTES or icc[16:24] != b"RGB XYZ ":
        return {}
    (count,) = struct.unpack_from(">I", icc, _HEADER_BYTES)
    table = icc[_HEADER_BYTES + 4 : _HEADER_BYTES + 4 + _ENTRY_BYTES * min(count, _MAX_TAGS)]
    whole = table[: len(table) // _ENTRY_BYTES * _ENTRY_BYTES]
    return {name: icc[start : start + size] for name, start, size in struct.iter_unpack(">4sII", whole)}


def _xyz(tag: bytes) -> bytes | None:
    """One XYZ number in a tag of its own."""
    return b"XYZ \0\0\0\0" + tag[8:20] if tag.startswith(b"XYZ ") and _are_plausible(tag[8:20], 3) else None


def _curve(tag: bytes) -> bytes | None:
    """A sampled or a parametric curve, without what follows its last number."""
    if len(tag) < _ENTRY_BYTES:
        return None
    if tag.startswith(b"curv"):
        (points,) = struct.unpack_from(">I", tag, 8)
        end = 12 + 2 * points
        if points > _MAX_CURVE_POINTS or len(tag) < end:
            return None
        rises = (np.diff(np.frombuffer(tag[12:end], ">u2").astype(np.int32)) >= 0).all()  # as text would not
        return b"curv\0\0\0\0" + tag[8:end] if rises else None
    function = int.from_bytes(tag[8:10], "big")
    if tag.startswith(b"para") and function < len(_PARAMETERS):
        numbers = tag[12 : 12 + 4 * _PARAMETERS[function]]
        if _are_plausible(numbers, _PARAMETERS[function]):
            return b"para\0\0\0\0" + tag[8:10] + b"\0\0" + numbers
    return None


def _are_plausible(numbers: bytes, count: int) -> bool:
    """So many fixed-point numbers of a size that displays have; four letters would be thousands."""
    return len(numbers) == 4 * count and all(abs(n) < _MAX_NUMBER for (n,) in struct.iter_unpack(">i", numbers))


@lru_cache(maxsize=16)  # a phone writes the same profile into every photo
def _transform(profile: bytes) -> ImageCms.ImageCmsTransform | None:
    """The way to sRGB; None where it changes nothing, or where the numbers make no colours."""
    steps = np.arange(0, 256, 15, dtype=np.uint8)
    probe = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(len(steps), -1, 3)
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), "RGB", "RGB")
        shown = np.asarray(transform.apply(Image.fromarray(probe)), np.int16)
    except (OSError, ImageCms.PyCMSError):
        return None
    return transform if np.abs(shown - probe).max() > _ROUNDING else None
