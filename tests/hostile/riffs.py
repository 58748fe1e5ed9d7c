"""WebP files taken apart and put together (RFC 9649, 2024)."""

import struct
from collections.abc import Iterator


def chunk(kind: bytes, data: bytes) -> bytes:
    """One RIFF chunk, padded to an even length."""
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def chunks(webp: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and data of every chunk of a well-formed file."""
    position = 12
    while position < len(webp):
        length = int.from_bytes(webp[position + 4 : position + 8], "little")
        yield webp[position : position + 4], webp[position + 8 : position + 8 + length]
        position += 8 + length + length % 2


def joined(*several: bytes) -> bytes:
    """A file of whole chunks."""
    body = b"WEBP" + b"".join(several)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def extended(webp: bytes, *extra: bytes, flags: int = 0, size_px: tuple[int, int] = (600, 450)) -> bytes:
    """A simple file with a VP8X header of this size, and further chunks behind the picture."""
    canvas = b"".join(struct.pack("<I", side - 1)[:3] for side in size_px)
    picture = [chunk(kind, data) for kind, data in chunks(webp) if kind in (b"VP8 ", b"VP8L", b"ALPH")]
    return joined(chunk(b"VP8X", struct.pack("<I", flags) + canvas), *picture, *extra)
