"""PNG files taken apart: the default image alone, without texts, times, profiles, animation frames and trailers.

W3C, Portable Network Graphics, third edition (2025).
"""

import struct
import zlib
from dataclasses import dataclass

from ml_models.errors import PhotoTruncated, PhotoUnsupported

START = b"\x89PNG\r\n\x1a\n"
_DECODING = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_HEADER_END = len(START) + 25  # IHDR is the first chunk, and of one size
_FRAME_BYTES = 12  # length, name and checksum of a chunk
_MAX_CHUNKS = 50_000  # encoders write 8 KB and more at a time


@dataclass(frozen=True, slots=True)
class CleanPng:
    """The chunks of a PNG that decoding needs, as a file; its EXIF block and colour profile for reading only."""

    content: bytes
    exif: bytes | None
    icc: bytes | None


def clean_png(data: bytes, *, max_profile_bytes: int) -> CleanPng:
    """Take a PNG apart. A profile that inflates beyond `max_profile_bytes` is left out.

    Raises PhotoTruncated when the end is missing, and PhotoUnsupported for more chunks than any encoder writes.
    """
    kept = [START]
    beside: dict[bytes, bytes] = {}
    position = len(START)
    for _ in range(_MAX_CHUNKS):
        name = data[position + 4 : position + 8]
        end = position + int.from_bytes(data[position : position + 4], "big") + _FRAME_BYTES
        if end > len(data):
            raise PhotoTruncated("The photo's file ends too early. Send the whole file again.")
        if name in _DECODING:
            kept.append(data[position:end])
        else:
            beside.setdefault(name, data[position + 8 : end - 4])
        if name == b"IEND":
            profile = _inflated(beside.get(b"iCCP", b""), max_profile_bytes)
            return CleanPng(b"".join(kept), beside.get(b"eXIf"), profile)
        position = end
    raise PhotoUnsupported(f"The PNG has more than {_MAX_CHUNKS} chunks. Save it again as a plain PNG.")


def with_profile(png: bytes, profile: bytes) -> bytes:
    """A PNG that had no colour profile, with one."""
    body = b"iCCPprofile\0\0" + zlib.compress(profile)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return png[:_HEADER_END] + chunk + png[_HEADER_END:]


def _inflated(chunk: bytes, max_bytes: int) -> bytes | None:
    """The profile of an iCCP chunk: a name, a zero, the method zero, and a zlib stream."""
    _, _, compressed = chunk.partition(b"\0\0")
    stream = zlib.decompressobj()
    try:
        profile = stream.decompress(compressed, max_bytes)
    except zlib.error:
        return None
    return profile if stream.eof else None
