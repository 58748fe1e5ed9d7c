"""The front: whole requests in, whole answers out, refusals in words. Requests are spoken as the server speaks them."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from ml_models.errors import PhotoTooLarge
from skin_disease.front import Front, FrontLimits

MEBIBYTE = 2**20
LIMITS = FrontLimits(
    photo_threads=1,
    max_queued_photos=1,
    max_wait_s=30,
    max_body_bytes=MEBIBYTE,
    max_buffered_bytes=8 * MEBIBYTE,
    request_timeout_s=30,
)
FORM = {"content-type": "multipart/form-data; boundary=x"}
gate = threading.Event()
entered = threading.Semaphore(0)


@csrf_exempt
def echo(request: HttpRequest) -> HttpResponse:
    response = HttpResponse(f"{request.method} {request.headers.get('Content-Length')} {len(request.body)}")
    response.set_cookie("seen", "yes")
    return response


@csrf_exempt
def wait(_request: HttpRequest) -> HttpResponse:
    entered.release()
    assert gate.wait(timeout=30)
    return HttpResponse("done")


def stream(_request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(bytes(1000) for _ in range(1000))


def broken(_request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a bug")


class Routes:
    urlpatterns = (path("echo", echo), path("wait", wait), path("stream", stream), path("broken", broken))
    handler404 = "api.error_views.not_found"
    handler500 = "api.error_views.server_error"


@pytest.fixture(autouse=True)
def routes(settings) -> Iterator[None]:
    settings.ROOT_URLCONF = Routes
    settings.ALLOWED_HOSTS = ["testserver"]
    gate.clear()
    yield
    gate.set()


class Exchange:
    """One request and what came back."""

    def __init__(self, path: str, pieces: Iterable[bytes] = (), headers: dict[str, str] | None = None, **scope: Any):
        fields = {"host": "testserver", **(headers or {})}
        self.scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in fields.items()],
            **scope,
        }
        self._messages = self._request(list(pieces))
        self.sent: list[dict[str, Any]] = []

    async def _request(self, pieces: list[bytes]) -> AsyncIterator[dict[str, Any]]:
        for piece in pieces:
            yield {"type": "http.request", "body": piece, "more_body": True}
        yield {"type": "http.request", "body": b"", "more_body": False}

    async def receive(self) -> dict[str, Any]:
        return await anext(self._messages)

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return self.sent[0]["status"]

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode().lower(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])

    @property
    def code(self) -> str:
        return json.loads(self.body)["code"]


class Stalled(Exchange):
    """Sends the beginning and then nothing more."""

    async def _request(self, pieces: list[bytes]) -> AsyncIterator[dict[str, Any]]:
        for piece in pieces:
            yield {"type": "http.request", "body": piece, "more_body": True}
        await asyncio.Event().wait()


class Hangup(Exchange):
    """Sends the beginning and goes away."""

    async def _request(self, pieces: list[bytes]) -> AsyncIterator[dict[str, Any]]:
        for piece in pieces:
            yield {"type": "http.request", "body": piece, "more_body": True}
        yield {"type": "http.disconnect"}


def served(exchange: Exchange, limits: FrontLimits = LIMITS) -> Exchange:
    front = Front(limits)
    asyncio.run(front(exchange.scope, exchange.receive, exchange.send))
    return exchange


def test_front_body_in_pieces_arrives_whole():
    exchange = served(Exchange("/echo", [b"a" * 1000, b"b" * 500]))
    assert (exchange.status, exchange.body) == (200, b"POST 1500 1500")


def test_front_length_is_that_of_the_body_and_not_what_was_claimed():
    exchange = served(Exchange("/echo", [b"abc"], {"content-length": "3000", "transfer-encoding": "chunked"}))
    assert exchange.body == b"POST 3 3"


def test_front_refusal_says_its_length():
    exchange = served(Exchange("/echo", [bytes(MEBIBYTE)] * 4, FORM))
    assert exchange.headers["content-length"] == str(len(exchange.body))


def test_front_sends_cookies():
    assert served(Exchange("/echo")).headers["set-cookie"].startswith("seen=yes")


def test_front_streams_in_large_parts():
    exchange = served(Exchange("/stream", method="GET"))
    parts = [message for message in exchange.sent[1:] if message["body"]]
    assert (len(exchange.body), len(parts)) == (1_000_000, 4)


def test_front_bug_in_a_view_is_a_500_in_json():
    assert (served(exchange := Exchange("/broken", method="GET")).status, exchange.code) == (500, "server_error")


def test_front_query_that_is_no_text_is_refused():
    assert (served(exchange := Exchange("/echo", query_string=b"a=\xff")).status, exchange.code) == (400, "bad_request")


def test_front_too_large_a_body_is_drained_and_refused():
    exchange = served(Exchange("/echo", [bytes(MEBIBYTE)] * 4, FORM))
    assert (exchange.status, exchange.code) == (413, PhotoTooLarge.code)
    with pytest.raises(StopAsyncIteration):
        asyncio.run(exchange.receive())


def test_front_upload_that_stalls_is_refused_at_the_deadline():
    exchange = served(Stalled("/echo", [b"a"], FORM), replace(LIMITS, request_timeout_s=0.01))
    assert (exchange.status, exchange.code) == (408, "request_timeout")


def test_front_client_that_goes_away_is_not_answered():
    assert served(Hangup("/echo", [b"a"])).sent == []


def test_front_websocket_is_closed():
    assert served(Exchange("/echo", type="websocket")).sent == [{"type": "websocket.close"}]


def test_front_memory_for_bodies_has_an_end():
    exchange = served(Exchange("/echo", [bytes(MEBIBYTE)] * 2), replace(LIMITS, max_buffered_bytes=MEBIBYTE))
    assert (exchange.status, exchange.code, exchange.headers["retry-after"]) == (503, "overloaded", "5")


def test_front_large_uploads_that_stall_do_not_lock_out_the_rest():
    front = Front(replace(LIMITS, max_buffered_bytes=2 * MEBIBYTE, request_timeout_s=0.5))
    stalled = [Stalled("/echo", [bytes(MEBIBYTE)]) for _ in range(3)]
    usual = [Exchange("/echo", [bytes(MEBIBYTE // 4)]) for _ in range(8)]

    async def together() -> None:
        await asyncio.gather(*(front(each.scope, each.receive, each.send) for each in [*stalled, *usual]))

    asyncio.run(together())
    assert [exchange.status for exchange in usual] == [200] * 8
    assert [exchange.code for exchange in stalled].count("overloaded") >= 1


def test_front_memory_is_free_again_after_answers_and_refusals_and_hangups():
    front = Front(replace(LIMITS, max_buffered_bytes=3 * MEBIBYTE))

    async def several() -> list[Exchange]:
        exchanges = [kind("/echo", [bytes(MEBIBYTE)] * 2) for kind in (Exchange, Hangup, Exchange, Hangup, Exchange)]
        for exchange in exchanges:
            await front(exchange.scope, exchange.receive, exchange.send)
        return exchanges

    exchanges = asyncio.run(several())
    assert [exchange.status for exchange in exchanges if exchange.sent] == [200, 200, 200]


def while_photos_wait(during: Callable[[Front, list[asyncio.Task[None]]], Any]) -> list[Exchange]:
    """One photo in the only thread and one in the only place of the queue; then `during`, then the gate opens."""
    front = Front(LIMITS)
    exchanges = [Exchange("/wait", headers=FORM) for _ in range(2)]

    async def together() -> None:
        tasks = [asyncio.create_task(front(each.scope, each.receive, each.send)) for each in exchanges]
        await asyncio.to_thread(entered.acquire)
        await during(front, tasks)
        gate.set()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(together())
    return exchanges


def test_front_photo_that_finds_the_queue_full_is_refused_at_once():
    late, page = Exchange("/echo", headers=FORM), Exchange("/echo")

    async def ask(front: Front, _tasks: list[asyncio.Task[None]]) -> None:
        await front(late.scope, late.receive, late.send)
        await front(page.scope, page.receive, page.send)

    waited = while_photos_wait(ask)
    assert (late.status, late.code, late.headers["retry-after"]) == (503, "overloaded", "5")
    assert [exchange.status for exchange in waited] == [200, 200]


@pytest.mark.parametrize("path", ["/api/predict/skin-disease/", "/api/scans/", "/api/scans"])
@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "Multipart/Form-Data; boundary=x"])
def test_front_photo_of_every_route_waits_in_the_one_queue(path: str, kind: str):
    late = Exchange(path, headers={"content-type": kind})

    async def ask(front: Front, _tasks: list[asyncio.Task[None]]) -> None:
        await front(late.scope, late.receive, late.send)

    while_photos_wait(ask)
    assert (late.status, late.code) == (503, "overloaded")


def test_front_pages_are_not_behind_photos():
    page = Exchange("/echo")

    async def ask(front: Front, _tasks: list[asyncio.Task[None]]) -> None:
        await front(page.scope, page.receive, page.send)

    while_photos_wait(ask)
    assert page.status == 200


def test_front_client_that_gives_up_gives_its_place_free():
    late = Exchange("/wait", headers=FORM)

    async def ask(front: Front, tasks: list[asyncio.Task[None]]) -> None:
        tasks[1].cancel()
        await asyncio.wait(tasks[1:])
        tasks.append(asyncio.create_task(front(late.scope, late.receive, late.send)))
        await asyncio.sleep(0)

    first, gone = while_photos_wait(ask)
    assert (first.status, gone.sent, late.status) == (200, [], 200)


def test_front_photo_whose_turn_comes_too_late_is_refused():
    front = Front(replace(LIMITS, max_wait_s=-1))
    exchange = Exchange("/echo", headers=FORM)
    asyncio.run(front(exchange.scope, exchange.receive, exchange.send))
    assert (exchange.status, exchange.code) == (503, "overloaded")


def test_front_refusal_can_be_read_by_a_page_of_another_origin(settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.org"]
    exchange = served(Exchange("/echo", [bytes(MEBIBYTE)] * 4, FORM | {"origin": "https://app.example.org"}))
    assert (exchange.status, exchange.headers["access-control-allow-origin"]) == (413, "https://app.example.org")
