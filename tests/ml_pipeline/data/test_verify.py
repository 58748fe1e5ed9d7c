"""Every file is a status: what is good, what is wrong with the rest, and never a crash."""

import io
import os
import struct
import subprocess
import sys
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ml_models.image_io import PhotoLimits
from ml_pipeline.data import fingerprint
from ml_pipeline.data.verify import FileFacts, FileStatus, examine, named_as
from tests.hostile import pngs
from tests.ml_pipeline.data.conftest import Photo, encoded, examined, exif_orientation, pyramid_of

SMALL = (72, 80, 3)
KINDS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "several PNG", "several WEBP", "several GIF", "several TIFF")


@pytest.fixture(scope="module")
def photo(lesions: Sequence[Photo]) -> Photo:
    return lesions[0]


@pytest.fixture(scope="module")
def jpeg(photo: Photo) -> bytes:
    return encoded(photo)


def several(photos: Sequence[Photo], image_format: str, **options: object) -> bytes:
    """A file of several frames or pages."""
    buffer = io.BytesIO()
    first, *others = (Image.fromarray(each) for each in photos)
    first.save(buffer, image_format, save_all=True, append_images=others, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("image_format", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("PNG", {}),
        ("WEBP", {"lossless": True}),
        ("HEIF", {"quality": 80}),
    ],
)
def test_examine_a_whole_photo_is_ok_with_all_facts(
    photo: Photo, image_format: str, options: dict[str, object]
) -> None:
    data = encoded(photo, image_format, **options)
    facts = examine(data, "digest")
    assert (facts.status, facts.reason) == (FileStatus.OK, "")
    assert (facts.sha256, facts.format, facts.size_bytes) == ("digest", image_format.lower(), len(data))
    assert (facts.width_px, facts.height_px) == (300, 225)
    assert len(facts.pixel_digest) == 32
    bits = np.frombuffer(facts.signature, np.uint8).reshape(-1, fingerprint.SIGNATURE_BYTES)
    assert len(bits) == len(fingerprint.VIEWS)
    assert np.bitwise_count(bits[0] ^ fingerprint.signature(pyramid_of(photo))[0]).sum() <= 30


def test_examine_nothing_is_empty() -> None:
    assert examined(b"").status is FileStatus.EMPTY


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "HEIF"])
@pytest.mark.parametrize("share", [0.0005, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97])
def test_examine_a_truncated_photo_is_not_ok(photo: Photo, image_format: str, share: float) -> None:
    data = encoded(photo, image_format)
    facts = examined(data[: max(1, int(len(data) * share))])
    assert facts.status in (FileStatus.TRUNCATED, FileStatus.UNREADABLE)
    assert facts.reason
    assert (facts.pixel_digest, facts.signature) == ("", b"")
    if image_format != "HEIF" and share >= 0.1:
        assert facts.status is FileStatus.TRUNCATED


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP"])
def test_examine_any_truncation_is_refused_or_lost_no_pixel(lesions: Sequence[Photo], image_format: str) -> None:
    whole = encoded(np.ascontiguousarray(lesions[3][60:150, 90:200]), image_format)
    digest = examined(whole).pixel_digest
    for length in (*range(0, len(whole), max(1, len(whole) // 150)), *range(len(whole) - 12, len(whole))):
        facts = examined(whole[:length])
        assert facts.status is not FileStatus.OK or facts.pixel_digest == digest, length


@pytest.mark.parametrize(
    "data",
    [
        b"no picture",
        b"\0" * 5000,
        b"\xff\xd8\xff no jpeg",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        b"II*\0" + b"\0" * 64,
        b"RIFF\x10\0\0\0WEBPVP8 ",
        b"%PDF-1.7 " * 100,
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<html><body>404 Not Found</body></html>",
        "id,label\n1,mel\n".encode("utf-16"),
    ],
    ids=[
        "text",
        "zeros",
        "jpeg start",
        "png start",
        "gif start",
        "tiff start",
        "webp start",
        "pdf",
        "svg",
        "html",
        "csv",
    ],
)
def test_examine_what_is_no_photo_is_unreadable_or_cut(data: bytes) -> None:
    facts = examined(data)
    assert facts.status in (FileStatus.UNREADABLE, FileStatus.TRUNCATED)
    assert facts.reason
    assert facts.pixel_digest == ""


@pytest.mark.parametrize("image_format", ["GIF", "BMP", "TIFF"])
def test_examine_a_still_picture_of_another_format_is_unreadable(photo: Photo, image_format: str) -> None:
    assert examined(encoded(photo, image_format)).status is FileStatus.UNREADABLE


@pytest.mark.parametrize("size", [(63, 200), (200, 63), (1, 1), (10, 10), (80, 700)])
def test_examine_too_small_or_thin_is_too_small(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    assert examined(encoded(noise, "PNG")).status is FileStatus.TOO_SMALL


@pytest.mark.parametrize(
    "colour", [(0, 0, 0), (255, 255, 255), (128, 128, 128), (201, 150, 131), (255, 0, 0), (0, 0, 90)], ids=str
)
@pytest.mark.parametrize("image_format", ["JPEG", "PNG"])
def test_examine_one_colour_is_blank(colour: tuple[int, int, int], image_format: str) -> None:
    facts = examined(encoded(np.full((150, 200, 3), colour, np.uint8), image_format))
    assert facts.status is FileStatus.BLANK
    assert facts.signature == b""


@pytest.mark.parametrize("noise", [1.0, 3.0])
def test_examine_one_colour_with_the_noise_of_a_sensor_is_blank(noise: float) -> None:
    values = 140 + np.random.default_rng(0).normal(0, noise, (450, 600, 3))
    assert examined(encoded(values.astype(np.uint8))).status is FileStatus.BLANK


def test_examine_a_faint_lesion_is_not_blank(photo: Photo) -> None:
    faint = (150 + (photo.astype(float) - photo.mean()) * 0.25).astype(np.uint8)
    assert examined(encoded(faint)).status is FileStatus.OK


@pytest.mark.parametrize(
    ("image_format", "options"),
    [("GIF", {}), ("PNG", {}), ("WEBP", {}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"})],
    ids=["gif", "apng", "webp", "tiff", "tiff lzw"],
)
def test_examine_several_frames_are_animated(
    lesions: Sequence[Photo], image_format: str, options: dict[str, object]
) -> None:
    facts = examined(several(lesions[:3], image_format, **options))
    assert facts.status is FileStatus.ANIMATED
    assert "frames" in facts.reason


def test_examine_a_jpeg_with_the_previews_of_a_phone_is_ok(lesions: Sequence[Photo]) -> None:
    mpo = several(lesions[:2], "MPO", quality=92)
    with Image.open(io.BytesIO(mpo)) as image:
        assert image.format == "MPO"
        assert image.n_frames == 2
    facts = examined(mpo)
    assert facts.status is FileStatus.OK
    assert facts.pixel_digest == examined(encoded(lesions[0])).pixel_digest


@pytest.mark.parametrize("orientation", range(1, 9))
def test_examine_a_photo_turned_by_exif_has_the_pixels_of_its_upright_twin(photo: Photo, orientation: int) -> None:
    stored = encoded(photo, exif=exif_orientation(orientation))
    with Image.open(io.BytesIO(stored)) as image:
        from PIL import ImageOps

        upright = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    turned, twin = examined(stored), examined(encoded(upright, "PNG"))
    assert (turned.width_px, turned.height_px) == (twin.width_px, twin.height_px) == upright.shape[1::-1]
    assert turned.pixel_digest == twin.pixel_digest
    assert turned.sha256 != twin.sha256


def test_examine_metadata_and_lossless_packing_do_not_change_the_pixel_digest(photo: Photo, jpeg: bytes) -> None:
    exif = Image.Exif()
    exif[0x010F] = "A camera"
    assert examined(encoded(photo, exif=exif)).pixel_digest == examined(jpeg).pixel_digest
    packed = [encoded(photo, "PNG", compress_level=level) for level in (1, 9)]
    lossless = [*packed, encoded(photo, "WEBP", lossless=True)]
    assert len({examined(data).pixel_digest for data in lossless}) == 1


def test_examine_one_other_pixel_changes_the_pixel_digest(photo: Photo) -> None:
    other = photo.copy()
    other[10, 20, 2] ^= 1
    assert examined(encoded(photo, "PNG")).pixel_digest != examined(encoded(other, "PNG")).pixel_digest


def declared_jpeg(jpeg: bytes, side_px: int) -> bytes:
    """The same file with another size in its frame header."""
    at = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:at] + struct.pack(">HH", side_px, side_px) + jpeg[at + 4 :]


@pytest.mark.parametrize("side_px", [6_000, 12_000, 60_000])
@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "tiff"])
def test_examine_a_huge_declared_size_is_refused_without_memory(jpeg: bytes, kind: str, side_px: int) -> None:
    tiff = encoded(np.zeros(SMALL, np.uint8), "TIFF").replace(struct.pack("<I", SMALL[1]), struct.pack("<I", side_px))
    gif = encoded(np.zeros(SMALL, np.uint8), "GIF")
    data = {
        "png": pngs.flat(side_px, side_px, rows=1),
        "jpeg": declared_jpeg(jpeg, max(side_px, 8_000)),
        "gif": gif[:6] + struct.pack("<HH", side_px, side_px) + gif[10:],
        "tiff": tiff,
    }[kind]
    tracemalloc.start()
    facts = examined(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    refused = {FileStatus.TOO_LARGE} if kind in ("png", "jpeg") else {FileStatus.TOO_LARGE, FileStatus.UNREADABLE}
    assert facts.status in refused
    assert peak < 40_000_000  # decoded, the smallest would take 108 MB


def test_examine_more_bytes_than_allowed_is_too_large(jpeg: bytes) -> None:
    assert examined(jpeg + b"\0" * PhotoLimits().max_bytes).status is FileStatus.TOO_LARGE


@pytest.fixture(scope="module")
def files_to_damage() -> dict[str, bytes]:
    rng = np.random.default_rng(0)
    photos = [rng.integers(0, 256, SMALL, np.uint8) for _ in range(3)]
    stills = {name: encoded(photos[0], name) for name in KINDS if " " not in name}
    return stills | {name: several(photos, name.split()[-1]) for name in KINDS if " " in name}


@settings(max_examples=250)
@given(
    kind=st.sampled_from(KINDS),
    damage=st.lists(st.tuples(st.integers(0, 2000), st.sampled_from([0, 1, 2, 42, 127, 255])), max_size=8),
    kept=st.one_of(st.just(1.0), st.floats(0, 1)),
)
def test_examine_damaged_files_never_raises(
    files_to_damage: dict[str, bytes], kind: str, damage: list[tuple[int, int]], kept: float
) -> None:
    broken = bytearray(files_to_damage[kind])
    for at, value in damage:
        broken[at % len(broken)] = value
    facts = examined(bytes(broken[: round(kept * len(broken))]))
    assert (facts.status is FileStatus.OK) == bool(facts.signature)
    assert bool(facts.reason) == (facts.status is not FileStatus.OK)


@pytest.mark.parametrize("image_format", ["GIF", "PNG", "WEBP", "TIFF"])
def test_examine_a_truncated_animation_is_a_status(image_format: str) -> None:
    rng = np.random.default_rng(0)
    whole = several([rng.integers(0, 256, SMALL, np.uint8) for _ in range(3)], image_format)
    for length in range(1, len(whole), len(whole) // 70):
        assert examined(whole[:length]).status is not FileStatus.OK


@pytest.mark.parametrize(
    ("image_format", "name", "right"),
    [
        ("jpeg", "a.png", ".jpg"),
        ("jpeg", "a.tiff", ".jpg"),
        ("png", "a.jpg", ".png"),
        ("webp", "a.jpeg", ".webp"),
        ("heif", "a.jpg", ".heic"),
        ("jpeg", "a", ".jpg"),
        ("jpeg", "photo.jpg.gif", ".jpg"),
    ],
)
def test_named_as_another_format_is_a_wrong_suffix(image_format: str, name: str, right: str) -> None:
    facts = named_as(FileFacts("digest", FileStatus.OK, format=image_format), Path(name))
    assert facts.status is FileStatus.WRONG_SUFFIX
    assert facts.reason.endswith(f"rename it to {right}")


@pytest.mark.parametrize(
    ("image_format", "name"),
    [
        ("jpeg", "a.jpg"),
        ("jpeg", "A.JPG"),
        ("jpeg", "a.jpeg"),
        ("png", "b.PNG"),
        ("heif", "c.heif"),
        ("heif", "c.HEIC"),
    ],
)
def test_named_as_what_it_is_stays_ok(image_format: str, name: str) -> None:
    facts = FileFacts("digest", FileStatus.OK, format=image_format)
    assert named_as(facts, Path(name)) is facts


def test_named_as_a_broken_file_keeps_its_own_reason() -> None:
    facts = FileFacts("digest", FileStatus.TRUNCATED, "cut")
    assert named_as(facts, Path("a.csv")) is facts


def test_named_as_says_the_same_in_every_process() -> None:
    program = (
        "from pathlib import Path; from ml_pipeline.data.verify import FileFacts, FileStatus, named_as; "
        "print([named_as(FileFacts('', FileStatus.OK, format=f), Path('x')).reason for f in ('jpeg', 'heif')])"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            cwd=Path(__file__).parents[3],
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(said) == 1
