"""Taking forms and their files into memory, up to the limit and not a byte further."""

import io
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest
from rest_framework.parsers import DataAndFiles, MultiPartParser


class BoundedMemoryUploadHandler(FileUploadHandler):
    """Keep at most MAX_UPLOAD_BYTES of one request's files in memory; of what exceeds them keep the size alone.

    A file that exceeds them reports the bytes of all files so far as its size, and is drained: so the client can read
    its 413 instead of a reset connection.
    """

    chunk_size = 1024 * 1024

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self._kept_bytes = 0  # of this request's earlier files: a form may bring a hundred

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._content = io.BytesIO()
        self._dropped = False

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self._kept_bytes + start + len(raw_data) <= settings.MAX_UPLOAD_BYTES:
            self._content.write(raw_data)
        else:
            self._content, self._dropped = io.BytesIO(), True

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        size = self._kept_bytes + file_size if self._dropped else file_size
        self._kept_bytes += self._content.tell()
        self._content.seek(0)
        return InMemoryUploadedFile(
            file=self._content,
            field_name=self.field_name,
            name=self.file_name or "upload",
            content_type=self.content_type or "",
            size=size,
            charset=self.charset,
            content_type_extra=self.content_type_extra,
        )


class FormParser(MultiPartParser):
    """Multipart forms in UTF-8, whatever charset the request claims: Python knows codecs that cannot decode forms."""

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> "DataAndFiles[Any, Any]":
        return super().parse(stream, media_type, {**(parser_context or {}), "encoding": "utf-8"})
