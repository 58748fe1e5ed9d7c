"""The one thing that is read from EXIF: which way is up. Everything else in it is nobody's business here."""

import struct

_HEADER_BYTES, _ENTRY_BYTES = 8, 12
_ORIENTATION, _SHORT = 0x0112, 3


def orientation(tiff: bytes | None) -> int:
    """Orientation 1-8 of an EXIF block, which is a TIFF file (CIPA DC-008, 2023); 1 where none is said."""
    tiff = (tiff or b"").removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < _HEADER_BYTES:
        return 1
    (start,) = struct.unpack_from(f"{order}I", tiff, 4)
    count = struct.unpack(f"{order}H", tiff[start : start + 2])[0] if start + 2 <= len(tiff) else 0
    entries = tiff[start + 2 : start + 2 + count * _ENTRY_BYTES]
    whole = entries[: len(entries) // _ENTRY_BYTES * _ENTRY_BYTES]
    for tag, kind, values, value in struct.iter_unpack(f"{order}HHIH2x", whole):
        if (tag, kind, values) == (_ORIENTATION, _SHORT, 1) and value in range(1, 9):
            return int(value)
    return 1
