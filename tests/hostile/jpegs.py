"""JPEG files made by hand, segment by segment and bit by bit (ITU-T T.81, 1992). Knows nothing of the product."""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from PIL import Image

SOI, EOI = b"\xff\xd8", b"\xff\xd9"
SOF0, SOF2, DHT, SOS, DQT, DNL, DRI, COM = 0xC0, 0xC2, 0xC4, 0xDA, 0xDB, 0xDC, 0xDD, 0xFE
_BLOCK_PX = 8
_LONGEST_END_OF_BAND = 32_767  # blocks that one symbol of a progressive scan can skip


@dataclass(frozen=True, slots=True)
class Part:
    """A marker segment with its header, and the entropy-coded data that follows it where it is a scan's."""

    marker: int
    segment: bytes
    entropy: bytes = b""


def segment(marker: int, body: bytes = b"") -> bytes:
    """One marker segment with its length field."""
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def parts(jpeg: bytes) -> Iterator[Part]:
    """Walk over a well-formed JPEG between SOI and EOI, by the lengths alone."""
    position = len(SOI)
    while jpeg[position : position + 2] != EOI:
        marker = jpeg[position + 1]
        end = position + 2 + int.from_bytes(jpeg[position + 2 : position + 4], "big")
        following = end
        if marker == SOS:
            while jpeg[following] != 0xFF or jpeg[following + 1] == 0 or 0xD0 <= jpeg[following + 1] <= 0xD7:
                following += 1
        yield Part(marker, jpeg[position:end], jpeg[end:following])
        position = following


def joined(several: list[Part]) -> bytes:
    """The inverse of `parts`."""
    return SOI + b"".join(part.segment + part.entropy for part in several) + EOI


def scan_data(jpeg: bytes) -> list[bytes]:
    """Every scan's header and entropy-coded data, in order."""
    return [part.segment + part.entropy for part in parts(jpeg) if part.marker == SOS]


def planted(jpeg: bytes, secret: bytes) -> bytes:
    """`secret` right after SOI."""
    return SOI + secret + jpeg[2:]


def before(jpeg: bytes, marker: int, secret: bytes) -> bytes:
    """`secret` right before the first segment with this marker."""
    several = list(parts(jpeg))
    index = next(index for index, part in enumerate(several) if part.marker == marker)
    several.insert(index, Part(0, secret))
    return joined(several)


def after_last_scan(jpeg: bytes, secret: bytes) -> bytes:
    """`secret` between the last minimum coded unit and EOI."""
    return jpeg.removesuffix(EOI) + secret + EOI


def longer(jpeg: bytes, marker: int, tail: bytes) -> bytes:
    """`tail` as the last bytes of the first segment with this marker, counted by its length field."""
    several = list(parts(jpeg))
    index = next(index for index, part in enumerate(several) if part.marker == marker)
    old = several[index]
    several[index] = Part(marker, segment(marker, old.segment[4:] + tail), old.entropy)
    return joined(several)


def frame_size(jpeg: bytes, width_px: int, height_px: int) -> bytes:
    """The same file with another size in its frame header."""
    several = list(parts(jpeg))
    index = next(index for index, part in enumerate(several) if part.marker in (SOF0, SOF2))
    old = several[index].segment
    several[index] = Part(old[1], old[:5] + struct.pack(">HH", height_px, width_px) + old[9:])
    return joined(several)


def frame_marker(jpeg: bytes, marker: int, precision: int = 8) -> bytes:
    """The same file, said to be coded in another way."""
    several = list(parts(jpeg))
    index = next(index for index, part in enumerate(several) if part.marker in (SOF0, SOF2))
    old = several[index].segment
    several[index] = Part(marker, bytes((0xFF, marker)) + old[2:4] + bytes((precision,)) + old[5:])
    return joined(several)


def uniform(grey: int, width_px: int = 600, height_px: int = 450) -> bytes:
    """A picture of one tone."""
    buffer = io.BytesIO()
    Image.fromarray(np.full((height_px, width_px, 3), grey, np.uint8)).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def many_scans(width_px: int, height_px: int, scans: int, *, components: int = 3, refining: bool = True) -> bytes:
    """A progressive JPEG whose scans after the first say "nothing new" in a few dozen bytes each.

    Every scan still makes the decoder walk over all coefficients of one component. With `refining` it walks through
    each block, not only over it.
    """
    blocks = -(-width_px // _BLOCK_PX) * -(-height_px // _BLOCK_PX)
    frame = struct.pack(">BHHB", 8, height_px, width_px, components)
    frame += b"".join(bytes((number, 0x11, 0)) for number in range(1, components + 1))
    dc_table = bytes((0x00, 1)) + bytes(15) + bytes((0,))  # one code of one bit: difference 0
    ac_table = bytes((0x10, 1, 1)) + bytes(14) + bytes((0xE0, 0x00))  # 0: a long end of band, 10: end of one block
    all_components = b"".join(bytes((number, 0)) for number in range(1, components + 1))
    first = segment(SOS, bytes((components,)) + all_components + bytes((0, 0, 0)))
    head = SOI + segment(DQT, bytes((0,)) + bytes((1,)) * 64) + segment(SOF2, frame)
    head += segment(DHT, dc_table) + segment(DHT, ac_table) + first + bytes(-(-blocks * components // 8))
    full, rest = divmod(blocks, _LONGEST_END_OF_BAND)
    bits = ("0" + "1" * 14) * full + "10" * rest
    body = _stuffed(bits)
    later = b""
    for index in range(scans - 1):
        component = index % components + 1
        approximation = 0x10 if refining and index >= components else 0x01
        later += segment(SOS, bytes((1, component, 0, 1, 63, approximation))) + body
    return head + later + EOI


def restarts(jpeg: bytes, interval: int = 1) -> bytes:
    """The same file with a restart interval in its header that its scan does not keep."""
    return before(jpeg, SOS, segment(DRI, struct.pack(">H", interval)))


def icc_segments(profile: bytes, *, numbers: list[tuple[int, int]] | None = None, size: int = 65_000) -> bytes:
    """APP2 segments of a profile; `numbers` replaces the honest (number, count) of each."""
    pieces = [profile[start : start + size] for start in range(0, len(profile), size)] or [b""]
    numbers = numbers or [(index + 1, len(pieces)) for index in range(len(pieces))]
    return b"".join(
        segment(0xE2, b"ICC_PROFILE\0" + bytes(number) + piece) for number, piece in zip(numbers, pieces, strict=True)
    )


def _stuffed(bits: str) -> bytes:
    """Bits to entropy-coded bytes: filled up with ones, a zero byte after each FF."""
    bits += "1" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")


def extra_frames(jpeg: bytes, frames: int) -> bytes:
    """A Multi-Picture-like file: further whole JPEGs behind the first one's end."""
    return jpeg * frames


def lengths(jpeg: bytes) -> list[int]:
    """Where each part begins, and the end: useful places to cut."""
    starts = [len(SOI)]
    for part in parts(jpeg):
        starts.append(starts[-1] + len(part.segment) + len(part.entropy))
    assert all(left < right for left, right in pairwise(starts))
    return starts
