"""Thousands of damaged files: each is a photo or a refusal in words, and nothing is left behind.

FUZZ_EXAMPLES says how many (300) and FUZZ_SEED which (0): `FUZZ_EXAMPLES=10000 pytest tests/hostile/test_fuzz.py`. The
readers of single formats, which take no time, get four times as many. Hypothesis prints the file that fails.
"""

import io
import os
import sys
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings
from PIL import Image, UnidentifiedImageError

from benchmarks.serving import Answer, Server, forget_peak, peak_bytes, resident_bytes
from ml_models import heif, jpeg, png
from ml_models.classifier import Classifier
from ml_models.colour import MAX_PROFILE_BYTES, matrix_profile
from ml_models.errors import PhotoError, PhotoUnsupported
from ml_models.image_io import Photo, read_photo
from tests.hostile.files import STATUS_OF
from tests.hostile.mutations import mutated_files, parts, seeds
from tests.hostile.scenes import plain

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "300"))
SEED = int(os.environ.get("FUZZ_SEED", "0"))
MEGABYTE = 1_000_000
# The largest that a mutated header can claim within the limits: 25 megapixels of 16-bit RGBA, 50 of progressive JPEG.
PEAK_MB = 700
GROWTH_MB = 150
# Above this, reading again what was stored would take most of the time.
_READ_AGAIN_PIXELS = 2_000_000

on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads memory from /proc")
fuzzing = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)


@pytest.mark.parametrize("data", seeds().values(), ids=seeds())
def test_seed_is_accepted(data: bytes) -> None:
    assert read_photo(data, model_input_px=64).rgb.any()


def _photo_or_refusal(data: bytes) -> Photo | PhotoError:
    try:
        return read_photo(data, model_input_px=224)
    except PhotoError as refusal:
        return refusal


def _one_way_or_the_other(data: bytes, classifier: Classifier) -> None:
    photo = _photo_or_refusal(data)
    if isinstance(photo, PhotoError):
        assert photo.code in STATUS_OF
        assert len(str(photo).split()) > 4
        return
    assert photo.rgb.dtype == np.uint8
    assert photo.rgb.shape[2:] == (3,)
    answer = classifier.classify(photo.rgb)
    assert 0 <= answer.decision.confidence_percent <= 100
    if photo.rgb.size < 3 * _READ_AGAIN_PIXELS:
        again = read_photo(photo.content, model_input_px=224)
        assert (again.rgb == photo.rgb).all()
        assert again.content == photo.content


def _clean_jpeg(data: bytes) -> None:
    data = jpeg.START + data[len(jpeg.START) :]
    parts = jpeg.clean_jpeg(data)
    assert parts.header().startswith(jpeg.START)
    content = parts.content(orientation=6, profile=None)
    assert len(content) < len(data) + 200
    again = jpeg.clean_jpeg(content)
    assert again.segments == parts.segments
    assert again.content(orientation=6, profile=None) == content


def _clean_png(data: bytes) -> None:
    parts = png.clean_png(png.START + data[len(png.START) :], max_profile_bytes=MAX_PROFILE_BYTES)
    again = png.clean_png(parts.content(), max_profile_bytes=MAX_PROFILE_BYTES)
    assert again.chunks == parts.chunks
    assert (again.exif, again.icc) == (None, None)
    parts.check_amount()


def _matrix_profile(data: bytes) -> None:
    rebuilt = matrix_profile(data)
    assert rebuilt is None or matrix_profile(rebuilt) == rebuilt


def _decoded_pixels(data: bytes) -> None:
    """What libheif shows is never larger than what it was said to decode."""
    try:
        pixels = heif.decoded_pixels(data)
    except PhotoUnsupported:
        return
    assert pixels >= 0
    refusals = (UnidentifiedImageError, Image.DecompressionBombError, Image.DecompressionBombWarning)
    with suppress(*refusals), Image.open(io.BytesIO(data), formats=("HEIF",)) as image:
        assert not image.info["primary"] or image.size[0] * image.size[1] <= pixels


READERS = {"jpeg": _clean_jpeg, "png": _clean_png, "profile": _matrix_profile, "heif": _decoded_pixels}


@pytest.mark.parametrize("name", READERS)
def test_reader_damaged_bytes_are_read_or_refused(name: str) -> None:
    @seed(SEED)
    @settings(fuzzing, max_examples=4 * EXAMPLES)
    @given(mutated_files(parts()[name]))
    def check(data: bytes) -> None:
        with suppress(PhotoError):
            READERS[name](data)

    for data in parts()[name]:
        READERS[name](data)
    check()


@on_linux
def test_read_photo_damaged_files_are_photos_or_refusals(shipped_classifier: Classifier) -> None:
    @seed(SEED)
    @fuzzing
    @given(mutated_files())
    def check(data: bytes) -> None:
        _one_way_or_the_other(data, shipped_classifier)

    for data in seeds().values():
        _one_way_or_the_other(data, shipped_classifier)
    forget_peak(os.getpid())
    held = resident_bytes(os.getpid())
    check()
    assert (peak_bytes(os.getpid()) - held) / MEGABYTE < PEAK_MB
    assert (resident_bytes(os.getpid()) - held) / MEGABYTE < GROWTH_MB


@on_linux
@pytest.mark.slow
def test_server_damaged_files_are_answered_or_refused(server: Server, worker_pid: int) -> None:
    def answered(data: bytes) -> Answer:
        answer = server.post_photo(data, chunked=len(data) % 2 == 0, timeout_s=20)
        assert answer.status in (200, 400, 413, 415)
        assert answer.status == 200 or answer.status == STATUS_OF[answer.json()["code"]]
        return answer

    @seed(SEED)
    @fuzzing
    @given(mutated_files())
    def check(data: bytes) -> None:
        answered(data)

    for data in seeds().values():
        assert answered(data).status == 200
    forget_peak(worker_pid)
    held = resident_bytes(worker_pid)
    check()
    assert server.worker_pids() == [worker_pid]
    assert (peak_bytes(worker_pid) - held) / MEGABYTE < PEAK_MB
    assert (resident_bytes(worker_pid) - held) / MEGABYTE < GROWTH_MB
    assert answered(plain("JPEG")).status == 200
