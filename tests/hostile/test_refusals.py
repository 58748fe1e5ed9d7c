"""Every hostile file, sent to the real server over a socket: refused in words, in bounded time and memory."""

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from PIL import Image

from benchmarks.serving import Answer, Server, forget_peak, peak_bytes, resident_bytes
from tests.hostile import boxes, jpegs, pngs
from tests.hostile.files import BAD_FILES, STATUS_OF, BadFile, heic_made_of, heic_tile
from tests.hostile.scenes import encoded, plain

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the worker's memory from /proc"),
]

PATIENCE_S = 20.0
MEGABYTE = 1_000_000
# Whole and decoded to the limit: 25 megapixels of 16-bit RGBA are 200 MB, and OpenCV needs them twice.
WHOLE_DECODING_MB = 500
# Coefficients of 50 megapixels in four components of 16 bits, and a little for the reduced picture.
JPEG_DECODING_MB = 450


@pytest.fixture(scope="module")
def good_answer(server: Server) -> Answer:
    """What a good photo is answered before anything hostile has come."""
    return server.post_photo(plain("JPEG"))


def _peak_mb(pid: int, send: Callable[[], object]) -> float:
    """The memory that the worker needed on top of what it held, in MB."""
    forget_peak(pid)
    held = resident_bytes(pid)
    send()
    return (peak_bytes(pid) - held) / MEGABYTE


@pytest.mark.parametrize("chunked", [False, True], ids=["with-length", "chunked"])
@pytest.mark.parametrize("bad", BAD_FILES.values(), ids=BAD_FILES)
def test_server_hostile_file_is_refused_and_harms_nobody(
    server: Server, worker_pid: int, good_answer: Answer, bad: BadFile, *, chunked: bool
) -> None:
    data = bad.data()
    answers: list[Answer] = []
    peak_mb = _peak_mb(
        worker_pid, lambda: answers.append(server.post_photo(data, chunked=chunked, timeout_s=PATIENCE_S))
    )
    body = answers[0].json()
    assert set(body) == {"error", "detail", "code", "fields"}
    assert (body["code"], answers[0].status) in {(code, STATUS_OF[code]) for code in bad.codes}
    assert len(body["error"].split()) > 4
    assert peak_mb < bad.headroom_mb + 3 * len(data) / MEGABYTE
    after = server.post_photo(plain("JPEG"), timeout_s=PATIENCE_S)
    assert (after.status, after.json()["probabilities"]) == (200, good_answer.json()["probabilities"])
    assert server.worker_pids() == [worker_pid]


@pytest.mark.parametrize("chunked", [False, True], ids=["with-length", "chunked"])
def test_server_file_of_too_many_bytes_is_refused_unread(server: Server, worker_pid: int, *, chunked: bool) -> None:
    data = plain("JPEG") + bytes(60 * 2**20)
    answers: list[Answer] = []
    peak_mb = _peak_mb(
        worker_pid, lambda: answers.append(server.post_photo(data, chunked=chunked, timeout_s=PATIENCE_S))
    )
    assert (answers[0].status, answers[0].json()["code"]) == (413, "photo_too_large")
    assert peak_mb < 80


def _heic_beyond_its_canvas() -> bytes:
    """25 megapixels, cut from two tiles of 30 each."""
    whole = heic_made_of(2, [1, 1], 1, 2, (4_900, 5_100))
    return boxes.heif([heic_tile(1, (5_460, 5_460)), whole], primary=2)


# Four components, once together and 32 times one of them: as many passes as are accepted.
LARGEST_PROGRESSIVE = partial(jpegs.many_scans, 7_071, 7_071, 33, components=4)
LARGEST: dict[str, tuple[Callable[[], bytes], int]] = {
    "palette-png": (partial(pngs.flat, 5_000, 5_000, bits=1, colour=pngs.PALETTE), WHOLE_DECODING_MB),
    "16-bit-png-with-alpha": (partial(pngs.flat, 5_000, 5_000, bits=16, colour=pngs.RGBA), WHOLE_DECODING_MB),
    "progressive-jpeg-of-12-scans": (partial(jpegs.many_scans, 7_071, 7_071, 12), JPEG_DECODING_MB),
    "progressive-jpeg-of-36-passes": (LARGEST_PROGRESSIVE, JPEG_DECODING_MB),
    "heic-with-alpha": (lambda: encoded("HEIF", Image.new("RGBA", (5_000, 5_000)), quality=1), WHOLE_DECODING_MB),
    "heic-far-beyond-its-canvas": (_heic_beyond_its_canvas, WHOLE_DECODING_MB),
}


@pytest.mark.parametrize(("make", "limit_mb"), LARGEST.values(), ids=LARGEST)
def test_server_largest_accepted_file_is_answered_in_bounded_memory(
    server: Server, worker_pid: int, make: Callable[[], bytes], limit_mb: int
) -> None:
    data = make()
    answers: list[Answer] = []
    peak_mb = _peak_mb(worker_pid, lambda: answers.append(server.post_photo(data, timeout_s=PATIENCE_S)))
    assert (answers[0].status, answers[0].json()["label"]) == (200, None)  # one colour: no detail
    assert peak_mb < limit_mb


def test_server_uniformly_grey_jpeg_is_answered(server: Server) -> None:
    answer = server.post_photo(jpegs.uniform(128))
    assert (answer.status, answer.json()["label"]) == (200, None)


def _four_at_once(server: Server, data: bytes) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: server.post_photo(data), range(4)))
    assert {answer.status for answer in answers} <= {200, 503}


def test_server_whole_decoding_happens_one_at_a_time(server: Server, worker_pid: int) -> None:
    data = pngs.flat(5_000, 5_000, bits=16, colour=pngs.RGBA)
    # Finished pictures are shrunk to 2 MB.
    assert _peak_mb(worker_pid, lambda: _four_at_once(server, data)) < WHOLE_DECODING_MB + 50


def test_server_progressive_decoding_happens_one_at_a_time(server: Server, worker_pid: int) -> None:
    data = jpegs.many_scans(7_071, 7_071, 12, components=4)
    # Finished pictures are reduced to 2 MB.
    assert _peak_mb(worker_pid, lambda: _four_at_once(server, data)) < JPEG_DECODING_MB + 50
