"""Reading JSON bodies, whatever they are."""

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.utils import json


class BoundedJSONParser(JSONParser):
    """JSON in UTF-8 of at most DATA_UPLOAD_MAX_MEMORY_SIZE bytes, whatever charset the request claims.

    Python knows codecs that cannot decode texts, and its JSON reader gives up on deep nesting with a RecursionError.
    """

    def parse(  # REST framework's signature
        self,
        stream: IO[Any],
        media_type: str | None = None,  # noqa: ARG002
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> Any:
        """The value. Raises ParseError, or RequestDataTooBig."""
        max_bytes = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(max_bytes + 1)
        if len(body) > max_bytes:
            raise RequestDataTooBig(f"A JSON body has more than {max_bytes} bytes.")
        if not body.strip():
            return {}  # a chunked request does not say beforehand that its body is empty
        try:
            constants = json.strict_constant if self.strict else None
            return json.loads(body.decode("utf-8-sig"), parse_constant=constants)
        except (ValueError, RecursionError) as error:
            raise ParseError(_("The request is not valid JSON. Check it and send it again.")) from error
