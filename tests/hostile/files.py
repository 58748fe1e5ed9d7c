"""Every hostile file by name: how it is made, and which codes may refuse it."""

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image

from tests.hostile import boxes, jpegs, pngs, riffs
from tests.hostile.scenes import encoded, plain, progressive_jpeg, scene

STATUS_OF = {
    "photo_missing": 400,
    "photo_truncated": 400,
    "photo_unreadable": 400,
    "photo_dimensions": 400,
    "photo_too_large": 413,
    "photo_unsupported": 415,
}
_DAMAGED = ("photo_truncated", "photo_unreadable")
_UNSUPPORTED = ("photo_unsupported",)
_TOO_LARGE = ("photo_too_large",)
# Nothing says whether a picture that contradicts its header is damaged or a kind of file that nobody supports.
_CONTRADICTORY = (*_DAMAGED, *_UNSUPPORTED)


@dataclass(frozen=True, slots=True)
class BadFile:
    """`codes` are those that may refuse it; `headroom_mb` is the memory that finding out may take."""

    make: Callable[[], bytes]
    codes: tuple[str, ...]
    headroom_mb: int = 48

    @cache  # noqa: B019 - for as long as the tests run
    def data(self) -> bytes:
        """The file, made once."""
        return self.make()


def cut_files() -> Iterator[tuple[str, BadFile]]:
    """Each format, ending in its header, in its picture and one byte early."""
    whole = {
        "jpeg": lambda: plain("JPEG"),
        "progressive": progressive_jpeg,
        "png": lambda: plain("PNG"),
        "webp": lambda: plain("WEBP"),
        "heic": lambda: plain("HEIF"),
    }
    for name, make in whole.items():
        for share in (0.02, 0.3, 0.7, 0.99):
            yield f"{name}-cut-at-{share:.0%}", BadFile(_cut(make, share), ("photo_truncated",))
        yield f"{name}-lacks-last-byte", BadFile(lambda make=make: make()[:-1], ("photo_truncated",))


def _cut(make: Callable[[], bytes], share: float) -> Callable[[], bytes]:
    return lambda: make()[: int(len(make()) * share)]


def _cut_and_ended(mode: str, share: float) -> Callable[[], bytes]:
    """A JPEG that lacks its lower part and ends properly, as broken uploaders make it."""

    def make() -> bytes:
        whole = encoded("JPEG", Image.fromarray(scene()).convert(mode), quality=80)
        return whole[: int(len(whole) * share)] + jpegs.EOI

    return make


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("skin.jpg", plain("JPEG"))
    return buffer.getvalue()


def _frames(image_format: str, count: int) -> bytes:
    """An animation of tiny frames."""
    first, *rest = (Image.new("L", (64, 64), index % 256) for index in range(count))
    return encoded(image_format, first, save_all=True, append_images=rest)


def _thin(image_format: str) -> bytes:
    return encoded(image_format, np.zeros((1, 16_000, 3), np.uint8))


def _small(image_format: str) -> bytes:
    return encoded(image_format, np.zeros((63, 63, 3), np.uint8))


def _heic_grid(rows: int, columns: int, width_px: int, height_px: int, *, references: int | None = None) -> bytes:
    """A grid that shows the same coded picture in every tile."""
    shown = [1] * (rows * columns if references is None else references)
    return boxes.heif([heic_tile(1), heic_made_of(2, shown, rows, columns, (width_px, height_px))], primary=2)


@cache
def heic_tile(number: int, size_px: tuple[int, int] | None = None) -> boxes.Item:
    """A coded picture; of another size than the drawn mole it is uniform, and takes few bytes."""
    heic = encoded("HEIF", Image.new("L", size_px), quality=1) if size_px else plain("HEIF")
    picture = boxes.coded_picture(heic)
    return boxes.Item(number, b"hvc1", picture.data, picture.properties)


def heic_made_of(
    number: int, parts: list[int], rows: int, columns: int, size_px: tuple[int, int] = (600, 450), *more: bytes
) -> boxes.Item:
    """A grid of other items."""
    properties = (boxes.size_property(*size_px), *more)
    return boxes.Item(number, b"grid", boxes.grid(rows, columns, *size_px), properties, ((b"dimg", parts),))


def _heic_bomb(*, beside: boxes.Item | None = None) -> bytes:
    """100 references to one tile of 21 megapixels; shown alone, or by pillow_heif where the primary image is broken."""
    bomb = heic_made_of(2, [3] * 100, 10, 10)
    items = [*([beside] if beside else []), bomb, heic_tile(3, (5_600, 3_800))]
    return boxes.heif(items, primary=items[0].number)


def _heic_of_nested_grids() -> bytes:
    """100 references to 100 references to 100 references to one picture."""
    return boxes.heif(
        [heic_tile(1), *(heic_made_of(number, [number - 1] * 100, 10, 10) for number in (2, 3, 4))], primary=4
    )


def _heic_alpha_bomb() -> bytes:
    auxiliary = boxes.full_box(b"auxC", b"urn:mpeg:hevc:2015:auxid:1\0")
    alpha = heic_made_of(3, [2] * 36, 6, 6, (600, 450), auxiliary)
    alpha = boxes.Item(3, b"grid", alpha.data, alpha.properties, (*alpha.references, (b"auxl", [1])))
    return boxes.heif([heic_tile(1), heic_tile(2, (4_000, 3_000)), alpha], primary=1)


def _heic_cropped_bomb() -> bytes:
    """64 megapixels, of which the header says that 600 x 450 are shown."""
    picture = heic_tile(1, (8_000, 8_000))
    crop = boxes.box(b"clap", struct.pack(">8I", 600, 1, 450, 1, 0, 1, 0, 1))
    return boxes.heif([boxes.Item(1, b"hvc1", picture.data, (*picture.properties, crop))], primary=1)


def _heic_of_itself(kind: bytes) -> bytes:
    """A derived picture that is derived from itself, and no other."""
    data = boxes.overlay([(0, 0)], 600, 450) if kind == b"iovl" else b""
    item = boxes.Item(1, kind, data, (boxes.size_property(600, 450),), ((b"dimg", [1]),))
    return boxes.heif([item], primary=1)


def _mp4() -> bytes:
    brand = boxes.box(b"ftyp", b"isom" + struct.pack(">I", 512) + b"isomiso2mp41")
    return brand + boxes.box(b"moov", bytes(200)) + boxes.box(b"mdat", bytes(1000))


def _overfull_png() -> bytes:
    """64 x 64 pixels whose data go on for 400 MB: a decoder that inflates all takes a second, for 25 MB a minute."""
    data = pngs.deflated_zeros(400 << 20)
    return pngs.SIGNATURE + pngs.header(64, 64) + pngs.chunk(b"IDAT", data) + pngs.END


def _png_of_bytes(count: int) -> bytes:
    """600 x 450 pixels, with so many bytes of rows."""
    return pngs.SIGNATURE + pngs.header(600, 450) + pngs.chunk(b"IDAT", zlib.compress(bytes(count))) + pngs.END


def _second_frame() -> bytes:
    frame = next(part for part in jpegs.parts(plain("JPEG")) if part.marker == jpegs.SOF0)
    return frame.segment


def _jpeg_of_two_components() -> bytes:
    several = list(jpegs.parts(plain("JPEG")))
    frame = next(index for index, part in enumerate(several) if part.marker == jpegs.SOF0)
    body = several[frame].segment[4:]
    several[frame] = jpegs.Part(jpegs.SOF0, jpegs.segment(jpegs.SOF0, body[:5] + b"\2" + body[6:12]))
    return jpegs.joined(several)


def _nested_boxes(depth: int) -> bytes:
    data = b""
    for _ in range(depth):
        data = boxes.box(b"moov", data)
    return data


NO_PHOTOS: dict[str, BadFile] = {
    "empty": BadFile(lambda: b"", ("photo_missing",)),
    "one-byte": BadFile(lambda: b"\xff", _UNSUPPORTED),
    "jpeg-marker-only": BadFile(lambda: b"\xff\xd8", ("photo_truncated",)),
    "jpeg-stub": BadFile(lambda: b"\xff\xd8\xff", ("photo_truncated",)),
    "text": BadFile(lambda: b"hello, this is my skin", _UNSUPPORTED),
    "zeros": BadFile(lambda: bytes(100_000), _UNSUPPORTED),
    "random": BadFile(lambda: np.random.default_rng(1).bytes(100_000), _UNSUPPORTED),
    "svg": BadFile(lambda: b"<svg xmlns='http://www.w3.org/2000/svg' width='600' height='450'/>", _UNSUPPORTED),
    "svg-entities": BadFile(
        lambda: b'<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><svg>&b;</svg>',
        _UNSUPPORTED,
    ),
    "html": BadFile(lambda: b"<!doctype html><html><body><img src=skin.jpg></body></html>", _UNSUPPORTED),
    "pdf": BadFile(lambda: b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n", _UNSUPPORTED),
    "postscript": BadFile(lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 600 450\nshowpage\n", _UNSUPPORTED),
    "zip": BadFile(_zip, _UNSUPPORTED),
    "gzip-bomb": BadFile(lambda: gzip.compress(bytes(64 << 20), mtime=0), _UNSUPPORTED),
    "tiff": BadFile(lambda: encoded("TIFF"), _UNSUPPORTED),
    "tiff-of-500-frames": BadFile(lambda: _frames("TIFF", 500), _UNSUPPORTED),
    "bmp": BadFile(lambda: encoded("BMP"), _UNSUPPORTED),
    "gif": BadFile(lambda: encoded("GIF"), _UNSUPPORTED),
    "gif-of-1000-frames": BadFile(lambda: _frames("GIF", 1000), _UNSUPPORTED),
    "gif-of-65535-pixels-a-side": BadFile(
        lambda: (
            b"GIF89a\xff\xff\xff\xff\x80\0\0" + bytes(6) + b"," + bytes(4) + b"\xff\xff\xff\xff\0\x02\x02\x4c\x01\0;"
        ),
        _UNSUPPORTED,
    ),
    "ico": BadFile(lambda: encoded("ICO", Image.new("RGB", (64, 64))), _UNSUPPORTED),
    "ppm": BadFile(lambda: encoded("PPM"), _UNSUPPORTED),
    "avif": BadFile(lambda: encoded("AVIF"), _UNSUPPORTED),
    "jpeg-2000": BadFile(lambda: encoded("JPEG2000"), _UNSUPPORTED),
    "jpeg-2000-codestream": BadFile(lambda: b"\xff\x4f\xff\x51" + bytes(200), _UNSUPPORTED),
    "jpeg-xl": BadFile(lambda: b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(200), _UNSUPPORTED),
    "jpeg-xl-codestream": BadFile(lambda: b"\xff\x0a" + bytes(200), _UNSUPPORTED),
    "psd": BadFile(lambda: b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, 450, 600, 8, 3) + bytes(200), _UNSUPPORTED),
    "mp4": BadFile(_mp4, _UNSUPPORTED),
    "wave-in-riff": BadFile(lambda: b"RIFF\x24\0\0\0WAVEfmt " + bytes(28), _UNSUPPORTED),
}

POLYGLOTS: dict[str, BadFile] = {
    "gif-then-jpeg": BadFile(lambda: b"GIF89a" + bytes(20) + plain("JPEG"), _UNSUPPORTED),
    "pdf-then-jpeg": BadFile(lambda: b"%PDF-1.7\n" + plain("JPEG"), _UNSUPPORTED),
    "html-then-jpeg": BadFile(lambda: b"<html><!--" + plain("JPEG") + b"--></html>", _UNSUPPORTED),
    "zip-then-jpeg": BadFile(lambda: _zip() + plain("JPEG"), _UNSUPPORTED),
    "junk-then-jpeg": BadFile(lambda: bytes(100_000) + plain("JPEG"), _UNSUPPORTED),
    "line-then-png": BadFile(lambda: b"\n" + plain("PNG"), _UNSUPPORTED),
    "jpeg-marker-then-png": BadFile(lambda: b"\xff\xd8" + plain("PNG"), _CONTRADICTORY),
    "jpeg-without-picture-then-zip": BadFile(lambda: jpegs.SOI + jpegs.EOI + _zip(), _CONTRADICTORY),
}

SIZES: dict[str, BadFile] = {
    "jpeg-strip": BadFile(lambda: _thin("JPEG"), ("photo_dimensions",)),
    "png-strip": BadFile(lambda: _thin("PNG"), ("photo_dimensions",)),
    "webp-strip": BadFile(lambda: _thin("WEBP"), ("photo_dimensions",)),
    "jpeg-small": BadFile(lambda: _small("JPEG"), ("photo_dimensions",)),
    "png-small": BadFile(lambda: _small("PNG"), ("photo_dimensions",)),
    "webp-small": BadFile(lambda: _small("WEBP"), ("photo_dimensions",)),
    "heic-small": BadFile(lambda: _small("HEIF"), ("photo_dimensions",)),
    "jpeg-of-no-lines": BadFile(lambda: jpegs.frame_size(plain("JPEG"), 600, 0), ("photo_dimensions", *_CONTRADICTORY)),
    "png-of-no-columns": BadFile(lambda: pngs.flat(0, 450), ("photo_dimensions", *_CONTRADICTORY)),
    "png-of-2-gigapixels-a-side": BadFile(lambda: pngs.flat(2**31 - 1, 2**31 - 1, rows=0), _TOO_LARGE),
    "png-of-negative-size": BadFile(lambda: pngs.flat(2**32 - 1, 2**32 - 1, rows=0), (*_TOO_LARGE, *_CONTRADICTORY)),
    "jpeg-header-of-65500-a-side": BadFile(lambda: jpegs.frame_size(plain("JPEG"), 65_500, 65_500), _TOO_LARGE),
    "jpeg-header-of-51-megapixels": BadFile(lambda: jpegs.frame_size(plain("JPEG"), 8_500, 6_000), _TOO_LARGE),
    "png-header-of-30000-a-side": BadFile(lambda: pngs.flat(30_000, 30_000, rows=3), _TOO_LARGE),
    "png-of-26-megapixels": BadFile(lambda: pngs.flat(5_200, 5_000, bits=1, colour=pngs.GREY), _TOO_LARGE),
    "palette-bomb": BadFile(lambda: pngs.flat(30_000, 20_000, bits=1, colour=pngs.PALETTE), _TOO_LARGE),
    "webp-canvas-of-16384-a-side": BadFile(lambda: riffs.extended(plain("WEBP"), size_px=(16_384, 16_384)), _TOO_LARGE),
    "webp-picture-of-16383-a-side": BadFile(
        lambda: riffs.joined(riffs.chunk(b"VP8L", b"\x2f" + struct.pack("<I", 0x3FFE | 0x3FFE << 14) + bytes(20))),
        _TOO_LARGE,
    ),
    "heic-said-to-be-16000-a-side": BadFile(lambda: boxes.declared(plain("HEIF"), 16_000, 16_000), _TOO_LARGE),
    "heic-said-to-be-2-gigapixels-a-side": BadFile(
        lambda: boxes.declared(plain("HEIF"), 2**32 - 1, 2**32 - 1), (*_TOO_LARGE, *_CONTRADICTORY)
    ),
    "heic-grid-of-30000-a-side": BadFile(lambda: _heic_grid(20, 20, 30_000, 30_000), _TOO_LARGE),
}

LIARS: dict[str, BadFile] = {
    **{
        f"{name}-cut-at-{share:.0%}-and-ended": BadFile(_cut_and_ended(picture, share), ("photo_truncated",))
        for name, picture in (("jpeg", "RGB"), ("grey-jpeg", "L"), ("cmyk-jpeg", "CMYK"))
        for share in (0.3, 0.6, 0.9)
    },
    **{
        f"progressive-cut-at-{share:.0%}-and-ended": BadFile(
            lambda share=share: progressive_jpeg()[: int(len(progressive_jpeg()) * share)] + jpegs.EOI,
            ("photo_truncated",),
        )
        for share in (0.02, 0.1)
    },
    "jpeg-said-to-be-larger": BadFile(lambda: jpegs.frame_size(plain("JPEG"), 7_000, 7_000), _DAMAGED),
    "progressive-said-to-be-larger": BadFile(
        lambda: jpegs.frame_size(progressive_jpeg(), 7_000, 7_000), _DAMAGED, headroom_mb=400
    ),
    "png-said-to-be-larger": BadFile(lambda: pngs.flat(5_000, 5_000, rows=3), ("photo_truncated",)),
    "png-that-lacks-a-row": BadFile(lambda: pngs.flat(600, 450, rows=449), ("photo_truncated",)),
    "png-that-lacks-a-pixel": BadFile(lambda: _png_of_bytes(450 * 1801 - 3), ("photo_truncated",)),
    "png-without-picture": BadFile(lambda: pngs.SIGNATURE + pngs.header(600, 450) + pngs.END, ("photo_truncated",)),
    "png-of-no-zlib-stream": BadFile(
        lambda: pngs.SIGNATURE + pngs.header(600, 450) + pngs.chunk(b"IDAT", b"no zlib stream") + pngs.END, _DAMAGED
    ),
    "png-with-wrong-checksum": BadFile(lambda: plain("PNG")[:-30] + bytes(30 - 12) + plain("PNG")[-12:], _DAMAGED),
    "png-far-more-data-than-pixels": BadFile(_overfull_png, ("photo_unreadable",)),
    "png-with-a-row-more": BadFile(lambda: pngs.flat(600, 450, rows=451), ("photo_unreadable",)),
    "png-with-a-byte-more": BadFile(lambda: _png_of_bytes(450 * 1801 + 1), ("photo_unreadable",)),
    "webp-with-length-beyond-its-end": BadFile(
        lambda: b"RIFF" + struct.pack("<I", len(plain("WEBP")) - 7) + plain("WEBP")[8:], ("photo_truncated",)
    ),
    "webp-canvas-larger-than-picture": BadFile(
        lambda: riffs.extended(plain("WEBP"), size_px=(3_000, 3_000)), _CONTRADICTORY
    ),
    "heic-said-to-be-larger": BadFile(lambda: boxes.declared(plain("HEIF"), 5_000, 4_900), _CONTRADICTORY),
    "heic-said-to-be-smaller": BadFile(lambda: boxes.declared(plain("HEIF"), 100, 100), _CONTRADICTORY),
    "heic-bomb-said-to-be-small": BadFile(
        lambda: boxes.declared(encoded("HEIF", Image.new("L", (3_000, 3_000)), quality=1), 600, 450), _CONTRADICTORY
    ),
    "heic-grid-of-65536-tiles": BadFile(lambda: _heic_grid(256, 255, 600, 450), _CONTRADICTORY),
    "heic-grid-far-beyond-its-canvas": BadFile(lambda: _heic_grid(15, 15, 600, 450), _TOO_LARGE),
    "heic-grid-bomb": BadFile(_heic_bomb, _TOO_LARGE),
    "heic-grid-bomb-beside-a-broken-picture": BadFile(
        lambda: _heic_bomb(beside=boxes.Item(1, b"iovl", b"", (boxes.size_property(600, 450),), ((b"dimg", [3]),))),
        (*_TOO_LARGE, *_CONTRADICTORY),
    ),
    "heic-of-a-broken-main-picture": BadFile(
        lambda: boxes.heif(
            [boxes.Item(1, b"iovl", b"", (boxes.size_property(600, 450),), ((b"dimg", [2]),)), heic_tile(2)], primary=1
        ),
        ("photo_truncated",),
    ),
    "heic-of-nested-grids": BadFile(_heic_of_nested_grids, _TOO_LARGE),
    "heic-alpha-bomb": BadFile(_heic_alpha_bomb, _TOO_LARGE),
    "heic-cropped-bomb": BadFile(_heic_cropped_bomb, _TOO_LARGE),
    "heic-grid-of-itself": BadFile(
        lambda: boxes.heif([heic_made_of(1, [2], 1, 1), heic_made_of(2, [1], 1, 1)], primary=1), _UNSUPPORTED
    ),
    "heic-grid-without-tiles": BadFile(lambda: _heic_grid(2, 2, 1_200, 900, references=0), _CONTRADICTORY),
    "heic-overlay-of-itself": BadFile(lambda: _heic_of_itself(b"iovl"), _CONTRADICTORY),
    "heic-identity-of-itself": BadFile(lambda: _heic_of_itself(b"iden"), _CONTRADICTORY),
    "heic-without-items": BadFile(lambda: boxes.heif([], primary=1), _CONTRADICTORY),
    "jpeg-without-picture": BadFile(lambda: jpegs.SOI + jpegs.EOI, _CONTRADICTORY),
    "jpeg-without-quantisation": BadFile(
        lambda: jpegs.joined([part for part in jpegs.parts(plain("JPEG")) if part.marker != jpegs.DQT]), _CONTRADICTORY
    ),
    "jpeg-of-two-frames": BadFile(
        lambda: jpegs.before(plain("JPEG"), jpegs.SOS, _second_frame()),
        _CONTRADICTORY,
    ),
    "jpeg-of-12-bits": BadFile(lambda: jpegs.frame_marker(plain("JPEG"), 0xC1, 12), _UNSUPPORTED),
    "jpeg-lossless": BadFile(lambda: jpegs.frame_marker(plain("JPEG"), 0xC3), _UNSUPPORTED),
    "jpeg-hierarchical": BadFile(lambda: jpegs.frame_marker(plain("JPEG"), 0xC5), _UNSUPPORTED),
    "jpeg-arithmetic": BadFile(lambda: jpegs.frame_marker(plain("JPEG"), 0xC9), _UNSUPPORTED),
    "jpeg-arithmetic-progressive": BadFile(lambda: jpegs.frame_marker(progressive_jpeg(), 0xCA), _UNSUPPORTED),
    "jpeg-of-two-components": BadFile(_jpeg_of_two_components, _UNSUPPORTED),
}

FLOODS: dict[str, BadFile] = {
    "jpeg-of-120-scans": BadFile(lambda: jpegs.many_scans(600, 450, 120), _UNSUPPORTED),
    "jpeg-of-120-scans-at-50-megapixels": BadFile(lambda: jpegs.many_scans(7_000, 7_000, 120), _UNSUPPORTED),
    "jpeg-of-40-scans-at-50-megapixels": BadFile(
        lambda: jpegs.many_scans(7_000, 7_000, 40), (*_TOO_LARGE, *_UNSUPPORTED)
    ),
    "jpeg-of-100000-segments": BadFile(
        lambda: jpegs.planted(plain("JPEG"), jpegs.segment(jpegs.COM) * 100_000), _UNSUPPORTED
    ),
    "jpeg-of-100000-huffman-tables": BadFile(
        lambda: jpegs.planted(plain("JPEG"), jpegs.segment(jpegs.DHT, bytes((0, 1)) + bytes(16)) * 100_000),
        _UNSUPPORTED,
    ),
    "jpeg-of-20000-quantisation-tables": BadFile(
        lambda: jpegs.planted(plain("JPEG"), jpegs.segment(jpegs.DQT, b"\0" + b"\1" * 64) * 20_000), _UNSUPPORTED
    ),
    "jpeg-of-100000-restart-intervals": BadFile(
        lambda: jpegs.planted(plain("JPEG"), jpegs.segment(jpegs.DRI, bytes(2)) * 100_000), _UNSUPPORTED
    ),
    "jpeg-of-20000-whole-headers": BadFile(lambda: plain("JPEG")[:600] * 5_000, _CONTRADICTORY),
    "heic-of-nested-boxes": BadFile(
        lambda: boxes.box(b"ftyp", b"heic" + bytes(4) + b"mif1heic") + _nested_boxes(5_000), _CONTRADICTORY
    ),
}


BAD_FILES = {**NO_PHOTOS, **dict(cut_files()), **POLYGLOTS, **SIZES, **LIARS, **FLOODS}
