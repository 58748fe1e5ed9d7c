"""Removing what a photo says about its owner, without touching a pixel.

A JPEG keeps its scan data byte for byte and, of everything else, only what decoding needs: an allowlist, because GPS
can hide in any other segment. Segment names: ITU-T T.81 (1992); JFIF: ITU-T T.871 (2011).
"""

import re
import struct
from dataclasses import dataclass

from ml_models.errors import PhotoTruncated, PhotoUnsupported

_EOI, _SOS = 0xD9, 0xDA
_APP0, _APP1, _APP2, _APP14 = 0xE0, 0xE1, 0xE2, 0xEE
# Baseline, extended and progressive frames, Huffman and quantisation tables, restart interval, scans.
_DECODING = {0xC0, 0xC1, 0xC2, 0xC4, 0xDB, 0xDD, _SOS}
_STANDALONE = {0x01, *range(0xD0, 0xD8)}
_LENGTH_BYTES = 2  # a segment counts its own length field
_JFIF, _EXIF, _ICC, _ADOBE = b"JFIF\0", b"Exif\0\0", b"ICC_PROFILE\0", b"Adobe"
_JFIF_BYTES, _ADOBE_BYTES = 12, 12  # without thumbnail size and thumbnail, without anything appended

# Phones write about ten scans and a few dozen segments; the cost of decoding is linear in scans.
_MAX_SCANS = 40
_MAX_SEGMENTS = 1000

# Between segments anything up to the next FF is junk that decoders skip. Inside entropy-coded data FF00 is a stuffed
# byte, FFD0-FFD7 restarts and FFFF padding; anything else is a marker.
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xff]")
_SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


@dataclass(frozen=True, slots=True)
class CleanJpeg:
    """The segments of a JPEG that decoding needs, in order, and its first EXIF block (TIFF bytes) for reading only."""

    segments: tuple[bytes, ...]
    exif: bytes | None

    def content(self, *, orientation: int) -> bytes:
        """The file without metadata; an EXIF orientation 2-8 is written back alone, so that it displays upright."""
        oriented = (_orientation_segment(orientation),) if orientation != 1 else ()
        return b"".join((b"\xff\xd8", *oriented, *self.segments, b"\xff\xd9"))


def clean_jpeg(data: bytes) -> CleanJpeg:
    """Take a JPEG apart: its scan data untouched, no EXIF, XMP, MPF, comments, thumbnails and trailers.

    Kept beside what decoding needs: JFIF density, Adobe colour transform, ICC profile. Raises PhotoTruncated when the
    end marker is missing, and PhotoUnsupported for more scans or segments than any camera writes.
    """
    kept: list[bytes] = []
    exif, scans, position = None, 0, 2
    for _ in range(_MAX_SEGMENTS):
        marker, start = _next_marker(data, position)
        position = start + 2
        if marker == _EOI:
            return CleanJpeg(tuple(kept), exif)
        if marker in _STANDALONE:
            continue
        position = _segment_end(data, start)
        body = data[start + 4 : position]
        if marker == _SOS:
            position, scans = _scan_end(data, position), scans + 1
            if scans > _MAX_SCANS:
                raise PhotoUnsupported(f"The JPEG has more than {_MAX_SCANS} scans. Save it again as a plain JPEG.")
        if marker == _APP1 and exif is None and body.startswith(_EXIF):
            exif = body.removeprefix(_EXIF)
        if marker in _DECODING or (marker == _APP2 and body.startswith(_ICC)):
            kept.append(data[start:position])
        elif marker == _APP0 and body.startswith(_JFIF):
            kept.append(_segment(_APP0, body[:_JFIF_BYTES].ljust(_JFIF_BYTES, b"\0") + b"\0\0"))
        elif marker == _APP14 and body.startswith(_ADOBE):
            kept.append(_segment(_APP14, body[:_ADOBE_BYTES]))
    raise PhotoUnsupported(f"The JPEG has more than {_MAX_SEGMENTS} segments. Save it again as a plain JPEG.")


def _next_marker(data: bytes, position: int) -> tuple[int, int]:
    """The next marker's code and the index of its FF byte."""
    found = _NEXT_MARKER.search(data, position)
    if found is None:
        raise PhotoTruncated("The photo's file ends too early. Send the whole file again.")
    return data[found.start() + 1], found.start()


def _segment_end(data: bytes, start: int) -> int:
    length = int.from_bytes(data[start + 2 : start + 4], "big")
    end = start + 2 + length
    if length < _LENGTH_BYTES or end > len(data):
        raise PhotoTruncated("The photo's file ends too early, or it is damaged. Send the whole file again.")
    return end


def _scan_end(data: bytes, position: int) -> int:
    found = _SCAN_END.search(data, position)
    if found is None:
        raise PhotoTruncated("The photo's file ends in the middle of the picture. Send the whole file again.")
    return found.start()


def _segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + _LENGTH_BYTES) + body


def _orientation_segment(orientation: int) -> bytes:
    """The smallest EXIF block: one big-endian IFD holding the orientation alone."""
    entry = struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)
    return _segment(_APP1, _EXIF + b"MM\0*" + struct.pack(">IH", 8, 1) + entry + struct.pack(">I", 0))
