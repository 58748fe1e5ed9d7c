"""A secret, planted in every place of a photo file that can carry words or a position."""

import base64
import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from functools import cache

import numpy as np
from PIL import Image

from tests.hostile import boxes, jpegs, pngs, profiles, riffs
from tests.hostile.scenes import encoded, plain, progressive_jpeg, scene

SECRET = b"GPS-SECRET-48.8583"
# 48 deg 51 min 29.88 s, as EXIF writes it; no decoder's table contains this.
_POSITION = (48, 1, 51, 1, 2988, 100)
_FORMS = {
    "plain": SECRET,
    "lower": SECRET.lower(),
    "utf-16-le": SECRET.decode().encode("utf-16-le"),
    "utf-16-be": SECRET.decode().encode("utf-16-be"),
    "base64": base64.b64encode(SECRET)[:-4],
    "hex": SECRET.hex().encode(),
    "position-le": struct.pack("<6I", *_POSITION),
    "position-be": struct.pack(">6I", *_POSITION),
}
# Its samples are pairs of letters, which do not rise.
_CURVE_OF_WORDS = b"curv\0\0\0\0" + struct.pack(">I", len(SECRET) // 2) + SECRET
_ZLIB_STARTS = (b"x\x01", b"x\x5e", b"x\x9c", b"x\xda")
_INFLATED_BYTES = 1 << 16
_ORIENTATION, _MAKE, _MAKER_NOTE, _GPS, _EXIF = 0x0112, 0x010F, 0x927C, 0x8825, 0x8769


def traces(data: bytes) -> list[str]:
    """The forms in which the secret is in these bytes, also inside a zlib stream."""
    found = [name for name, form in _FORMS.items() if form in data]
    for text in _inflated(data):
        found += [f"deflated {name}" for name, form in _FORMS.items() if form in text]
    return found


def _inflated(data: bytes) -> Iterator[bytes]:
    for start in _ZLIB_STARTS:
        at = data.find(start)
        while at >= 0:
            with suppress(zlib.error):
                yield zlib.decompressobj().decompress(data[at:], _INFLATED_BYTES)
            at = data.find(start, at + 1)


@cache
def exif(orientation: int = 1) -> bytes:
    """A TIFF block as a phone writes it: names, maker note, position, and a thumbnail with a block of its own."""
    block = Image.Exif()
    block[_ORIENTATION] = orientation
    block[_MAKE] = SECRET.decode()
    inner = block.get_ifd(_EXIF)
    inner[_MAKER_NOTE] = b"Apple iOS\0" + SECRET
    inner[0x9286] = b"ASCII\0\0\0" + SECRET  # user comment
    position = block.get_ifd(_GPS)
    position[1], position[3] = "N", "E"
    position[2] = position[4] = (48.0, 51.0, 29.88)
    position[29] = SECRET.decode()
    return block.tobytes().removeprefix(b"Exif\0\0") + jpegs.planted(plain("JPEG"), _exif_segment(SECRET))


def _exif_segment(block: bytes) -> bytes:
    return jpegs.segment(0xE1, (b"Exif\0\0" + block)[:65_000])


def xmp(secret: bytes = SECRET) -> bytes:
    """An XMP packet."""
    return b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><exif:GPSLatitude>' + secret + b"</exif:GPSLatitude></x:xmpmeta>"


@cache
def tagged_profile() -> bytes:
    """A Display P3 profile that says the secret wherever a profile can."""
    return profiles.profile(extra=profiles.mirrored_text(SECRET.decode()), reserved=SECRET, slack=SECRET + b"\0\0")


def _iptc() -> bytes:
    record = b"\x1c\x02\x5a" + struct.pack(">H", len(SECRET)) + SECRET
    return b"Photoshop 3.0\x008BIM\x04\x04\0\0" + struct.pack(">I", len(record)) + record


def _between(secret: bytes) -> bytes:
    """Before every segment of a file."""
    several = [jpegs.Part(part.marker, secret + part.segment, part.entropy) for part in jpegs.parts(plain("JPEG"))]
    return jpegs.joined(several)


@cache
def restarting_jpeg() -> bytes:
    """The drawn mole with a restart marker after each row."""
    return encoded("JPEG", quality=80, restart_marker_rows=1)


def _before_restart(marker: bytes) -> bytes:
    whole = restarting_jpeg()
    at = whole.index(marker, whole.index(b"\xff\xda"))
    return whole[:at] + SECRET + whole[at:]


def _after_scan(number: int) -> bytes:
    several = list(jpegs.parts(progressive_jpeg()))
    scans = [index for index, part in enumerate(several) if part.marker == jpegs.SOS]
    index = scans[number]
    old = several[index]
    several[index] = jpegs.Part(old.marker, old.segment, old.entropy + SECRET)
    return jpegs.joined(several)


def _huffman_table(name: int) -> bytes:
    """A valid table whose symbols are the secret."""
    counts = bytes((0, 0, 0, 0, len(SECRET))) + bytes(11)
    return jpegs.segment(jpegs.DHT, bytes((name,)) + counts + SECRET)


def _quantisation_table(name: int) -> bytes:
    return jpegs.segment(jpegs.DQT, bytes((name,)) + SECRET.ljust(64, b"\1"))


@cache
def jpeg_plants() -> dict[str, bytes]:
    """The secret wherever a JPEG carries something else than decoding needs; every file decodes."""
    base = plain("JPEG")
    segments = {f"app{number}": jpegs.segment(0xE0 + number, SECRET) for number in range(16)}
    segments |= {f"marker-{marker:02x}": jpegs.segment(marker, SECRET) for marker in (0xDE, 0xDF, 0xF0, 0xF7, 0xFD)}
    segments |= {
        "exif": _exif_segment(exif()),
        "second-exif": _exif_segment(exif()) * 2,
        "xmp": jpegs.segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp()),
        "extended-xmp": jpegs.segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + bytes(40) + xmp()),
        "base64-xmp": jpegs.segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp(base64.b64encode(SECRET))),
        "utf-16-comment": jpegs.segment(jpegs.COM, SECRET.decode().encode("utf-16-le")),
        "comment": jpegs.segment(jpegs.COM, SECRET),
        "deflated": jpegs.segment(0xEB, zlib.compress(SECRET * 20)),
        "iptc": jpegs.segment(0xED, _iptc()),
        "mpf": jpegs.segment(0xE2, b"MPF\0II*\0" + SECRET),
        "flashpix": jpegs.segment(0xE2, b"FPXR\0" + SECRET),
        "jfif-thumbnail": jpegs.segment(0xE0, b"JFIF\0\1\2\0\0\1\0\1\3\2" + SECRET),
        "jfif-tail": jpegs.segment(0xE0, b"JFIF\0\1\2\0\0\1\0\1\0\0" + SECRET),
        "jfxx": jpegs.segment(0xE0, b"JFXX\0\x10" + jpegs.planted(base, _exif_segment(SECRET))),
        "adobe-tail": jpegs.segment(0xEE, b"Adobe\0\x64\0\0\0\0\1" + SECRET),
        "junk": SECRET,
        "restart-marker-and-junk": b"\xff\xd3" + SECRET,
        "profile": jpegs.icc_segments(tagged_profile()),
        "profile-that-is-none": jpegs.icc_segments(SECRET),
        "profile-of-nonsense-numbers": jpegs.icc_segments(SECRET * 3, numbers=[(9, 2), (0, 0), (255, 1)], size=18),
        "profile-twice": jpegs.icc_segments(profiles.profile()) + jpegs.icc_segments(tagged_profile()),
        "profile-with-curve-of-words": jpegs.icc_segments(profiles.profile(curve=_CURVE_OF_WORDS)),
    }
    files = {name: jpegs.planted(base, secret) for name, secret in segments.items()}
    files |= {
        f"{name}-before-scan": jpegs.before(base, jpegs.SOS, segments[name]) for name in ("exif", "comment", "junk")
    }
    return files | {
        "junk-between-all-segments": _between(SECRET),
        "comment-between-scans": jpegs.joined(
            [
                jpegs.Part(part.marker, jpegs.segment(jpegs.COM, SECRET) + part.segment, part.entropy)
                for part in jpegs.parts(progressive_jpeg())
            ]
        ),
        "comment-after-scan": jpegs.after_last_scan(base, jpegs.segment(jpegs.COM, SECRET)),
        "number-of-lines-after-scan": jpegs.after_last_scan(
            base, jpegs.segment(jpegs.DNL, struct.pack(">H", 450)) + jpegs.segment(jpegs.DNL, SECRET)
        ),
        "unused-table-after-scan": jpegs.after_last_scan(base, _quantisation_table(2) + _huffman_table(0x02)),
        "second-image": base + jpegs.planted(base, _exif_segment(exif())),
        "trailer": base + SECRET,
        "trailing-zip": base + b"PK\x03\x04" + SECRET,
        "picture-in-picture": jpegs.planted(base, jpegs.segment(0xE5, jpegs.planted(base, _exif_segment(exif())))),
    }


@cache
def plants_among_codes() -> dict[str, bytes]:
    """The secret where only decoding tells it from the picture, hidden by hand: no camera and no program writes there.

    That is entropy-coded data where a decoder has all pixels already and skips to the next marker, and tables that no
    scan uses.
    """
    base = plain("JPEG")
    return {
        "unused-quantisation-table": jpegs.planted(base, _quantisation_table(3)),
        "unused-huffman-table": jpegs.planted(base, _huffman_table(0x03) + _huffman_table(0x13)),
        "overwritten-quantisation-table": jpegs.planted(base, _quantisation_table(0)),
        "overwritten-huffman-table": jpegs.planted(base, _huffman_table(0x00)),
        "after-last-unit": jpegs.after_last_scan(plain("JPEG"), SECRET),
        "after-last-unit-and-restart": jpegs.after_last_scan(plain("JPEG"), b"\xff\xd0" + SECRET),
        "after-last-unit-stuffed": jpegs.after_last_scan(plain("JPEG"), b"\xff\0" * 8 + SECRET),
        "after-last-unit-of-first-progressive-scan": _after_scan(0),
        "after-last-unit-of-middle-progressive-scan": _after_scan(4),
        "after-last-unit-of-last-progressive-scan": _after_scan(-1),
        "before-first-restart": _before_restart(b"\xff\xd0"),
        "before-second-restart": _before_restart(b"\xff\xd1"),
    }


def _after_stream(png: bytes) -> bytes:
    return pngs.joined([(kind, data + SECRET if kind == b"IDAT" else data) for kind, data in pngs.chunks(png)])


def _single_stream(png: bytes) -> bytes:
    several = [(kind, data) for kind, data in pngs.chunks(png) if kind != b"IDAT"]
    data = b"".join(data for kind, data in pngs.chunks(png) if kind == b"IDAT")
    return pngs.joined([*several[:-1], (b"IDAT", data), several[-1]])


def _under_transparency() -> Image.Image:
    rgba = np.dstack([scene(), np.full(scene().shape[:2], 255, np.uint8)])
    rgba[0, :6] = np.frombuffer(b"".join(SECRET[at : at + 3] + b"\0" for at in range(0, 18, 3)), np.uint8).reshape(6, 4)
    return Image.fromarray(rgba)


@cache
def png_plants() -> dict[str, bytes]:
    """The secret in ancillary chunks, behind the data and under transparency."""
    base = _single_stream(plain("PNG"))
    squeezed = zlib.compress(SECRET)
    chunks = {
        "text": pngs.chunk(b"tEXt", b"Comment\0" + SECRET),
        "compressed-text": pngs.chunk(b"zTXt", b"Comment\0\0" + squeezed),
        "international-text": pngs.chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp()),
        "compressed-international-text": pngs.chunk(b"iTXt", b"Comment\0\1\0\0\0" + squeezed),
        "exif": pngs.chunk(b"eXIf", exif(1)),
        "profile": pngs.chunk(b"iCCP", SECRET + b"\0\0" + zlib.compress(tagged_profile())),
        "profile-with-curve-of-words": pngs.chunk(
            b"iCCP", b"name\0\0" + zlib.compress(profiles.profile(curve=_CURVE_OF_WORDS))
        ),
        "private-chunk": pngs.chunk(b"gpSx", SECRET),
        "safe-to-copy-chunk": pngs.chunk(b"gpsa", SECRET),
        "suggested-palette": pngs.chunk(b"sPLT", SECRET + b"\0\x08" + bytes(6)),
        "palette": pngs.chunk(b"PLTE", SECRET),
    }
    files = {name: pngs.planted(base, chunk) for name, chunk in chunks.items()}
    files |= {
        f"{name}-behind-picture": pngs.planted(base, chunks[name], before=b"IEND")
        for name in ("text", "compressed-text", "exif", "private-chunk")
    }
    indexed = Image.fromarray(scene()).quantize(64)
    indexed.putpalette((indexed.getpalette() or [])[:192] + list(SECRET * 3))
    return files | {
        "trailer": base + SECRET,
        "trailing-chunk": base + chunks["text"],
        "behind-stream": _after_stream(base),
        "under-transparency": encoded("PNG", _under_transparency()),
        "unused-palette-entries": encoded("PNG", indexed),
        "later-frame": pngs.planted(
            pngs.animated(base, 1), pngs.chunk(b"fdAT", struct.pack(">I", 9) + SECRET), before=b"IEND"
        ),
    }


@cache
def webp_plants() -> dict[str, bytes]:
    """The secret in chunks, behind the file and under transparency."""
    base, p3 = plain("WEBP"), tagged_profile()
    icc = [riffs.chunk(kind, data) for kind, data in riffs.chunks(encoded("WEBP", icc_profile=p3, quality=80))]
    return {
        "exif": riffs.extended(base, riffs.chunk(b"EXIF", exif(1)), flags=8),
        "exif-without-flag": riffs.extended(base, riffs.chunk(b"EXIF", exif(1))),
        "exif-with-prefix": riffs.extended(base, riffs.chunk(b"EXIF", b"Exif\0\0" + exif(1)), flags=8),
        "xmp": riffs.extended(base, riffs.chunk(b"XMP ", xmp()), flags=4),
        "profile": riffs.joined(*icc),
        "private-chunk": riffs.extended(base, riffs.chunk(b"GPS ", SECRET)),
        "behind-simple-picture": riffs.joined(base[12:], riffs.chunk(b"XMP ", xmp())),
        "trailer": base + SECRET,
        "under-transparency": encoded("WEBP", _under_transparency(), lossless=True, exact=True),
    }


def _exif_item(number: int) -> boxes.Item:
    return boxes.Item(number, b"Exif", bytes(4) + exif(), references=((b"cdsc", (1,)),))


@cache
def heic_plants() -> dict[str, bytes]:
    """The secret in items, boxes and the slack between them."""
    picture = boxes.coded_picture(plain("HEIF"))
    mime = boxes.Item(2, b"mime", xmp(), references=((b"cdsc", (1,)),), content_type=b"application/rdf+xml")
    inner = boxes.Item(2, b"hvc1", picture.data + SECRET, picture.properties, ((b"thmb", (1,)),))
    auxiliary = boxes.full_box(b"auxC", b"urn:mpeg:hevc:2015:auxid:2\0")
    depth = boxes.Item(2, b"hvc1", picture.data + SECRET, (*picture.properties, auxiliary), ((b"auxl", (1,)),))
    colour = boxes.box(b"colr", b"prof" + tagged_profile())
    kept = tuple(each for each in picture.properties if each[4:8] != b"colr")
    return {
        "exif": boxes.heif([picture, _exif_item(2)], primary=1),
        "xmp": boxes.heif([picture, mime], primary=1),
        "thumbnail": boxes.heif([picture, inner], primary=1),
        "depth-map": boxes.heif([picture, depth], primary=1),
        "second-picture": boxes.heif(
            [picture, boxes.Item(2, b"hvc1", picture.data + SECRET, picture.properties)], primary=1
        ),
        "profile": boxes.heif([boxes.Item(1, b"hvc1", picture.data, (*kept, colour))], primary=1),
        "slack": boxes.heif([picture], primary=1, slack=SECRET),
        "trailer": boxes.heif([picture], primary=1, tail=SECRET.rjust(40, b"\0")),
        **{
            f"{kind.decode()}-box": boxes.heif([picture], primary=1, tail=boxes.box(kind, bytes(16) + SECRET))
            for kind in (b"free", b"skip", b"udta", b"uuid")
        },
        "box-in-meta": boxes.heif([picture], primary=1, meta_extra=boxes.box(b"free", SECRET)),
        "by-pillow": encoded("HEIF", exif=exif(), xmp=xmp(), icc_profile=tagged_profile(), quality=80),
    }


def shown(data: bytes) -> Image.Image:
    """What Pillow makes of a file, for comparison: RGB, nothing turned, no colours converted."""
    with Image.open(io.BytesIO(data)) as image:
        return image.convert("RGB")
