"""Ranges and entity tags, without any file."""

import io

import pytest

from api.byte_ranges import ByteRange, FilePart, RangeNotSatisfiable, asked_range, is_known

ETAG = '"a1"'


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", ByteRange(0, 0)),
        ("bytes=0-99", ByteRange(0, 99)),
        ("bytes=90-", ByteRange(90, 99)),
        ("bytes=99-99", ByteRange(99, 99)),
        ("bytes=50-1000", ByteRange(50, 99)),
        ("bytes=-1", ByteRange(99, 99)),
        ("bytes=-1000", ByteRange(0, 99)),
        pytest.param(f"bytes=0-{'9' * 5000}", ByteRange(0, 99), id="digits"),
    ],
)
def test_range_inside_the_file_is_understood(header: str, expected: ByteRange):
    assert asked_range(header, "", etag=ETAG, size_bytes=100) == expected


@pytest.mark.parametrize(
    "header", ["", "bytes=", "bytes=-", "bytes=5-4", "bytes=0-1,5-6", "lines=0-1", "bytes=a-b", "bytes=\u0661-"]
)
def test_range_that_is_none_gives_the_whole_file(header: str):
    assert asked_range(header, "", etag=ETAG, size_bytes=100) is None


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-100", "bytes=-0"])
def test_range_after_the_end_is_refused(header: str):
    with pytest.raises(RangeNotSatisfiable):
        asked_range(header, "", etag=ETAG, size_bytes=100)


@pytest.mark.parametrize(("if_range", "partial"), [(ETAG, True), ('"b2"', False), ('W/"a1"', False)])
def test_range_of_another_version_gives_the_whole_file(if_range: str, partial: bool):  # noqa: FBT001
    assert (asked_range("bytes=1-2", if_range, etag=ETAG, size_bytes=100) is not None) is partial


@pytest.mark.parametrize(
    ("if_none_match", "known"),
    [(ETAG, True), ('W/"a1"', True), ('"b2", "a1"', True), ("*", True), ('"b2"', False), ("", False), ("a1", False)],
)
def test_entity_tag_is_known(if_none_match: str, known: bool):  # noqa: FBT001
    assert is_known(if_none_match, ETAG) is known


def test_part_reads_its_bytes_and_closes_the_file():
    file = io.BytesIO(bytes(range(100)))
    part = FilePart(file, ByteRange(10, 14))
    assert [part.read(3), part.read(3), part.read(3)] == [b"\x0a\x0b\x0c", b"\x0d\x0e", b""]
    part.close()
    assert file.closed
