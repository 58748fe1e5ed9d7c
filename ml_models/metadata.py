"""Removing what a photo says about its owner, without touching a pixel.

A JPEG keeps its scan data byte for byte; only the segments that decoding needs stay. Segment names: ITU-T T.81 (1992).
"""

import re
import struct

from ml_models.errors import PhotoTruncated, PhotoUnsupported

_MARKER_START, _EOI, _SOS, _TEM = 0xFF, 0xD9, 0xDA, 0x01
_APP0, _APP2, _APP14, _APP15, _COMMENT = 0xE0, 0xE2, 0xEE, 0xEF, 0xFE
_LENGTH_BYTES = 2  # a segment counts its own length field
_STANDALONE = {_TEM, *range(0xD0, 0xD8)}
# Inside entropy-coded data FF00 is a stuffed byte, FFD0-FFD7 restarts and FFFF padding; anything else is a marker.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def strip_jpeg(data: bytes, *, orientation: int) -> bytes:
    """A JPEG without EXIF, XMP, MPF, comments, thumbnails and trailers, its scan data untouched.

    Kept: JFIF header, ICC profile, Adobe colour transform. An `orientation` other than 1 (EXIF 0x0112, 2-8) is written
    back alone, so that the file still displays upright. Raises PhotoTruncated when the end marker is missing and
    PhotoUnsupported when the segments make no sense.
    """
    kept = [b"\xff\xd8"]
    if orientation != 1:
        kept.append(_orientation_segment(orientation))
    position = 2
    while True:
        marker, start = _next_marker(data, position)
        if marker == _EOI:
            kept.append(b"\xff\xd9")
            return b"".join(kept)
        if marker in _STANDALONE:
            position = start + 2
            continue
        end = _segment_end(data, start)
        if marker == _SOS:
            end = _scan_end(data, end)
        if _is_needed(marker, data[start + 4 : start + 16]):
            kept.append(data[start:end])
        position = end


def _next_marker(data: bytes, position: int) -> tuple[int, int]:
    """Marker code and the index of its FF byte; padding FFs before it are skipped."""
    if position + 1 >= len(data):
        raise PhotoTruncated("The photo's file ends too early. Send the whole file again.")
    if data[position] != _MARKER_START:
        raise PhotoUnsupported("The JPEG's segments are damaged. Save the photo again as JPEG or PNG and send that.")
    while position + 1 < len(data) and data[position + 1] == _MARKER_START:
        position += 1
    if position + 1 >= len(data):
        raise PhotoTruncated("The photo's file ends too early. Send the whole file again.")
    return data[position + 1], position


def _segment_end(data: bytes, start: int) -> int:
    if start + 4 > len(data):
        raise PhotoTruncated("The photo's file ends too early. Send the whole file again.")
    (length,) = struct.unpack_from(">H", data, start + 2)
    end: int = start + 2 + length
    if length < _LENGTH_BYTES or end > len(data):
        raise PhotoTruncated("A segment of the JPEG is longer than the file. Send the whole file again.")
    return end


def _scan_end(data: bytes, position: int) -> int:
    found = _MARKER.search(data, position)
    if found is None:
        raise PhotoTruncated("The photo's file ends in the middle of the picture. Send the whole file again.")
    return found.start()


def _is_needed(marker: int, head: bytes) -> bool:
    if marker == _APP0:
        return head.startswith(b"JFIF\0")
    if marker == _APP2:
        return head.startswith(b"ICC_PROFILE\0")
    if marker == _APP14:
        return head.startswith(b"Adobe")
    return not (_APP0 < marker <= _APP15 or marker == _COMMENT)


def _orientation_segment(orientation: int) -> bytes:
    """The smallest APP1 EXIF block: one big-endian IFD holding the orientation alone."""
    entry = struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)
    exif = b"Exif\0\0" + b"MM\0*" + struct.pack(">IH", 8, 1) + entry + struct.pack(">I", 0)
    return b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
