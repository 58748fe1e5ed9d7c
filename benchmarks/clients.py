"""Clients of the real server: tasks of one event loop, in one thread, over raw sockets.

Requests are encoded beforehand, bodies are sent without a copy, and of an answer only its identity is parsed: so one
process drives hundreds of clients and leaves the cores to the server. What a client does is a `Behaviour`.
"""

import asyncio
import json
import socket
import struct
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np

from benchmarks.photo_mix import Mix, Request
from benchmarks.serving import Answer

Result = TypeVar("Result")

NO_ANSWER = 0
_PATIENCE_S = 60.0
_REQUESTS_PER_CONNECTION = 10  # a phone that goes on reuses its connection, another one comes with its own
_RECEIVE_BYTES = 65_536
_REST_S = 0.05
_TINY_BUFFER_BYTES = 2048


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a client got for one request. The status is NO_ANSWER when `problem` says why there was none."""

    kind: str
    status: int
    is_expected: bool
    started_s: float
    ended_s: float
    prediction_id: str = ""
    code: str = ""
    retry_after: str = ""
    problem: str = ""

    @property
    def seconds(self) -> float:
        """From before the connection was opened to the last byte of the answer."""
        return self.ended_s - self.started_s


class Connection:
    """One client's socket, opened when it is first needed; speaks HTTP/1.1."""

    def __init__(self, port: int, *, receive_buffer_bytes: int | None = None) -> None:
        self._port = port
        self._receive_buffer_bytes = receive_buffer_bytes
        self._socket: socket.socket | None = None
        self._received = bytearray()
        self._requests = 0

    async def open(self) -> socket.socket:
        """Connect, unless that is done; OSError when there is no server."""
        if self._socket is None:
            self._socket = socket.socket()
            self._socket.setblocking(False)
            if self._receive_buffer_bytes:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_buffer_bytes)
            await asyncio.get_running_loop().sock_connect(self._socket, ("127.0.0.1", self._port))
        return self._socket

    async def send(self, data: bytes | memoryview) -> None:
        """Send; OSError when the server is gone."""
        await asyncio.get_running_loop().sock_sendall(await self.open(), data)

    async def answer(self) -> Answer:
        """Read one whole answer; ConnectionError when it ends before its end."""
        head = await self._line(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if headers.get("transfer-encoding") == "chunked":
            body = await self._chunks()
        else:
            body = await self._bytes(int(headers.get("content-length", 0)))
        self._requests += 1
        if headers.get("connection", "").lower() == "close" or self._requests >= _REQUESTS_PER_CONNECTION:
            self.close()
        return Answer(int(status_line.split()[1]), headers, body)

    def close(self) -> None:
        """Close; the next request opens a socket of its own."""
        if self._socket:
            self._socket.close()
        self._socket, self._requests = None, 0
        self._received.clear()

    def reset(self) -> None:
        """Close as a phone that loses its network does, with a reset instead of a goodbye."""
        if self._socket:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    async def _chunks(self) -> bytes:
        body = b""
        while size := int(await self._line(b"\r\n"), base=16):
            body += await self._bytes(size)
            await self._line(b"\r\n")
        await self._line(b"\r\n")
        return body

    async def _line(self, end: bytes) -> bytes:
        while (size := self._received.find(end)) < 0:
            await self._receive()
        return (await self._bytes(size + len(end)))[:size]

    async def _bytes(self, count: int) -> bytes:
        while len(self._received) < count:
            await self._receive()
        taken = bytes(self._received[:count])
        del self._received[:count]
        return taken

    async def _receive(self) -> None:
        data = await asyncio.get_running_loop().sock_recv(await self.open(), _RECEIVE_BYTES)
        if not data:
            raise ConnectionError("the server closed the connection before its answer ended")
        self._received += data


class Crowd:
    """Clients at work from entering the context to leaving it; each may end what it has begun."""

    def __init__(self, port: int, behaviours: Sequence["Behaviour"]) -> None:
        self.port = port
        self.outcomes: list[Outcome] = []
        self.stopping = asyncio.Event()
        self._behaviours = behaviours
        self._loop = asyncio.new_event_loop()
        self._thread = ThreadPoolExecutor(1)

    def __enter__(self) -> Self:
        self._work = self._thread.submit(self._loop.run_until_complete, self._run())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(RuntimeError):  # all clients have ended by themselves, and the loop with them
            self._loop.call_soon_threadsafe(self.stopping.set)
        try:
            self._work.result()
        finally:
            self._thread.shutdown()
            self._loop.close()

    def statuses(self, *statuses: int) -> list[Outcome]:
        """The outcomes so far that have one of these statuses."""
        return [outcome for outcome in tuple(self.outcomes) if outcome.status in statuses]

    @property
    def acknowledged(self) -> list[str]:
        """The identities of all answers that clients have received whole."""
        return [outcome.prediction_id for outcome in tuple(self.outcomes) if outcome.prediction_id]

    async def rest(self, seconds: float) -> None:
        """Pause, unless the crowd is told to stop."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), seconds)

    async def unless_stopped(self, work: Coroutine[Any, Any, Result]) -> Result | None:
        """The result of `work`, or None once the crowd is told to stop."""
        working, stopped = asyncio.create_task(work), asyncio.create_task(self.stopping.wait())
        await asyncio.wait((working, stopped), return_when=asyncio.FIRST_COMPLETED)
        await _end(stopped)
        if working.done():
            return working.result()
        await _end(working)
        return None

    async def ask(self, connection: Connection, request: Request) -> Outcome:
        """Send one request, read its answer, and note both."""
        started_s = time.monotonic()
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await connection.send(request.raw)
                answer = await connection.answer()
        except (OSError, TimeoutError) as error:
            connection.close()
            return self.note_failure(request.kind, started_s, error)
        return self.note(request, started_s, answer)

    def note(self, request: Request, started_s: float, answer: Answer) -> Outcome:
        """Keep what a client has received."""
        body = json.loads(answer.body) if answer.headers.get("content-type") == "application/json" else {}
        outcome = Outcome(
            kind=request.kind,
            status=answer.status,
            is_expected=answer.status in request.expected,
            started_s=started_s,
            ended_s=time.monotonic(),
            prediction_id=body.get("id", "") if answer.status == HTTPStatus.OK else "",
            code=body.get("code", ""),
            retry_after=answer.headers.get("retry-after", ""),
        )
        self.outcomes.append(outcome)
        return outcome

    def note_failure(self, kind: str, started_s: float, error: Exception) -> Outcome:
        """Keep that a client has received nothing."""
        text = f"{type(error).__name__}: {error}"
        outcome = Outcome(
            kind, NO_ANSWER, is_expected=False, started_s=started_s, ended_s=time.monotonic(), problem=text
        )
        self.outcomes.append(outcome)
        return outcome

    async def _run(self) -> None:
        await asyncio.gather(*(behaviour(self) for behaviour in self._behaviours))


Behaviour = Callable[[Crowd], Coroutine[Any, Any, None]]


def posting(mix: Mix, *, clients: int, rest_after_refusal_s: float = _REST_S) -> list[Behaviour]:
    """Clients that each post photo after photo, the next as soon as the last is answered."""

    async def post(crowd: Crowd, seed: int) -> None:
        rng, connection = np.random.default_rng(seed), Connection(crowd.port)
        while not crowd.stopping.is_set():
            outcome = await crowd.ask(connection, mix.choose(rng))
            if outcome.status in (NO_ANSWER, HTTPStatus.SERVICE_UNAVAILABLE):
                await crowd.rest(rest_after_refusal_s)
        connection.close()

    return [partial(post, seed=seed) for seed in range(clients)]


def asking(request: Request, *, every_s: float) -> Behaviour:
    """A client that asks the same again and again, as a probe does."""

    async def ask(crowd: Crowd) -> None:
        while not crowd.stopping.is_set():
            connection = Connection(crowd.port)
            await crowd.ask(connection, request)
            connection.close()
            await crowd.rest(every_s)

    return ask


def trickling(request: Request, *, bytes_per_s: int) -> Behaviour:
    """A client that uploads so slowly that the server has to decide, and comes again when it has."""

    async def trickle(crowd: Crowd) -> None:
        while not crowd.stopping.is_set():
            connection, started_s = Connection(crowd.port), time.monotonic()
            try:
                answer = await crowd.unless_stopped(_upload_slowly(connection, request.raw, bytes_per_s))
                if answer:
                    crowd.note(request, started_s, answer)
            except OSError as error:
                crowd.note_failure(request.kind, started_s, error)
                await crowd.rest(_REST_S)
            connection.close()

    return trickle


def leaving(request: Request, *, sent_share: float, times: int) -> Behaviour:
    """A client that goes away after a share of its upload, or before its answer, `times` times."""

    async def leave(crowd: Crowd) -> None:
        sent = memoryview(request.raw)[: round(len(request.raw) * sent_share)]
        for turn in range(times):
            connection = Connection(crowd.port)
            with suppress(OSError):
                await connection.send(sent)
            if turn % 2:
                connection.reset()
            else:
                connection.close()

    return leave


def stalling(sent: bytes) -> Behaviour:
    """A client that sends this, reads nothing, and stays: only the server can end it."""

    async def stall(crowd: Crowd) -> None:
        connection = Connection(crowd.port, receive_buffer_bytes=_TINY_BUFFER_BYTES)
        sending = asyncio.create_task(connection.send(sent))
        await crowd.stopping.wait()
        await _end(sending)
        connection.close()

    return stall


async def _upload_slowly(connection: Connection, data: bytes, bytes_per_s: int) -> Answer:
    await connection.open()
    sending = asyncio.create_task(_send_slowly(connection, data, bytes_per_s))
    try:
        return await connection.answer()
    finally:
        await _end(sending)


async def _send_slowly(connection: Connection, data: bytes, bytes_per_s: int) -> None:
    for start in range(0, len(data), bytes_per_s):
        await connection.send(memoryview(data)[start : start + bytes_per_s])
        await asyncio.sleep(1)


async def _end(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, OSError):
        await task
