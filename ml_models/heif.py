"""HEIF files read box by box: how much libheif would decode, told before it starts. Nothing is decoded here.

libheif decodes a tile as often as a grid refers to it, also outside the canvas: 133 kB with 100 references to one tile
of 21 megapixels took 12.6 s, and three nested grids 29 s. Boxes: ISO/IEC 14496-12:2022; images: ISO/IEC 23008-12:2022.
"""

import struct
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ml_models.errors import PhotoUnsupported

# Phones write about 20 boxes on one level, at most 3 kB of references and properties, and grids in at most one image.
_MAX_BOXES = 1000
_MAX_ITEMS = 1000  # as libheif has it
_MAX_TABLE_BYTES = 100_000
_MAX_DEPTH = 4
# Of each item at least one coding tree block is counted: libheif follows every reference before it decodes anything.
_LEAST_PIXELS = 64 * 64
_VERSION_BYTES = 4  # with flags; in front of what some boxes hold
_WIDTHS = {0: "H", 1: "I"}  # of item identifiers, by version
_ALPHA = (
    b"urn:mpeg:hevc:2015:auxid:1\0",
    b"urn:mpeg:avc:2015:auxid:1\0",
    b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0",
)


@dataclass(frozen=True, slots=True)
class _Items:
    """What the boxes say of the items, by identifier: own pixels, and which others are decoded with one."""

    pixels: Mapping[int, int]
    tiles: Mapping[int, Sequence[int]]
    alphas: Mapping[int, Sequence[int]]


@dataclass(frozen=True, slots=True)
class _Cost:
    """Pixels decoded for one item, and how often those that it is made of are made of others."""

    pixels: int
    levels_below: int


def decoded_pixels(data: bytes) -> int:
    """Pixels that libheif would decode for the costliest image: its tiles as often as it refers to them, and its alpha.

    Not for the primary image alone: where that is broken, pillow_heif shows another. 0 where no image is to be found.
    Raises PhotoUnsupported where the references between images cannot be followed, or are more than cameras write.
    """
    try:
        items = _items(data)
    except struct.error as error:
        raise _unfollowable("one of its tables is damaged") from error
    known: dict[int, _Cost] = {}
    images = {item for item, pixels in items.pixels.items() if pixels} | items.tiles.keys()
    return max((_cost(items, item, known, 0).pixels for item in sorted(images)), default=0)


def _cost(items: _Items, item: int, known: dict[int, _Cost], depth: int) -> _Cost:
    """What decoding one item takes; `known` are those met before, so that each is followed once, in any order."""
    if item not in known:
        if depth > _MAX_DEPTH:
            raise _too_deep()
        if not items.pixels.get(item):
            raise _unfollowable(f"its part {item} has no size")
        tiles = [_cost(items, each, known, depth + 1) for each in items.tiles.get(item, ())]
        alphas = [_cost(items, each, known, depth + 1) for each in items.alphas.get(item, ())]
        pixels = max(items.pixels[item], sum(each.pixels for each in tiles), _LEAST_PIXELS)
        levels_below = max((each.levels_below + 1 for each in (*tiles, *alphas)), default=0)
        known[item] = _Cost(pixels + sum(each.pixels for each in alphas), levels_below)
    if depth + known[item].levels_below > _MAX_DEPTH:
        raise _too_deep()
    return known[item]


def _items(data: bytes) -> _Items:
    meta = _only(data, b"meta")[_VERSION_BYTES:]
    pixels, alpha_items = _properties(_only(meta, b"iprp"))
    tiles: defaultdict[int, list[int]] = defaultdict(list)
    alphas: defaultdict[int, list[int]] = defaultdict(list)
    for kind, source, targets in _references(_only(meta, b"iref")):
        if kind == b"dimg":
            tiles[source] += targets
        elif kind == b"auxl" and source in alpha_items:
            for target in targets:
                alphas[target].append(source)
    return _Items(pixels, tiles, alphas)


def _properties(iprp: bytes) -> tuple[dict[int, int], set[int]]:
    """Pixels of every item that has properties, and the items that are alpha."""
    shared = list(_boxes(_only(iprp, b"ipco")))
    pixels: dict[int, int] = {}
    alphas: set[int] = set()
    for item, indexes in (entry for kind, body in _boxes(iprp) if kind == b"ipma" for entry in _associations(body)):
        if item in pixels or len(pixels) == _MAX_ITEMS:
            raise _unfollowable(f"its part {item} is described twice, or is one of more than {_MAX_ITEMS}")
        own = [shared[index - 1] for index in indexes if 0 < index <= len(shared)]
        pixels[item] = max((_pixels(body) for kind, body in own if kind == b"ispe"), default=0)
        if any(kind == b"auxC" and body[_VERSION_BYTES:].startswith(_ALPHA) for kind, body in own):
            alphas.add(item)
    return pixels, alphas


def _pixels(ispe: bytes) -> int:
    version, width_px, height_px = struct.unpack_from(">B3xII", ispe)
    return 0 if version else int(width_px * height_px)


def _associations(ipma: bytes) -> Iterator[tuple[int, list[int]]]:
    """Each item and the places of its properties, the first being 1."""
    width, position = _width(ipma), _VERSION_BYTES + 4
    index, mask = ("H", 0x7FFF) if ipma[3] & 1 else ("B", 0x7F)
    for _ in range(*struct.unpack_from(">I", ipma, _VERSION_BYTES)):
        item, count = struct.unpack_from(f">{width}B", ipma, position)
        position += struct.calcsize(f">{width}B")
        indexes = struct.unpack_from(f">{count}{index}", ipma, position)
        position += struct.calcsize(f">{count}{index}")
        yield item, [each & mask for each in indexes]


def _references(iref: bytes) -> Iterator[tuple[bytes, int, tuple[int, ...]]]:
    """Kind, the item that refers, and those that it refers to; libheif ignores the boxes' sizes, so they must fit."""
    width = _width(iref) if iref else "H"
    for kind, body in _boxes(iref[_VERSION_BYTES:]):
        source, count = struct.unpack_from(f">{width}H", body)
        yield kind, source, struct.unpack(f">{width}H{count}{width}", body)[2:]


def _width(table: bytes) -> str:
    """The letter that `struct` has for a table's item identifiers."""
    (version,) = struct.unpack_from(">Bxxx", table)
    if version not in _WIDTHS or len(table) > _MAX_TABLE_BYTES:
        raise _unfollowable(f"one of its tables has version {version} and {len(table)} bytes")
    return _WIDTHS[version]


def _only(level: bytes, wanted: bytes) -> bytes:
    """What the one box of a kind holds; nothing where there is none."""
    found = [body for kind, body in _boxes(level) if kind == wanted]
    if len(found) > 1:
        raise _unfollowable(f"it has {len(found)} boxes {wanted.decode()}, not one")
    return found[0] if found else b""


def _boxes(level: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of each box; what goes beyond the end is cut, and nothing follows a size that cannot be."""
    position = 0
    for _ in range(_MAX_BOXES):
        if position + 8 > len(level):
            return
        size, kind = struct.unpack_from(">I4s", level, position)
        head = 8
        if size == 1:
            (size,), head = struct.unpack_from(">Q", level, position + 8), 16
        elif size == 0:
            size = len(level) - position
        if size < head:
            return
        yield kind, level[position + head : position + size]
        position += size
    raise _unfollowable(f"it has more than {_MAX_BOXES} boxes in one place")


def _too_deep() -> PhotoUnsupported:
    return _unfollowable(f"an image is made of itself, or of others more than {_MAX_DEPTH} times over")


def _unfollowable(why: str) -> PhotoUnsupported:
    return PhotoUnsupported(f"This HEIC photo cannot be checked: {why}. Save the photo again as JPEG and send that.")
