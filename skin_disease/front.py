"""The front of the server: whole requests in, whole answers out, and no more work at a time than the machine can do.

An ASGI application on the server's event loop. It takes a request's body into memory without holding a thread, so slow
uploads hold nothing but their bytes, and hands it to Django in a bounded pool of threads. What does not fit is refused
in words, once its body has been drained: a client that is still sending cannot read an answer. Must not know views.
"""

import asyncio
import io
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar

from django.core import signals
from django.core.handlers.asgi import ASGIRequest, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import set_script_prefix

from skin_disease.middleware import REFUSAL, Refusal

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Result = TypeVar("Result")

_FORM = b"multipart/form-data"
_FORM_MARGIN_BYTES = 2**20  # boundaries and texts around a file of the largest size
_LIGHT_THREADS = 4
_PART_BYTES = 2**18


@dataclass(frozen=True, slots=True)
class FrontLimits:
    """What one worker takes on. `photo_threads` is the number of interpreters."""

    photo_threads: int
    max_queued_photos: int
    max_wait_s: float
    max_body_bytes: int
    max_buffered_bytes: int
    request_timeout_s: float


OVERLOADED = Refusal(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "overloaded",
    "The server is busy. Send the photo again in a few seconds.",
    retry_after_s=5,
)
TOO_SLOW = Refusal(
    HTTPStatus.REQUEST_TIMEOUT,
    "request_timeout",
    "The upload took too long. Send a smaller copy, or try again where the connection is better.",
)
UNREADABLE = Refusal(
    HTTPStatus.BAD_REQUEST, "bad_request", "The address is not valid UTF-8. Check the request and send it again."
)


class Front:
    """The ASGI application of one worker."""

    def __init__(self, limits: FrontLimits) -> None:
        """Load Django's middleware. Everything else that costs memory comes with the first requests."""
        self._limits = limits
        self._django = _Django()
        self._photos = _Lane(threads=limits.photo_threads, max_waiting=limits.max_queued_photos)
        # Pages, health and refusals: short, and never behind photos. Connections bound them.
        self._light = _Lane(threads=_LIGHT_THREADS, max_waiting=None)
        self._bodies: set[_Body] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; one whose client has gone is dropped unless Django has already begun with it."""
        if scope["type"] != "http":
            await send({"type": f"{scope['type']}.close"})
            return
        body = _Body()
        self._bodies.add(body)
        try:
            await self._receive(body, receive)
            if body.is_complete or body.refusal:
                await self._answer(scope, body, send)
        finally:
            self._bodies.remove(body)

    async def _receive(self, body: "_Body", receive: Receive) -> None:
        """Take the body in, or drain it once it is refused, until it ends, its client goes, or its time is over."""
        try:
            async with asyncio.timeout(self._limits.request_timeout_s) as deadline:
                while not body.is_complete:
                    message = await receive()
                    if deadline.expired():  # Python 3.11's wait_for swallows a cancellation that meets its result
                        body.refuse(TOO_SLOW)
                        return
                    if message["type"] == "http.disconnect":
                        return
                    body.take(message)
                    if body.received_bytes > self._limits.max_body_bytes + _FORM_MARGIN_BYTES:
                        body.refuse(_too_large(self._limits.max_body_bytes))
                    self._make_room(body)
        except TimeoutError:
            body.refuse(TOO_SLOW)

    def _make_room(self, newest: "_Body") -> None:
        """Refuse the largest unfinished uploads while memory is short: a few that stall must not lock out the rest."""
        while sum(body.held_bytes for body in self._bodies) > self._limits.max_buffered_bytes:
            unfinished = [body for body in self._bodies if not body.is_complete]
            max(unfinished, key=lambda body: body.held_bytes, default=newest).refuse(OVERLOADED)

    async def _answer(self, scope: Scope, body: "_Body", send: Send) -> None:
        # Whatever the route: forms are photos to be answered or saved.
        kinds = [value.lower() for name, value in scope["headers"] if name == b"content-type"]
        brings_photo = any(kind.startswith(_FORM) for kind in kinds)
        if brings_photo and self._photos.is_full:
            body.refuse(OVERLOADED)
        lane = self._photos if brings_photo and not body.refusal else self._light
        deadline = time.monotonic() + self._limits.max_wait_s

        def respond() -> HttpResponseBase:
            if lane is self._photos and time.monotonic() > deadline:
                body.refuse(OVERLOADED)
            return self._django.respond(scope, body.content(), body.refusal)

        await _send_response(await lane.run(respond), self._light, send)


class _Body:
    """The body of one request as it arrives, or why nothing of it is kept."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.is_complete = False
        self.received_bytes = 0
        self.held_bytes = 0
        self.refusal: Refusal | None = None

    def take(self, message: Message) -> None:
        """Add what one ASGI message brings."""
        piece = message.get("body", b"")
        self.is_complete = not message.get("more_body", False)
        self.received_bytes += len(piece)
        if self.refusal is None:
            self._pieces.append(piece)
            self.held_bytes += len(piece)

    def refuse(self, refusal: Refusal) -> None:
        """Keep nothing, and the first reason."""
        self.refusal = self.refusal or refusal
        self._pieces.clear()
        self.held_bytes = 0

    def content(self) -> bytes:
        """The whole body, once: the pieces are let go."""
        whole = b"".join(self._pieces)
        self._pieces.clear()
        return whole


class _Lane:
    """Threads, and a queue in front of them that has an end."""

    def __init__(self, *, threads: int, max_waiting: int | None) -> None:
        self._pool = ThreadPoolExecutor(threads)
        self._places = None if max_waiting is None else threads + max_waiting
        self._taken = 0
        self._lock = threading.Lock()

    @property
    def is_full(self) -> bool:
        return self._places is not None and self._taken >= self._places

    async def run(self, call: Callable[[], Result]) -> Result:
        """Wait for a turn and for the result; cancelled while waiting, the turn is given up."""
        with self._lock:
            self._taken += 1
        future = self._pool.submit(call)
        future.add_done_callback(self._leave)  # also when it is cancelled before its turn
        return await asyncio.wrap_future(future)

    def _leave(self, _future: Future[Any]) -> None:
        with self._lock:
            self._taken -= 1


class _Django(BaseHandler):
    """Django behind the front: one call answers one whole request, in the thread that makes it."""

    def __init__(self) -> None:
        super().__init__()
        self.load_middleware()

    def respond(self, scope: Scope, body: bytes, refusal: Refusal | None) -> HttpResponseBase:
        """Django's response, closed unless it streams; every exception in a view or middleware has become one."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=type(self), scope=scope)
        headers = [pair for pair in scope["headers"] if pair[0] not in (b"content-length", b"transfer-encoding")]
        if body:
            headers.append((b"content-length", str(len(body)).encode()))
        known = {**scope, "headers": headers, REFUSAL: refusal}
        try:
            request = ASGIRequest(known, io.BytesIO(body))
        except UnicodeDecodeError:
            request = ASGIRequest({**known, "query_string": b"", REFUSAL: UNREADABLE}, io.BytesIO())
        response = self.get_response(request)
        if not response.streaming:
            response.close()
        return response


def _too_large(max_bytes: int) -> Refusal:
    text = f"The image is too large: at most {max_bytes / 2**20:.0f} MB are accepted. Send a smaller copy."
    return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "photo_too_large", text)


async def _send_response(response: HttpResponseBase, lane: _Lane, send: Send) -> None:
    """Send headers and body; a streamed one is made part by part, so slow readers hold no thread and no memory."""
    if isinstance(response, HttpResponse):
        response.headers.setdefault("Content-Length", str(len(response.content)))
    headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in response.items()]
    headers += [(b"set-cookie", morsel.OutputString().encode("ascii")) for morsel in response.cookies.values()]
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    if isinstance(response, StreamingHttpResponse):
        try:
            while part := await lane.run(partial(_next_part, iter(response))):
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            response.close()
    elif isinstance(response, HttpResponse):
        await send({"type": "http.response.body", "body": response.content})


def _next_part(pieces: Iterator[bytes]) -> bytes:
    gathered, size = [], 0
    for piece in pieces:
        gathered.append(piece)
        size += len(piece)
        if size >= _PART_BYTES:
            break
    return b"".join(gathered)
