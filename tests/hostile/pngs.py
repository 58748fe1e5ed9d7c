"""PNG files made by hand, chunk by chunk (ISO/IEC 15948, W3C PNG third edition, 2025)."""

import struct
import zlib
from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
_ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
_CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    """One chunk with length and checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and data of every chunk of a well-formed file."""
    position = len(SIGNATURE)
    while position < len(png):
        length = int.from_bytes(png[position : position + 4], "big")
        yield png[position + 4 : position + 8], png[position + 8 : position + 8 + length]
        position += 12 + length


def joined(several: list[tuple[bytes, bytes]]) -> bytes:
    """The inverse of `chunks`."""
    return SIGNATURE + b"".join(chunk(kind, data) for kind, data in several)


def with_true_checksums(png: bytes) -> bytes:
    """The same file, damaged or not, with the checksum of every chunk that is whole."""
    position = len(SIGNATURE)
    while position + 12 <= len(png):
        end = position + 8 + int.from_bytes(png[position : position + 4], "big")
        if end + 4 > len(png):
            break
        png = png[:end] + struct.pack(">I", zlib.crc32(png[position + 4 : end])) + png[end + 4 :]
        position = end + 4
    return png


def planted(png: bytes, *extra: bytes, before: bytes = b"IDAT") -> bytes:
    """Whole chunks right before the first one of a kind."""
    at = png.index(before) - 4
    return png[:at] + b"".join(extra) + png[at:]


def header(width_px: int, height_px: int, *, bits: int = 8, colour: int = RGB, interlaced: bool = False) -> bytes:
    """An IHDR chunk."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width_px, height_px, bits, colour, 0, 0, interlaced))


def flat(width_px: int, height_px: int, *, bits: int = 8, colour: int = RGB, rows: int | None = None) -> bytes:
    """A picture of zeros: few bytes for any size. `rows` are those that the data really hold."""
    row = bytes(1 + -(-width_px * bits * _CHANNELS[colour] // 8))
    squeeze = zlib.compressobj(9)
    data = b"".join(squeeze.compress(row) for _ in range(height_px if rows is None else rows)) + squeeze.flush()
    palette = chunk(b"PLTE", bytes((10, 20, 30))) if colour == PALETTE else b""
    return SIGNATURE + header(width_px, height_px, bits=bits, colour=colour) + palette + chunk(b"IDAT", data) + END


def interlaced(rgb: NDArray[np.uint8]) -> bytes:
    """A picture in Adam7's seven passes."""
    rows = b"".join(
        b"\0" + row.tobytes() for top, left, down, right in _ADAM7 for row in rgb[top::down, left::right] if row.size
    )
    height_px, width_px = rgb.shape[:2]
    head = header(width_px, height_px, interlaced=True)
    return SIGNATURE + head + chunk(b"IDAT", zlib.compress(rows)) + END


def sixteen_bit(pixels: NDArray[np.uint16], colour: int) -> bytes:
    """A picture [h, w, channels] of 16 bits in each."""
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    height_px, width_px = pixels.shape[:2]
    head = header(width_px, height_px, bits=16, colour=colour)
    return SIGNATURE + head + chunk(b"IDAT", zlib.compress(rows)) + END


@cache
def deflated_zeros(size: int) -> bytes:
    """A zlib stream that inflates to so many zeros: about a thousandth of them."""
    squeeze, block = zlib.compressobj(9), bytes(1 << 20)
    return b"".join(squeeze.compress(block) for _ in range(size >> 20)) + squeeze.flush()


def frame_control(sequence: int, width_px: int, height_px: int) -> bytes:
    """An fcTL chunk of an animated PNG."""
    return chunk(b"fcTL", struct.pack(">IIIIIHHBB", sequence, width_px, height_px, 0, 0, 1, 10, 0, 0))


def animated(png: bytes, frames: int) -> bytes:
    """The default image, and so many further frames of one transparent pixel's data each."""
    several = list(chunks(png))
    width_px, height_px = struct.unpack(">II", several[0][1][:8])
    idat = next(data for kind, data in several if kind == b"IDAT")
    control = chunk(b"acTL", struct.pack(">II", frames + 1, 0)) + frame_control(0, width_px, height_px)
    later = b"".join(
        frame_control(2 * index + 1, width_px, height_px) + chunk(b"fdAT", struct.pack(">I", 2 * index + 2) + idat)
        for index in range(frames)
    )
    return planted(planted(png, control), later, before=b"IEND")


END = chunk(b"IEND")
