"""PNG files taken apart: the default image alone, without texts, times, profiles, animation frames and trailers.

W3C, Portable Network Graphics, third edition (2025).
"""

import struct
import zlib
from dataclasses import dataclass

from ml_models.errors import PhotoError, PhotoTruncated, PhotoUnsupported

START = b"\x89PNG\r\n\x1a\n"
_DECODING = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_HEADER_END = len(START) + 25  # IHDR is the first chunk, and of one size
_FRAME_BYTES = 12  # length, name and checksum of a chunk
_MAX_CHUNKS = 50_000  # encoders write 8 KB and more at a time
_BLOCK_BYTES = 2**18
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
# First column and row, distance of columns and rows: the whole picture, or the seven passes of Adam7.
_WHOLE = ((0, 0, 1, 1),)
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


@dataclass(frozen=True, slots=True)
class CleanPng:
    """The chunks of a PNG that decoding needs, as a file; its EXIF block and colour profile for reading only."""

    chunks: tuple[bytes, ...]
    exif: bytes | None
    icc: bytes | None

    def content(self) -> bytes:
        """The file."""
        return START + b"".join(self.chunks)

    def check_amount(self) -> None:
        """Compare how much the picture data inflate to with the size in the header, which must have been checked.

        libpng would inflate all of it, a gigabyte from a megabyte, whatever the header says. Raises PhotoTruncated when
        it is too little, and PhotoError when it is too much or damaged.
        """
        expected, seen = _raw_bytes(self.chunks[0]), 0
        stream = zlib.decompressobj()
        try:
            for chunk in self.chunks:
                rest = chunk[8:-4] if chunk[4:8] == b"IDAT" else b""
                while rest and not stream.eof and seen <= expected:
                    seen += len(stream.decompress(rest, _BLOCK_BYTES))
                    rest = stream.unconsumed_tail
        except zlib.error as error:
            raise PhotoError("The PNG is damaged. Save the photo again and send that.") from error
        if seen > expected:
            raise PhotoError("The PNG holds more data than its size tells. Save the photo again and send that.")
        if seen < expected:
            raise PhotoTruncated("The lower part of the photo is missing. Send the whole file again.")


def clean_png(data: bytes, *, max_profile_bytes: int) -> CleanPng:
    """Take a PNG apart. A profile that inflates beyond `max_profile_bytes` is left out.

    Raises PhotoTruncated when the end is missing, and PhotoUnsupported for more chunks than any encoder writes.
    """
    kept: list[bytes] = []
    beside: dict[bytes, bytes] = {}
    position = len(START)
    for _ in range(_MAX_CHUNKS):
        name = data[position + 4 : position + 8]
        end = position + int.from_bytes(data[position : position + 4], "big") + _FRAME_BYTES
        if end > len(data):
            raise PhotoTruncated("The photo's file ends too early. Send the whole file again.")
        if not kept and (name != b"IHDR" or end != _HEADER_END):
            raise PhotoUnsupported("This PNG does not begin with its header. Save the photo again and send that.")
        if name in _DECODING:
            kept.append(data[position:end])
        else:
            beside.setdefault(name, data[position + 8 : end - 4])
        if name == b"IEND":
            profile = _inflated(beside.get(b"iCCP", b""), max_profile_bytes)
            return CleanPng(tuple(kept), beside.get(b"eXIf"), profile)
        position = end
    raise PhotoUnsupported(f"The PNG has more than {_MAX_CHUNKS} chunks. Save it again as a plain PNG.")


def with_profile(png: bytes, profile: bytes) -> bytes:
    """A PNG that had no colour profile, with one."""
    body = b"iCCPprofile\0\0" + zlib.compress(profile)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return png[:_HEADER_END] + chunk + png[_HEADER_END:]


def _raw_bytes(header: bytes) -> int:
    """Bytes of all rows, each with its filter, that an IHDR chunk announces."""
    width, height, depth, colour, interlaced = struct.unpack(">IIBB2xB", header[8:21])
    bits = depth * _CHANNELS.get(colour, max(_CHANNELS.values()))
    total = 0
    for left, top, columns, rows in _ADAM7 if interlaced else _WHOLE:
        row_pixels, row_count = -((left - width) // columns), -((top - height) // rows)
        total += row_count * (1 + (row_pixels * bits + 7) // 8) if row_pixels > 0 else 0
    return total


def _inflated(chunk: bytes, max_bytes: int) -> bytes | None:
    """The profile of an iCCP chunk: a name, a zero, the method zero, and a zlib stream."""
    _, _, compressed = chunk.partition(b"\0\0")
    stream = zlib.decompressobj()
    try:
        profile = stream.decompress(compressed, max_bytes)
    except zlib.error:
        return None
    return profile if stream.eof else None
