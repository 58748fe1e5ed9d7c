"""Colour profiles made by hand, tag by tag (ICC.1:2022), with places for words that must not survive."""

import struct
from collections.abc import Mapping

# CSS Color 4 (2022): primaries adapted to D50, as in Apple's and Adobe's own profiles.
DISPLAY_P3 = {
    b"rXYZ": (0.515102, 0.241182, -0.001050),
    b"gXYZ": (0.291965, 0.692236, 0.041882),
    b"bXYZ": (0.157153, 0.066582, 0.784378),
}
ADOBE_RGB = {
    b"rXYZ": (0.609741, 0.311111, 0.019470),
    b"gXYZ": (0.205276, 0.625671, 0.060867),
    b"bXYZ": (0.149185, 0.063217, 0.744568),
}
_D50 = (0.964203, 1.0, 0.824905)
SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def fixed(*values: float) -> bytes:
    """s15Fixed16 numbers."""
    return b"".join(struct.pack(">i", round(value * 65_536)) for value in values)


def xyz(values: tuple[float, float, float]) -> bytes:
    """An XYZ tag."""
    return b"XYZ \0\0\0\0" + fixed(*values)


def parametric(kind: int, *values: float) -> bytes:
    """A para tag: 0 is a pure gamma, 3 has a linear foot."""
    return b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + fixed(*values)


def gamma(value: float) -> bytes:
    """A curv tag of one u8Fixed8 number."""
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(value * 256))


def sampled(values: list[int]) -> bytes:
    """A curv tag of many 16-bit samples."""
    return b"curv\0\0\0\0" + struct.pack(f">I{len(values)}H", len(values), *values)


def description(text: str) -> bytes:
    """A text tag as version 2 has it: ASCII, and nothing for Unicode and Macintosh."""
    words = text.encode() + b"\0"
    return b"desc\0\0\0\0" + struct.pack(">I", len(words)) + words + bytes(4 + 4 + 2 + 1 + 67)


def localised(text: str) -> bytes:
    """A text tag as version 4 has it: UTF-16."""
    words = text.encode("utf-16-be")
    return b"mluc\0\0\0\0" + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(words), 28) + words


def profile(
    primaries: Mapping[bytes, tuple[float, float, float]] = DISPLAY_P3,
    *,
    curve: bytes | None = None,
    space: bytes = b"RGB ",
    version: int = 4,
    extra: Mapping[bytes, bytes] | None = None,
    reserved: bytes = b"",
    slack: bytes = b"",
) -> bytes:
    """A display profile; `extra` replaces or adds tags, `slack` lies behind each, `reserved` ends the header."""
    curve = parametric(3, *SRGB_CURVE) if curve is None else curve
    text = localised if version == 4 else description
    tags: dict[bytes, bytes] = {b"desc": text("a display"), b"cprt": text("nobody"), b"wtpt": xyz(_D50)}
    if space == b"GRAY":
        tags |= {b"kTRC": curve}
    else:
        tags |= {name: xyz(values) for name, values in primaries.items()}
        tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    tags |= extra or {}
    table, body, start = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data + b"\0" * (-len(data) % 4) + slack
    size = start + len(body)
    head = struct.pack(">I4sI4s4s4s", size, b"none", version << 24, b"mntr", space, b"XYZ ")
    head += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + bytes(28) + fixed(*_D50)
    return head.ljust(128 - len(reserved), b"\0") + reserved + table + body


def mirrored_text(secret: str) -> dict[bytes, bytes]:
    """Every text tag that profiles carry, each saying the same."""
    words = secret.encode()
    return {
        b"desc": localised(secret),
        b"cprt": localised(secret),
        b"dmnd": description(secret),
        b"dmdd": description(secret),
        b"vued": localised(secret),
        b"calt": b"text\0\0\0\0" + words,
        b"tech": b"sig \0\0\0\0" + words,
        b"meta": b"dict\0\0\0\0" + words,
        b"gps ": words,
    }
