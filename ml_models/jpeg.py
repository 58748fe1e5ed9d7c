"""JPEG files taken apart: what decoding needs, and nothing of what a photo says about its owner.

Scan data stays untouched, byte for byte, with what somebody may have hidden by hand among the codes of the picture.
Everything else passes an allowlist, because GPS can hide in any other segment. Segment names: ITU-T T.81 (1992); JFIF:
ITU-T T.871 (2011).
"""

import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ml_models.errors import PhotoTruncated, PhotoUnsupported

START = b"\xff\xd8"
_END = b"\xff\xd9"
_EOI, _SOS = 0xD9, 0xDA
_APP0, _APP1, _APP2, _APP14 = 0xE0, 0xE1, 0xE2, 0xEE
_APPLICATION = range(_APP0, _APP14 + 1)
# Baseline, extended and progressive frames, Huffman and quantisation tables, restart interval, scans.
_DECODING = {0xC0, 0xC1, 0xC2, 0xC4, 0xDB, 0xDD, _SOS}
_STANDALONE = {0x01, *range(0xD0, 0xD8)}
_LENGTH_BYTES = 2  # a segment counts its own length field
_JFIF, _EXIF, _ICC, _ADOBE = b"JFIF\0", b"Exif\0\0", b"ICC_PROFILE\0", b"Adobe"
# JFIF 1.1 with square pixels and no thumbnail; Adobe's version without flags. Decoders need no other numbers of these.
_PLAIN_JFIF, _PLAIN_ADOBE = b"JFIF\0\1\1\0\0\1\0\1\0\0", b"Adobe\0\x64\0\0\0\0"
_ADOBE_TRANSFORM = slice(11, 12)

# Phones write about ten scans and a few dozen segments.
_MAX_SCANS = 40
_MAX_SEGMENTS = 1000

# Between segments anything up to the next FF is junk that decoders skip. Inside entropy-coded data FF00 is a stuffed
# byte, FFD0-FFD7 restarts and FFFF padding; anything else is a marker.
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xff]")
_SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


@dataclass(frozen=True, slots=True)
class CleanJpeg:
    """The segments of a JPEG that decoding needs, in order; its EXIF block and colour profile for reading only."""

    segments: tuple[bytes, ...]
    exif: bytes | None
    icc: bytes | None

    @property
    def scans(self) -> int:
        """How many scans the picture is spread over."""
        return sum(_is_scan(segment) for segment in self.segments)

    @property
    def component_passes(self) -> int:
        """How often decoding passes over one component's pixels: each scan says of how many it is."""
        return sum(segment[4] for segment in self.segments if _is_scan(segment))

    def header(self) -> bytes:
        """A JPEG that ends with the first scan's own header: enough to read format and size."""
        first = next((at for at, segment in enumerate(self.segments) if _is_scan(segment)), len(self.segments))
        scan_headers = [segment[: _segment_end(segment, 0)] for segment in self.segments[first : first + 1]]
        return b"".join((START, *self.segments[:first], *scan_headers, _END))

    def content(self, *, orientation: int, profile: bytes | None) -> bytes:
        """The file without metadata; what it needs to look right is written back alone.

        That is an EXIF orientation 2-8, and a rebuilt colour profile that fits into one segment.
        """
        oriented = (_orientation_segment(orientation),) if orientation != 1 else ()
        coloured = (_segment(_APP2, _ICC + b"\1\1" + profile),) if profile else ()
        return b"".join((START, *oriented, *coloured, *self.segments, _END))

    def padded(self, filler: bytes) -> bytes:
        """The file with `filler` at the end of every scan, where a decoder looks only when the scan is cut short."""
        padded = (segment + filler if _is_scan(segment) else segment for segment in self.segments)
        return b"".join((START, *padded, _END))


def clean_jpeg(data: bytes) -> CleanJpeg:
    """Take a JPEG apart: no EXIF, XMP, MPF, comments, thumbnails, profiles and trailers.

    Kept beside what decoding needs: that it is JFIF, and Adobe's colour transform. Raises PhotoTruncated when the end
    marker is missing, and PhotoUnsupported for more scans or segments than any camera writes.
    """
    decoding: list[bytes] = []
    application: list[tuple[int, bytes]] = []
    for marker, segment in _segments(data):
        if marker in _DECODING:
            decoding.append(segment)
        elif marker in _APPLICATION:
            application.append((marker, segment[4:]))
    while decoding and not _is_scan(decoding[-1]):
        decoding.pop()  # tables that no scan needs
    jpeg = CleanJpeg((*_needed(application), *decoding), _exif(application), _icc(application))
    if jpeg.scans > _MAX_SCANS:
        raise PhotoUnsupported(f"The JPEG has more than {_MAX_SCANS} scans. Save it again as a plain JPEG.")
    return jpeg


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and whole segment, of a scan with its data, up to the end marker."""
    position = len(START)
    for _ in range(_MAX_SEGMENTS):
        marker, start = _next_marker(data, position)
        position = start + 2
        if marker == _EOI:
            return
        if marker not in _STANDALONE:
            position = _segment_end(data, start)
            if marker == _SOS:
                position = _scan_end(data, position)
            yield marker, data[start:position]
    raise PhotoUnsupported(f"The JPEG has more than {_MAX_SEGMENTS} segments. Save it again as a plain JPEG.")


def _needed(application: Sequence[tuple[int, bytes]]) -> Iterator[bytes]:
    """What tells decoders how to read the colours."""
    for marker, body in application:
        if marker == _APP0 and body.startswith(_JFIF):
            yield _segment(_APP0, _PLAIN_JFIF)
        elif marker == _APP14 and body.startswith(_ADOBE):
            yield _segment(_APP14, _PLAIN_ADOBE + body[_ADOBE_TRANSFORM])


def _exif(application: Sequence[tuple[int, bytes]]) -> bytes | None:
    blocks = (body for marker, body in application if marker == _APP1 and body.startswith(_EXIF))
    return next((body.removeprefix(_EXIF) for body in blocks), None)


def _icc(application: Sequence[tuple[int, bytes]]) -> bytes | None:
    """The profile's parts by the number that each begins with."""
    bodies = (body.removeprefix(_ICC) for marker, body in application if marker == _APP2 and body.startswith(_ICC))
    parts = {body[:1]: body[2:] for body in bodies}
    return b"".join(parts[number] for number in sorted(parts)) or None


def _is_scan(segment: bytes) -> bool:
    return segment[1] == _SOS


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
