"""Rare but honest files are answered, with the right pixels; of an animation, its first picture."""

import io
from collections.abc import Callable
from itertools import product

import cv2
import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from api.models import PredictionImage
from ml_models.image_io import PhotoFormat, PhotoLimits, read_photo
from ml_models.jpeg import clean_jpeg
from tests.hostile import boxes, jpegs, plants, pngs, riffs
from tests.hostile.scenes import Rgb, encoded, plain, progressive_jpeg, scene

LIMITS = PhotoLimits()
WHOLE_PX = 2_000  # above any test photo: decoded at full scale


def _image(mode: str = "RGB") -> Image.Image:
    return Image.fromarray(scene()).convert(mode)


def _by_pillow(data: bytes) -> Rgb:
    """The first picture as RGB, laid over white."""
    with Image.open(io.BytesIO(data)) as image:
        image.seek(0)
        rgba = image.convert("RGBA")
    white = Image.new("RGBA", rgba.size, "white")
    return np.asarray(Image.alpha_composite(white, rgba).convert("RGB"))


def _ycck() -> bytes:
    """CMYK said to be YCCK: Adobe's transform 2 over inverted channels."""
    several = [
        jpegs.Part(part.marker, part.segment[:-1] + b"\2") if part.marker == 0xEE else part
        for part in jpegs.parts(encoded("JPEG", _image("CMYK"), quality=90))
    ]
    return jpegs.joined(several)


def _half_transparent(mode: str) -> Image.Image:
    image = _image("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image.convert(mode)


def _sampled(horizontal: int, vertical: int) -> bytes:
    """A JPEG whose chroma is this much coarser."""
    option = {
        (1, 1): cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
        (2, 1): cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
        (2, 2): cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
        (4, 1): cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411,
        (1, 2): cv2.IMWRITE_JPEG_SAMPLING_FACTOR_440,
    }[horizontal, vertical]
    _, data = cv2.imencode(".jpg", scene()[..., ::-1], [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, option])
    return bytes(data)


LOSSY: dict[str, Callable[[], bytes]] = {
    "progressive": progressive_jpeg,
    "grey-jpeg": lambda: encoded("JPEG", _image("L"), quality=90),
    "grey-progressive": lambda: encoded("JPEG", _image("L"), quality=90, progressive=True),
    "cmyk-jpeg": lambda: encoded("JPEG", _image("CMYK"), quality=90),
    "cmyk-progressive": lambda: encoded("JPEG", _image("CMYK"), quality=90, progressive=True),
    "ycck-jpeg": _ycck,
    "rgb-jpeg": lambda: encoded("JPEG", keep_rgb=True, quality=90),
    "jpeg-with-restarts": plants.restarting_jpeg,
    "jpeg-in-lowest-quality": lambda: encoded("JPEG", quality=1),
    "jpeg-in-highest-quality": lambda: encoded("JPEG", quality=100, subsampling=0),
    "jpeg-without-huffman-tables": lambda: jpegs.joined(
        [part for part in jpegs.parts(encoded("JPEG", quality=80)) if part.marker != jpegs.DHT]
    ),
    "mpo": lambda: encoded("MPO", save_all=True, append_images=[_image().rotate(90)], quality=90),
    **{f"jpeg-sampled-{h}x{v}": lambda h=h, v=v: _sampled(h, v) for h, v in ((1, 1), (2, 1), (2, 2), (4, 1), (1, 2))},
    "webp": lambda: plain("WEBP"),
    "webp-in-lowest-quality": lambda: encoded("WEBP", quality=1),
    "webp-animated": lambda: encoded(
        "WEBP", save_all=True, append_images=[_image().rotate(90)], quality=90, duration=100
    ),
    "heic-grey": lambda: encoded("HEIF", _image("L"), quality=90),
    "heic": lambda: plain("HEIF"),
    "heic-sequence": lambda: encoded("HEIF", save_all=True, append_images=[_image().rotate(90)], quality=90),
    "heic-of-odd-sides": lambda: encoded("HEIF", np.ascontiguousarray(scene()[:449, :599]), quality=90),
}
LOSSLESS: dict[str, Callable[[], bytes]] = {
    "png": lambda: plain("PNG"),
    "grey-png": lambda: encoded("PNG", _image("L")),
    "1-bit-png": lambda: encoded("PNG", _image("1")),
    "palette-png": lambda: encoded("PNG", _image().quantize(256)),
    "2-colour-palette-png": lambda: encoded("PNG", _image().quantize(2), bits=1),
    "4-colour-palette-png": lambda: encoded("PNG", _image().quantize(4), bits=2),
    "16-colour-palette-png": lambda: encoded("PNG", _image().quantize(16), bits=4),
    "palette-png-with-transparent-colour": lambda: encoded("PNG", _image().quantize(16), transparency=3),
    "palette-png-with-alpha-table": lambda: encoded(
        "PNG", _image().quantize(16), transparency=bytes(range(0, 256, 16))
    ),
    "png-with-transparent-colour": lambda: encoded("PNG", transparency=tuple(int(each) for each in scene()[0, 0])),
    "grey-png-with-alpha": lambda: encoded("PNG", _half_transparent("LA")),
    "png-with-alpha": lambda: encoded("PNG", _half_transparent("RGBA")),
    "interlaced-png": lambda: pngs.interlaced(scene()),
    "png-in-many-chunks": lambda: pngs.joined(
        [
            (kind, data[at : at + 997])
            for kind, data in pngs.chunks(plain("PNG"))
            for at in range(0, max(len(data), 1), 997)
        ]
    ),
    "animated-png": lambda: pngs.animated(plain("PNG"), 3),
    "animated-png-of-1000-frames": lambda: pngs.animated(pngs.flat(600, 450), 1_000),
    "png-with-1000-texts": lambda: pngs.planted(plain("PNG"), pngs.chunk(b"tEXt", b"Comment\0x") * 1_000),
    "lossless-webp": lambda: encoded("WEBP", lossless=True),
    "lossless-webp-with-alpha": lambda: encoded("WEBP", _half_transparent("RGBA"), lossless=True),
    "lossless-webp-with-unknown-chunks": lambda: riffs.extended(
        encoded("WEBP", lossless=True), riffs.chunk(b"what", bytes(100)) * 1_000
    ),
    "lossless-animated-webp": lambda: encoded(
        "WEBP", save_all=True, append_images=[_image().rotate(90)], lossless=True, duration=100
    ),
    "lossless-animated-webp-of-300-frames": lambda: _long_animation(300),
}


def _long_animation(frames: int) -> bytes:
    rest = [Image.new("RGB", (600, 450), (index % 256, index // 256, 0)) for index in range(2)] * (frames // 2)
    return encoded("WEBP", save_all=True, append_images=rest, lossless=True, method=0, minimize_size=False)


@pytest.mark.parametrize("make", LOSSY.values(), ids=LOSSY)
def test_read_photo_lossy_odd_file_shows_what_pillow_shows(make: Callable[[], bytes]) -> None:
    data = make()
    difference = np.abs(read_photo(data, model_input_px=WHOLE_PX).rgb.astype(int) - _by_pillow(data))
    assert difference.mean() < 2
    assert np.quantile(difference, 0.99) <= 12


@pytest.mark.parametrize("make", LOSSLESS.values(), ids=LOSSLESS)
def test_read_photo_lossless_odd_file_shows_what_pillow_shows(make: Callable[[], bytes]) -> None:
    data = make()
    seen = read_photo(data, model_input_px=WHOLE_PX).rgb
    assert np.abs(seen.astype(int) - _by_pillow(data)).max() <= 1


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_honest_progressive_jpeg_has_few_enough_scans_at_the_largest_size(mode: str) -> None:
    passes = clean_jpeg(encoded("JPEG", _image(mode), progressive=True)).component_passes
    assert passes * LIMITS.max_jpeg_pixels <= LIMITS.max_scanned_pixels


BOMBS = {
    "text": (b"zTXt", b"Comment\0\0"),
    "international-text": (b"iTXt", b"Comment\0\1\0\0\0"),
    "profile": (b"iCCP", b"name\0\0"),
}


@pytest.mark.parametrize("place", [b"IDAT", b"IEND"], ids=["before-picture", "behind-picture"])
@pytest.mark.parametrize(("kind", "head"), BOMBS.values(), ids=BOMBS)
def test_read_photo_png_with_a_bomb_beside_its_picture_is_the_picture(kind: bytes, head: bytes, place: bytes) -> None:
    """Pillow refuses such a file; nobody needs to inflate what is dropped."""
    bomb = pngs.chunk(kind, head + pngs.deflated_zeros(128 << 20))
    photo = read_photo(pngs.planted(plain("PNG"), bomb, before=place), model_input_px=WHOLE_PX)
    np.testing.assert_array_equal(photo.rgb, scene())


@pytest.mark.parametrize("colour", [pngs.RGB, pngs.RGBA, pngs.GREY, pngs.GREY_ALPHA])
def test_read_photo_sixteen_bit_png_shows_its_upper_eight_bits(colour: int) -> None:
    """Pillow reads only some of these; the truth is what was written."""
    upper = {pngs.GREY: scene()[..., :1], pngs.GREY_ALPHA: scene()[..., :1]}.get(colour, scene())
    opaque = np.full((*upper.shape[:2], 1), 255, np.uint8)
    whole = np.dstack([upper, opaque]) if colour in (pngs.RGBA, pngs.GREY_ALPHA) else upper
    data = pngs.sixteen_bit(whole.astype(np.uint16) * 257, colour)
    seen = read_photo(data, model_input_px=WHOLE_PX).rgb
    assert np.abs(seen.astype(int) - upper).max() <= 1


@pytest.mark.parametrize(
    ("photo_format", "claimed"), list(product(["JPEG", "PNG", "WEBP", "HEIF"], ["a.png", "a.exe"]))
)
def test_predict_believes_neither_name_nor_type(photo_format: str, claimed: str, db: None, tmp_path, settings) -> None:
    settings.MEDIA_ROOT = tmp_path
    upload = SimpleUploadedFile(claimed, plain(photo_format), "application/x-msdownload")
    assert Client().post("/api/predict/skin-disease/", {"image": upload}).status_code == 200
    image = PredictionImage.objects.get()
    assert image.format == PhotoFormat(photo_format.lower()).value
    assert image.photo.name.endswith(".jpg" if photo_format == "JPEG" else ".png")


def test_read_photo_heic_grid_shows_its_tiles() -> None:
    tile = boxes.coded_picture(plain("HEIF"))
    whole = boxes.Item(
        2, b"grid", boxes.grid(2, 3, 1_800, 900), (boxes.size_property(1_800, 900),), ((b"dimg", (1,) * 6),)
    )
    photo = read_photo(boxes.heif([tile, whole], primary=2), model_input_px=WHOLE_PX)
    one = read_photo(plain("HEIF"), model_input_px=WHOLE_PX).rgb
    np.testing.assert_array_equal(photo.rgb, np.tile(one, (2, 3, 1)))
