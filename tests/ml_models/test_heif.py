"""How much libheif would decode, by the boxes alone."""

import io
import struct
from collections.abc import Callable, Iterator, Sequence
from functools import cache

import numpy as np
import pillow_heif
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ml_models.errors import PhotoUnsupported
from ml_models.heif import decoded_pixels
from tests.hostile import boxes
from tests.hostile.boxes import Item, box, full_box, size_property

pillow_heif.register_heif_opener(thumbnails=False)

CANVAS = size_property(600, 450)
ALPHA = full_box(b"auxC", b"urn:mpeg:hevc:2015:auxid:1\0")
DEPTH = full_box(b"auxC", b"urn:mpeg:hevc:2015:auxid:2\0")
GAIN_MAP = full_box(b"auxC", b"urn:com:apple:photo:2020:aux:hdrgainmap\0")
SAVE_AGAIN = "Save the photo again as JPEG"


@cache
def _by_pillow(width_px: int, height_px: int, mode: str = "RGB", thumbnails: tuple[int, ...] = ()) -> bytes:
    buffer = io.BytesIO()
    image = Image.fromarray(np.full((height_px, width_px, len(mode)), 90, np.uint8), mode)
    image.info["thumbnails"] = list(thumbnails)
    image.save(buffer, "HEIF", quality=10, enc_params={"preset": "ultrafast"})
    return buffer.getvalue()


def _picture(number: int, width_px: int = 512, height_px: int = 512, *more: bytes, **fields: object) -> Item:
    """A coded image of this size; nothing is decoded, so it has no data."""
    return Item(number, b"hvc1", b"", (size_property(width_px, height_px), *more), **fields)


def _made_of(number: int, parts: Sequence[int], canvas: bytes = CANVAS, kind: bytes = b"grid") -> Item:
    return Item(number, kind, b"", (canvas,), ((b"dimg", parts),))


def _looks(data: bytes) -> int:
    """Pixels that libheif shows for the primary image."""
    with Image.open(io.BytesIO(data), formats=("HEIF",)) as image:
        assert image.info["primary"]
        return image.size[0] * image.size[1]


@pytest.mark.parametrize("size_px", [(64, 64), (600, 450), (1024, 64)], ids=str)
def test_decoded_pixels_plain_image_counts_its_own(size_px: tuple[int, int]) -> None:
    data = _by_pillow(*size_px)
    assert decoded_pixels(data) == size_px[0] * size_px[1] == _looks(data)


def test_decoded_pixels_cropped_image_counts_before_it_is_cropped() -> None:
    """HEVC codes even sides; a crop can also hide nearly all of a large image."""
    data = _by_pillow(601, 451)
    assert (decoded_pixels(data), _looks(data)) == (602 * 452, 601 * 451)


def test_decoded_pixels_alpha_counts_beside_the_image() -> None:
    assert decoded_pixels(_by_pillow(600, 450, "RGBA")) == 2 * 600 * 450


def test_decoded_pixels_thumbnails_are_not_decoded() -> None:
    assert decoded_pixels(_by_pillow(600, 450, thumbnails=(128, 256))) == 600 * 450


def test_decoded_pixels_flags_of_a_size_mean_nothing() -> None:
    size = full_box(b"ispe", struct.pack(">II", 600, 450), flags=0x3C0000)
    assert decoded_pixels(boxes.heif([Item(1, b"hvc1", b"", (size,))], primary=1)) == 600 * 450


@pytest.mark.parametrize("auxiliary", [DEPTH, GAIN_MAP], ids=["depth", "gain-map"])
def test_decoded_pixels_auxiliary_images_are_not_decoded_with_it(auxiliary: bytes) -> None:
    beside = _picture(2, 300, 200, auxiliary, references=((b"auxl", (1,)),))
    assert decoded_pixels(boxes.heif([_picture(1, 600, 450), beside], primary=1)) == 600 * 450


def test_decoded_pixels_alpha_made_of_tiles_counts_all_of_them() -> None:
    alpha = Item(3, b"grid", b"", (CANVAS, ALPHA), ((b"dimg", (2,) * 36), (b"auxl", (1,))))
    data = boxes.heif([_picture(1, 600, 450), _picture(2, 4000, 3000), alpha], primary=1)
    assert decoded_pixels(data) == 600 * 450 + 36 * 4000 * 3000


def test_decoded_pixels_grid_that_libheif_shows_counts_its_tiles() -> None:
    tile = boxes.coded_picture(_by_pillow(600, 450))
    whole = Item(2, b"grid", boxes.grid(2, 2, 1000, 800), (size_property(1000, 800),), ((b"dimg", (1,) * 4),))
    data = boxes.heif([tile, whole], primary=2)
    assert _looks(data) == 1000 * 800
    assert decoded_pixels(data) == 4 * 600 * 450


@pytest.mark.parametrize("wide", [False, True], ids=["16-bit", "32-bit"])
def test_decoded_pixels_grid_of_a_phone_counts_every_tile_whole(*, wide: bool) -> None:
    tiles = [_picture(number) for number in range(1, 49)]
    whole = _made_of(70_000 if wide else 49, range(1, 49), size_property(4032, 3024))
    data = boxes.heif([*tiles, whole], primary=whole.number, wide=wide)
    assert decoded_pixels(data) == 8 * 6 * 512 * 512


def test_decoded_pixels_references_count_as_often_as_they_occur() -> None:
    data = boxes.heif([_picture(1, 4096, 5120), _made_of(2, (1,) * 100)], primary=2)
    assert decoded_pixels(data) == 100 * 4096 * 5120


def test_decoded_pixels_canvas_larger_than_its_tiles_counts_the_canvas() -> None:
    data = boxes.heif([_picture(1), _made_of(2, (1,), size_property(9000, 9000))], primary=2)
    assert decoded_pixels(data) == 9000 * 9000


@pytest.mark.parametrize("kind", [b"grid", b"iovl", b"iden", b"tmap"])
def test_decoded_pixels_image_made_of_a_grid_and_an_image_counts_both(kind: bytes) -> None:
    items = [_picture(1), _made_of(2, (1,) * 4), _picture(3, 300, 200), _made_of(4, (2, 3), kind=kind)]
    assert decoded_pixels(boxes.heif(items, primary=4)) == 4 * 512 * 512 + 300 * 200


def test_decoded_pixels_are_those_of_the_costliest_image() -> None:
    """Where the primary image is broken, another one is shown."""
    items = [_picture(1), _made_of(2, (1,) * 4), _made_of(3, (1,) * 100)]
    assert decoded_pixels(boxes.heif(items, primary=2)) == 100 * 512 * 512


def test_decoded_pixels_nested_grids_multiply() -> None:
    """Three levels of 100 references took libheif 29 seconds, whatever the size of the tile."""
    items = [_picture(1, 8, 8), *(_made_of(number, (number - 1,) * 100) for number in (2, 3, 4))]
    assert decoded_pixels(boxes.heif(items, primary=4)) >= 100**3 * 64 * 64


@pytest.mark.parametrize(
    "items",
    [
        [_made_of(1, (1,))],
        [_made_of(1, (2,)), _made_of(2, (3,)), _made_of(3, (1,))],
        [_made_of(1, (2,) * 1000), _made_of(2, (1,) * 1000)],
        [_picture(1, 600, 450, ALPHA, references=((b"auxl", (1,)),))],
        [_made_of(number, (number + 1,)) for number in range(1, 30)] + [_picture(30)],
        [_picture(1)] + [_made_of(number, (number - 1,)) for number in range(2, 31)],
        [_made_of(1, (7,))],
        [_made_of(1, (2,)), Item(2, b"hvc1", b"", (ALPHA,))],
        [_made_of(1, (2,)), _picture(2, 0, 450)],
        [Item(1, b"grid", b"", (), ((b"dimg", (2,)),)), _picture(2)],
        [_made_of(1, (2,)), Item(2, b"hvc1", b"", (full_box(b"ispe", bytes((0, 0, 2, 0)) * 2, version=1),))],
        [_made_of(1, (2,)), Item(2, b"hvc1", b"", (full_box(b"ispe", bytes((0, 0, 2, 0))),))],
        [_made_of(1, (2,)), _picture(2), _picture(2)],
        [_made_of(1, (2,) * 60_000), _picture(2)],
        [_made_of(1, (2,)), *(_picture(number) for number in range(2, 1002))],
    ],
    ids=[
        "of-itself",
        "in-a-circle",
        "in-a-wide-circle",
        "alpha-of-itself",
        "of-29-levels",
        "of-29-levels-upwards",
        "of-nothing",
        "of-no-size",
        "of-no-columns",
        "itself-of-no-size",
        "of-a-later-size-box",
        "of-half-a-size",
        "described-twice",
        "of-60000-references",
        "of-1001-items",
    ],
)
def test_decoded_pixels_references_that_lead_nowhere_are_refused(items: list[Item]) -> None:
    with pytest.raises(PhotoUnsupported, match=SAVE_AGAIN):
        decoded_pixels(boxes.heif(items, primary=1))


@pytest.mark.parametrize("wanted", [b"iref", b"iprp"])
def test_decoded_pixels_box_that_occurs_twice_is_refused(wanted: bytes) -> None:
    """Two readers could choose differently."""
    grid = boxes.heif([_picture(1), _made_of(2, (1,))], primary=2)
    again = dict(boxes.boxes(dict(boxes.boxes(grid))[b"meta"], 4))[wanted]
    with pytest.raises(PhotoUnsupported, match=f"2 boxes {wanted.decode()}"):
        decoded_pixels(boxes.heif([_picture(1), _made_of(2, (1,))], primary=2, meta_extra=box(wanted, again)))


def test_decoded_pixels_two_metas_are_refused() -> None:
    grid = boxes.heif([_picture(1), _made_of(2, (1,))], primary=2)
    with pytest.raises(PhotoUnsupported, match="2 boxes meta"):
        decoded_pixels(grid + box(b"meta", dict(boxes.boxes(grid))[b"meta"]))


def test_decoded_pixels_references_behind_the_counted_ones_are_refused() -> None:
    """Where the box ends by its size, libheif does not look: it reads the next reference right there."""
    data = boxes.heif([_picture(1), _made_of(2, (1, 1, 1))], primary=2)
    at = data.index(b"dimg") + 4
    with pytest.raises(PhotoUnsupported, match="damaged"):
        decoded_pixels(data[:at] + struct.pack(">HH", 2, 1) + data[at + 4 :])


def test_decoded_pixels_very_many_boxes_are_refused() -> None:
    with pytest.raises(PhotoUnsupported, match="boxes"):
        decoded_pixels(boxes.heif([_picture(1)], primary=1, meta_extra=box(b"free") * 2000))


@pytest.mark.parametrize("size", ["64-bit", "to-the-end"])
def test_decoded_pixels_other_ways_to_write_a_size_are_read(size: str) -> None:
    data = boxes.heif([_picture(1), _made_of(2, (1,) * 9)], primary=2)
    brand, meta = (box(kind, body) for kind, body in list(boxes.boxes(data))[:2])
    head = struct.pack(">I4sQ", 1, b"meta", len(meta) + 8) if size == "64-bit" else struct.pack(">I4s", 0, b"meta")
    assert decoded_pixels(brand + head + meta[8:]) == 9 * 512 * 512


def test_decoded_pixels_several_tables_of_properties_are_one() -> None:
    data = boxes.heif([_picture(1), _made_of(2, (1,))], primary=2)
    one = full_box(b"ipma", struct.pack(">IHBB", 1, 1, 1, 1))
    other = full_box(b"ipma", struct.pack(">IHBH", 1, 2, 1, 0x8002), flags=1)
    properties = dict(boxes.boxes(dict(boxes.boxes(data))[b"meta"], 4))[b"iprp"]
    held = box(b"ipco", dict(boxes.boxes(properties))[b"ipco"])
    meta = full_box(b"pitm", struct.pack(">H", 2)) + full_box(b"iref", box(b"dimg", struct.pack(">HHHH", 2, 2, 1, 1)))
    assert decoded_pixels(full_box(b"meta", meta + box(b"iprp", held + one + other))) == 2 * 512 * 512


@pytest.mark.parametrize(
    "data",
    [b"", b"words, and no boxes", bytes(1000), box(b"ftyp", b"heic"), box(b"meta"), full_box(b"meta", box(b"free"))],
    ids=["empty", "words", "zeros", "brand-only", "empty-meta", "no-primary"],
)
def test_decoded_pixels_without_an_image_is_zero(data: bytes) -> None:
    assert decoded_pixels(data) == 0


def _ends(data: bytes, start: int, end: int) -> Iterator[int]:
    """Where boxes begin and end, at every depth."""
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        yield from (start, start + 8, start + size)
        if kind in (b"meta", b"iprp", b"ipco", b"iref"):
            yield from _ends(data, start + (12 if kind in (b"meta", b"iref") else 8), start + size)
        start += size


@cache
def _seeds() -> list[bytes]:
    grid = [_picture(1), _made_of(2, (1,) * 4), _picture(3, 600, 450, ALPHA, references=((b"auxl", (2,)),))]
    made = [boxes.heif(grid, primary=2, wide=wide) for wide in (False, True)]
    return [*made, _by_pillow(600, 450, "RGBA", (128,))]


def _number_or_refusal(data: bytes) -> int | None:
    try:
        return decoded_pixels(data)
    except PhotoUnsupported:
        return None


@pytest.mark.parametrize("index", range(3), ids=["grid", "wide-grid", "by-pillow"])
def test_decoded_pixels_cut_file_gives_a_number_or_a_refusal(index: int) -> None:
    data = _seeds()[index]
    ends = {end + more for end in _ends(data, 0, len(data)) for more in range(-3, 4)}
    found = {_number_or_refusal(data[: max(0, end)]) for end in ends}
    assert found >= {0, None, decoded_pixels(data)}


def _damaged(index: int, places: list[tuple[float, int]], change: Callable[[bytearray, int, int], None]) -> bytes:
    data = bytearray(_seeds()[index])
    for place, value in places:
        change(data, int(place * min(len(data) - 1, 900)), value)
    return bytes(data)


@given(
    index=st.integers(0, 2),
    places=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=8),
    change=st.sampled_from(
        [bytearray.__setitem__, bytearray.insert, lambda data, at, count: data.__delitem__(slice(at, at + count))]
    ),
)
def test_decoded_pixels_mutated_file_gives_a_number_or_a_refusal(
    index: int, places: list[tuple[float, int]], change: Callable[[bytearray, int, int], None]
) -> None:
    found = _number_or_refusal(_damaged(index, places, change))
    assert found is None or found >= 0
