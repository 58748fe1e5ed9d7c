"""The made photos: the same every time, and what their names say."""

import io
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.measuring import BenchmarkError
from benchmarks.photos import DERMATOSCOPIC, HEIC, PHONE, made_memory_photos, made_photos, photos_of
from ml_models.colour import matrix_profile
from ml_models.image_io import PhotoFormat, PhotoLimits, read_photo

GPS = 0x8825
ORIENTATION = 0x0112


@pytest.fixture(scope="module")
def by_name() -> dict[str, bytes]:
    return {photo.name: photo.content for photo in made_photos(shrink=4)}


def _open(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def test_made_photos_made_twice_are_equal(by_name: dict[str, bytes]):
    assert {photo.name: photo.content for photo in made_photos(shrink=4)} == by_name


@pytest.mark.parametrize(
    ("name", "size", "photo_format"),
    [
        (PHONE, (756, 1008), PhotoFormat.JPEG),
        (DERMATOSCOPIC, (600, 450), PhotoFormat.JPEG),
        (HEIC, (1008, 756), PhotoFormat.HEIF),
    ],
)
def test_made_photos_are_read_upright(by_name: dict[str, bytes], name, size, photo_format):
    photo = read_photo(by_name[name], model_input_px=160)
    assert ((photo.width_px, photo.height_px), photo.format) == (size, photo_format)


def test_made_photos_phone_has_12_megapixels_and_4_megabytes():
    phone = made_photos()[0]
    assert (phone.width_px, phone.height_px) == (4032, 3024)
    assert 3e6 < len(phone.content) < 5e6


def test_made_photos_phone_says_what_phones_say(by_name: dict[str, bytes]):
    with _open(by_name[PHONE]) as image:
        exif = image.getexif()
        assert (image.format, exif[ORIENTATION], exif.get_ifd(GPS)[1]) == ("MPO", 6, "N")


@pytest.mark.parametrize("name", [PHONE, HEIC])
def test_made_photos_of_a_phone_are_in_display_p3(by_name: dict[str, bytes], name: str):
    with _open(by_name[name]) as image:
        profile = image.info["icc_profile"]
    colorants = [-69 % 2**32, 2745, 51385]
    assert matrix_profile(profile)
    assert all(number.to_bytes(4, "big") in profile for number in colorants)


def test_made_memory_photos_are_accepted_and_as_named():
    photos = {photo.name: photo for photo in made_memory_photos(shrink=4)}
    with _open(photos["progressive JPEG"].content) as image:
        assert image.info["progressive"]
    formats = {name: read_photo(photo.content, model_input_px=160).format.value for name, photo in photos.items()}
    assert formats == {
        "progressive JPEG": "jpeg",
        "PNG": "png",
        "WebP": "webp",
        "largest JPEG": "jpeg",
        "largest PNG": "png",
    }


@pytest.mark.slow
def test_made_memory_photos_largest_reach_the_limits():
    limits = PhotoLimits()
    photos = {photo.name: photo for photo in made_memory_photos()}
    for name, pixels in (("largest JPEG", limits.max_jpeg_pixels), ("largest PNG", limits.max_other_pixels)):
        photo = photos[name]
        assert 0.99 * pixels < photo.width_px * photo.height_px <= pixels
        assert len(photo.content) < limits.max_bytes


def test_photos_of_names_rows_by_file(tmp_path: Path, lesion_jpeg: bytes):
    for name in ("b.JPG", "a.jpeg", "notes.txt"):
        (tmp_path / name).write_bytes(lesion_jpeg)
    photos = photos_of(tmp_path)
    assert [photo.name for photo in photos] == ["a.jpeg", "b.JPG"]
    assert photos[0].size == f"600 x 450, 0.3 MP, {len(lesion_jpeg) / 1e6:.2f} MB"


def test_photos_of_folder_without_photos_is_refused(tmp_path: Path):
    with pytest.raises(BenchmarkError, match="holds no photo"):
        photos_of(tmp_path)


def test_photos_of_unreadable_file_is_named(tmp_path: Path):
    (tmp_path / "broken.jpg").write_bytes(b"no photo")
    with pytest.raises(BenchmarkError, match=r"broken\.jpg cannot be opened"):
        photos_of(tmp_path)
