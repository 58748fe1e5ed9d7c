"""gunicorn's ASGI worker with an end to its patience: clients that stall must not hold connections for ever.

gunicorn 27 limits the wait between two requests and within a body, but neither that for the first request nor that for
a client to take its answer, and has no setting or hook for either. Must not know Django.
"""

import asyncio

from gunicorn.asgi.protocol import ASGIProtocol  # type: ignore[import-untyped]
from gunicorn.workers import gasgi  # type: ignore[import-untyped]

from skin_disease import environment

_HEADER_TIMEOUT_S = environment.integer("HEADER_TIMEOUT_S", 10, minimum=1)
_READER_TIMEOUT_S = environment.integer("READER_TIMEOUT_S", 30, minimum=1)


class Worker(gasgi.ASGIWorker):  # type: ignore[misc]
    """What `worker_class` names."""


class _Impatient(ASGIProtocol):  # type: ignore[misc]
    """One connection: its first request must come in time, and what is sent must be taken in time."""

    _reader_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self.worker.loop.call_later(_HEADER_TIMEOUT_S, self._end_unless_asked)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._reader_timer = self.worker.loop.call_later(_READER_TIMEOUT_S, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._reader_timer:
            self._reader_timer.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._reader_timer:
            self._reader_timer.cancel()

    def _end_unless_asked(self) -> None:
        if self.req_count <= 1 and self._current_request is None:
            self.transport.abort()


gasgi.ASGIProtocol = _Impatient  # the name by which the worker makes its connections
