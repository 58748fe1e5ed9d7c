"""Clients that are too many, too slow, or gone."""

import time
from http import HTTPStatus
from pathlib import Path

from benchmarks.clients import Crowd, asking, leaving, posting, stalling, trickling
from benchmarks.invariants import check_log
from benchmarks.photo_mix import Request, dermatoscopic_mix, get_request, phone_mix
from benchmarks.scenarios import (
    Holding,
    Report,
    comes_true,
    holding,
    ill_said_refusals,
    log_text,
    quantile_s,
    tally,
    unexpected,
    unlike,
    wait_until,
)
from benchmarks.serving import ROOT, Answer, Server, running_server

_PHOTO = (ROOT / "sample_images" / "mel.jpg").read_bytes()
_HEALTH = get_request("/healthz")
_LARGE_FILE = get_request("/static/large.js")
_LARGE_BYTES = 16 * 2**20  # more than the kernel buffers for a connection
_HALF_HEADER = b"POST /api/predict/skin-disease/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Ty"
_PROBE_EVERY_S = 0.05
_WARM = 150  # answers, after which the pools are about full
_SETTLE_S = 15.0  # the server's keep-alive is 5 s
_ROUNDS = 5  # uploads that begin when the last were cut off meet the server's deadline at the very same moment
_LAZY_POOLS = 16  # threads, and their connections to the database, come with use; clients would leak by the hundred


def overload(folder: Path, *, seconds: float = 15.0, clients: int = 100) -> Report:
    """Many more clients than the queue holds, each coming again a second after it was refused."""
    mix = phone_mix()
    with running_server(folder, MAX_QUEUED_PHOTOS="2", WEB_CONCURRENCY="2") as server:
        with Crowd(server.port, posting(mix, clients=4)) as few:
            time.sleep(seconds)
        behaviours = [*posting(mix, clients=clients, rest_after_refusal_s=1.0), asking(_HEALTH, every_s=_PROBE_EVERY_S)]
        with Crowd(server.port, behaviours) as many:
            wait_until(lambda: bool(many.statuses(HTTPStatus.SERVICE_UNAVAILABLE)), "a refusal")
            time.sleep(seconds)
        after = server.post_photo(_PHOTO)
    acknowledged = [*few.acknowledged, *many.acknowledged, *_identities(after)]
    log = check_log(folder / "data", acknowledged)
    refused = many.statuses(HTTPStatus.SERVICE_UNAVAILABLE)
    probes = [outcome for outcome in many.outcomes if outcome.kind == _HEALTH.kind]
    return Report(
        f"{clients} clients with photos of 2 MP at once, a queue of 2 photos per worker, 2 workers",
        (
            f"{tally(many.outcomes)}; answered photos/s: {_rate(many):.1f}, with 4 clients {_rate(few):.1f}",
            f"refusals came after {quantile_s(refused, 0.5):.3f} s (median), {quantile_s(refused, 1):.3f} s (slowest)",
            f"/healthz came after {quantile_s(probes, 0.5):.3f} s (median), {quantile_s(probes, 1):.3f} s (slowest)",
            log_text(log, acknowledged),
        ),
        (
            *log.problems,
            *unexpected([*few.outcomes, *many.outcomes], HTTPStatus.SERVICE_UNAVAILABLE),
            *ill_said_refusals(many.outcomes, "overloaded"),
            *unlike(after, HTTPStatus.OK, "the first photo after it"),
        ),
    )


def slow_uploads(folder: Path, *, seconds: float = 15.0, clients: int = 200, deadline_s: int = 5) -> Report:
    """Uploads at 1 kB/s, cut off by the server's deadline, while others want their answers."""
    mix = dermatoscopic_mix()
    slow = Request(
        "slow upload", phone_mix().requests["phone JPEG, 2 MP"][0].raw, frozenset({HTTPStatus.REQUEST_TIMEOUT})
    )
    with running_server(folder, REQUEST_TIMEOUT_S=str(deadline_s), WEB_CONCURRENCY="2") as server:
        _warm_up(server)
        before = holding(server)
        with Crowd(server.port, posting(mix, clients=4)) as alone:
            time.sleep(seconds)
        with Crowd(server.port, [trickling(slow, bytes_per_s=1000)] * clients) as trickle:
            wait_until(lambda: holding(server).descriptors >= before.descriptors + clients // 2, "slow uploads")
            with Crowd(server.port, posting(mix, clients=4)) as beside:
                time.sleep(seconds)
            during = holding(server)
            rounds_s = _ROUNDS * deadline_s + _SETTLE_S
            ended = comes_true(lambda: len(trickle.outcomes) >= _ROUNDS * clients, timeout_s=rounds_s)
        held, problems = _settles(server, before)
    if not ended:
        problems.append(
            f"after {rounds_s:.0f} s only {len(trickle.outcomes)} of {_ROUNDS * clients} uploads were cut off"
        )
    return Report(
        f"{clients} clients uploaded 1 kB/s against a deadline of {deadline_s} s while 4 others posted",
        (
            f"slow ones: {tally(trickle.outcomes)}",
            f"others: {_latency(beside)}; without slow ones {_latency(alone)}",
            f"workers hold {during}, before {before}, afterwards {held}",
        ),
        (*problems, *unexpected([*trickle.outcomes, *beside.outcomes, *alone.outcomes])),
    )


def stalled_clients(folder: Path, *, each: int = 50, patience_s: float = _SETTLE_S) -> Report:
    """Connections that stay silent, stop in a header, or never read their answers: only the server can end them."""
    limits = {"HEADER_TIMEOUT_S": "2", "READER_TIMEOUT_S": "2"}
    static = folder / "data" / "static"
    static.mkdir(parents=True)
    (static / "large.js").write_bytes(bytes(_LARGE_BYTES))
    with running_server(folder, WEB_CONCURRENCY="2", **limits) as server:
        _warm_up(server)
        before, saw = holding(server), list[str]()
        problems = unlike(server.request("GET", "/static/large.js"), HTTPStatus.OK, "the large file")
        for what, sent in (("silent", b""), ("half a header", _HALF_HEADER), ("never reading", _LARGE_FILE.raw)):
            with Crowd(server.port, [stalling(sent)] * each):
                wait_until(lambda: holding(server).descriptors >= before.descriptors + each // 2, "stalled clients")
                answer = server.post_photo(_PHOTO)
                ended = comes_true(
                    lambda: holding(server).descriptors < before.descriptors + each // 2, timeout_s=patience_s
                )
                held = holding(server)
            end = "the server ended them" if ended else "the server did not end them"
            saw.append(f"{each} {what}: workers hold {held}, before {before}; {end}")
            problems += [] if ended else [f"connections ({what}) are held longer than {patience_s:.0f} s"]
            problems += unlike(answer, HTTPStatus.OK, f"a photo beside clients that are {what}")
            problems += _settles(server, before)[1]
    return Report(
        f"{each} connections each that send nothing, half a header, or never read", tuple(saw), tuple(problems)
    )


def vanishing_clients(folder: Path, *, clients: int = 20, times: int = 10) -> Report:
    """Clients that go in the middle of their upload, or before their answer."""
    photo = phone_mix().requests["phone JPEG, 2 MP"][0]
    with running_server(folder, WEB_CONCURRENCY="2") as server:
        _warm_up(server)
        before = holding(server)
        for share in (0.5, 1.0):
            with Crowd(server.port, [leaving(photo, sent_share=share, times=times)] * clients):
                pass
        settled, problems = _settles(server, before)
        problems += unlike(after := server.post_photo(_PHOTO), HTTPStatus.OK, "a photo after them")
    # Only now: a photo that was begun with is finished though nobody waits, and has its file before its row.
    log = check_log(folder / "data", _identities(after))
    if log.orphan_files:
        problems.append(f"{len(log.orphan_files)} files without a row are left of clients that went away")
    return Report(
        f"{clients * times} clients left in the middle of an upload, {clients * times} before the answer",
        (f"workers hold {settled}, before {before}", log_text(log, _identities(after))),
        (*problems, *log.problems),
    )


def _warm_up(server: Server) -> None:
    """Every thread has answered and holds its connection to the database."""
    probing = [asking(_HEALTH, every_s=0)] * 16
    with Crowd(server.port, [*posting(dermatoscopic_mix(), clients=16), *probing]) as crowd:
        wait_until(lambda: len(crowd.outcomes) >= _WARM, "answers")


def _settles(server: Server, before: Holding) -> tuple[Holding, list[str]]:
    """What is held once everybody has gone, and the problem when that is more than before."""

    def is_back() -> bool:
        now = holding(server)
        return max(now.descriptors - before.descriptors, now.threads - before.threads) <= _LAZY_POOLS

    back, now = comes_true(is_back, timeout_s=_SETTLE_S), holding(server)
    return now, [] if back else [f"{now} are held after the clients have gone; before: {before}"]


def _identities(answer: Answer) -> list[str]:
    return [answer.json()["id"]] if answer.status == HTTPStatus.OK else []


def _rate(crowd: Crowd) -> float:
    answered = [outcome for outcome in crowd.outcomes if outcome.prediction_id]
    if not answered:
        return 0.0
    return len(answered) / (max(each.ended_s for each in answered) - min(each.started_s for each in answered))


def _latency(crowd: Crowd) -> str:
    p50_s, p95_s = (quantile_s(crowd.outcomes, share) for share in (0.5, 0.95))
    return f"p50 {p50_s:.3f} s, p95 {p95_s:.3f} s, {_rate(crowd):.1f} photos/s"
