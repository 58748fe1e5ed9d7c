"""HEIF files taken apart, patched and put together box by box (ISO/IEC 14496-12 and 23008-12)."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a file: `references` are (kind, ids) it points at, `properties` whole property boxes."""

    number: int
    kind: bytes
    data: bytes
    properties: tuple[bytes, ...] = ()
    references: tuple[tuple[bytes, Sequence[int]], ...] = ()
    content_type: bytes = b""


def box(kind: bytes, data: bytes = b"") -> bytes:
    """One box."""
    return struct.pack(">I", len(data) + 8) + kind + data


def full_box(kind: bytes, data: bytes = b"", *, version: int = 0, flags: int = 0) -> bytes:
    """One box with version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags) + data)


def boxes(data: bytes, start: int = 0) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of every box of one level, for 32-bit sizes."""
    while start + 8 <= len(data):
        size = int.from_bytes(data[start : start + 4], "big")
        yield data[start + 4 : start + 8], data[start + 8 : start + size]
        start += size


def declared(heif: bytes, width_px: int, height_px: int) -> bytes:
    """The same coded pictures, all said to be of this size."""
    at = heif.find(b"ispe")
    while at >= 0:
        heif = heif[: at + 8] + struct.pack(">II", width_px, height_px) + heif[at + 16 :]
        at = heif.find(b"ispe", at + 16)
    return heif


def size_property(width_px: int, height_px: int) -> bytes:
    """An ispe box."""
    return full_box(b"ispe", struct.pack(">II", width_px, height_px))


def coded_picture(heif: bytes) -> Item:
    """The one picture of a file that pillow_heif wrote, with its properties, as item 1."""
    top = dict(boxes(heif))
    properties = dict(boxes(top[b"meta"], 4))[b"iprp"]
    kept = [box(kind, data) for kind, data in boxes(dict(boxes(properties))[b"ipco"])]
    return Item(1, b"hvc1", top[b"mdat"], tuple(kept))


def grid(rows: int, columns: int, width_px: int, height_px: int) -> bytes:
    """The data of a grid item."""
    return struct.pack(">BBBBII", 0, 1, rows - 1, columns - 1, width_px, height_px)


def overlay(offsets: Sequence[tuple[int, int]], width_px: int, height_px: int) -> bytes:
    """The data of an overlay item over an opaque white canvas."""
    places = b"".join(struct.pack(">ii", *offset) for offset in offsets)
    return struct.pack(">BBHHHHII", 0, 1, *(0xFFFF,) * 4, width_px, height_px) + places


def heif(
    items: Sequence[Item],
    *,
    primary: int,
    tail: bytes = b"",
    meta_extra: bytes = b"",
    slack: bytes = b"",
    wide: bool = False,
) -> bytes:
    """A HEIC file of these items; their data lie in one mdat in order, with `slack` between them.

    `wide` writes identifiers of 32 bits and property indexes of 15.
    """
    brand = box(b"ftyp", b"heic" + struct.pack(">I", 0) + b"mif1heic")
    number = ">I" if wide else ">H"

    def meta(first: int) -> bytes:
        count = struct.pack(number, len(items))
        places, at = count, first
        for item in items:
            places += struct.pack(number, item.number) + bytes(2 * wide)
            places += struct.pack(">HHII", 0, 1, at, len(item.data))
            at += len(item.data) + len(slack)
        entries = count + b"".join(_entry(item, number, wide=wide) for item in items)
        return full_box(
            b"meta",
            full_box(b"hdlr", struct.pack(">I", 0) + b"pict" + bytes(13))
            + full_box(b"pitm", struct.pack(number, primary), version=wide)
            + full_box(b"iloc", b"\x44\0" + places, version=2 * wide)
            + full_box(b"iinf", entries, version=wide)
            + _references(items, number, wide=wide)
            + _properties(items, number, wide=wide)
            + meta_extra,
        )

    first = len(brand) + len(meta(0)) + 8
    return brand + meta(first) + box(b"mdat", b"".join(item.data + slack for item in items)) + tail


def _entry(item: Item, number: str, *, wide: bool) -> bytes:
    content_type = item.content_type + b"\0" if item.content_type else b""
    body = struct.pack(number, item.number) + bytes(2) + item.kind + b"\0" + content_type
    return full_box(b"infe", body, version=2 + wide)


def _references(items: Sequence[Item], number: str, *, wide: bool) -> bytes:
    several = b"".join(
        box(kind, struct.pack(number, item.number) + struct.pack(f">H{len(ids)}{number[1]}", len(ids), *ids))
        for item in items
        for kind, ids in item.references
    )
    return full_box(b"iref", several, version=wide) if several else b""


def _properties(items: Sequence[Item], number: str, *, wide: bool) -> bytes:
    """An iprp box: every property once, and which items have it; decoders must understand hvcC."""
    properties = list(dict.fromkeys(each for item in items for each in item.properties))
    described = [item for item in items if item.properties]
    associations = struct.pack(">I", len(described))
    for item in described:
        associations += struct.pack(number, item.number) + bytes((len(item.properties),))
        for each in item.properties:
            place, essential = properties.index(each) + 1, each[4:8] == b"hvcC"
            associations += struct.pack(">H", essential << 15 | place) if wide else bytes((essential << 7 | place,))
    held = box(b"ipco", b"".join(properties)) + full_box(b"ipma", associations, version=wide, flags=wide)
    return box(b"iprp", held)
