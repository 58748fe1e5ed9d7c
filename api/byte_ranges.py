"""A file over HTTP in parts, and only when the client has not got it (RFC 9110, sections 13 and 14).

WhiteNoise serves ranges of static files, but refuses a range of one byte and knows no If-Range.
"""

import re
from dataclasses import dataclass
from typing import BinaryIO

from django.utils.http import parse_etags

_RANGE = re.compile(r"bytes=\s*(\d*)-(\d*)\s*", re.ASCII)
_MOST_DIGITS = 18  # more is past the end of every file, and int() of thousands is slow


class RangeNotSatisfiable(Exception):
    """The range lies outside the file."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes `first` to `last`, both included."""

    first: int
    last: int

    @property
    def size_bytes(self) -> int:
        return self.last - self.first + 1


class FilePart:
    """The bytes of one range, read as they are asked for."""

    def __init__(self, file: BinaryIO, part: ByteRange) -> None:
        file.seek(part.first)
        self._file, self._left_bytes = file, part.size_bytes

    def read(self, size: int) -> bytes:
        """At most `size` bytes; none at the end."""
        data = self._file.read(min(size, self._left_bytes))
        self._left_bytes -= len(data)
        return data

    def close(self) -> None:
        self._file.close()


def is_known(if_none_match: str, etag: str) -> bool:
    """Whether one of the client's entity tags is this strong one; a proxy may have weakened it."""
    tags = parse_etags(if_none_match)
    return "*" in tags or etag in (tag.removeprefix("W/") for tag in tags)


def asked_range(header: str, if_range: str, *, etag: str, size_bytes: int) -> ByteRange | None:
    """The one range of a `Range` header; None where the whole file is to be sent.

    That is so without the header, for several ranges, for what cannot be understood, and where `If-Range` names
    another version. Raises RangeNotSatisfiable.
    """
    found = _RANGE.fullmatch(header)
    if found is None or found.groups() == ("", "") or (if_range and if_range != etag):
        return None
    first, last = (int(digits[:_MOST_DIGITS]) if digits else None for digits in found.groups())
    if first is None:  # the last n bytes
        first, last = max(0, size_bytes - (last or 0)), size_bytes - 1
    elif last is None:
        last = size_bytes - 1
    elif last < first:
        return None
    if first >= size_bytes:
        raise RangeNotSatisfiable
    return ByteRange(first, min(last, size_bytes - 1))
