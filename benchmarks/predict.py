"""`python -m benchmarks.predict`: how fast and how lean photos are answered, beside what must be and what is usual.

The floor of a photo is what no server can avoid: OpenCV decodes the uploaded bytes at the very scale that the real path
decodes at, which is a JPEG's entropy decoding (of HEIC, Pillow decodes the whole picture), and LiteRT runs once on an
input that lies ready. In process is bytes to `Classification`. HTTP is one client that opens a connection for each
photo, with storing and logging; building the form is not timed. The usual way is `benchmarks/usual_way.py`, without
HTTP. A ratio is one median over another.
"""

import argparse
import io
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from unittest import mock

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

from benchmarks.aims import Aim, at_least, at_most
from benchmarks.measuring import (
    BenchmarkError,
    Call,
    OtherWork,
    Spread,
    Stage,
    StageClock,
    Throughput,
    WorkerMemory,
    fresh_server,
    in_turns,
    memory_now,
    milliseconds,
    post,
    process_age_s,
    replacement_s,
    spread,
    table,
    throughput,
    timed,
    worker_memory,
)
from benchmarks.photos import BenchmarkPhoto, made_memory_photos, made_photos, photos_of
from benchmarks.serving import ROOT, Server, form_body
from benchmarks.usual_way import UsualWay, is_available, usual_way
from ml_models import classifier, image_io, jpeg, png
from ml_models.artefact import LITERT_MODEL
from ml_models.classifier import Classifier, load_classifier
from ml_models.errors import SkinModelError
from ml_models.runtime import LiteRtRuntime
from ml_models.shipped import SHIPPED_MODEL
from skin_disease import environment

FLOOR, IN_PROCESS, HTTP, USUAL = "floor", "in process", "HTTP", "usual way"
# What `read_photo` and `classify` spend their time on; what none of these names covers is the rest.
STAGES = (
    Stage(jpeg, "clean_jpeg", "clean metadata"),
    Stage(jpeg.CleanJpeg, "header", "clean metadata"),
    Stage(jpeg.CleanJpeg, "content", "clean metadata"),
    Stage(png, "clean_png", "clean metadata"),
    Stage(png.CleanPng, "content", "clean metadata"),
    Stage(png.CleanPng, "check_amount", "check amount of data"),
    Stage(image_io, "_read_header", "header"),
    Stage(image_io, "_decode_jpeg", "decode"),
    Stage(image_io, "_decode_whole", "decode"),
    Stage(image_io, "_upright", "turn upright"),
    Stage(image_io, "_encode_png", "encode as PNG"),
    Stage(image_io, "to_srgb", "colour to sRGB"),
    Stage(classifier, "measure", "gates"),
    Stage(classifier, "preprocess", "preprocess"),
    Stage(LiteRtRuntime, "run", "run"),
)

_CLIENTS = (1, 2, 4, 8)
_MEMORY_CLIENTS = 2  # as many photos at once as a worker has interpreters
_LIBRARIES = ("opencv-python-headless", "ai-edge-litert", "pillow", "pillow-heif", "Django", "gunicorn")
_MB = 1e6

_MAX_IN_PROCESS_RATIO = 1.25
_MAX_HTTP_RATIO = 1.5
_MIN_USUAL_RATIO = 5.0
_MIN_THROUGHPUT_SHARE = 1 / 1.5
_MAX_STEADY_MB = 250
_MAX_READY_S = 3.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured. The sides of the phone's photos are divided by `shrink`."""

    rounds: int
    throughput_photos: int
    memory_photos: int
    shrink: int = 1


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds of one photo by path, and the median seconds of the stages in process."""

    photo: BenchmarkPhoto
    paths: Mapping[str, Spread]
    stages: Mapping[str, float]

    def ratio(self, path: str, to: str) -> float:
        """Median over median."""
        return self.paths[path].median / self.paths[to].median


@dataclass(frozen=True, slots=True)
class Workers:
    """Memory of a fresh server's only worker for each photo; seconds until it was ready, and then its successor."""

    idle: WorkerMemory
    memory: Sequence[tuple[BenchmarkPhoto, WorkerMemory]]
    ready_s: Spread
    replacement_s: Spread


FULL = Plan(rounds=60, throughput_photos=96, memory_photos=8)
QUICK = Plan(rounds=1, throughput_photos=8, memory_photos=2, shrink=4)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print everything; expected errors go to stderr as one line, exit code 2."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.predict", description="How fast photos are answered.")
    parser.add_argument("--photos", type=Path, metavar="FOLDER", help="your own files instead of made ones")
    parser.add_argument("--rounds", type=int, default=FULL.rounds, help="of the latencies (default %(default)s)")
    parser.add_argument("--quick", action="store_true", help="small photos, one round: shows that it works, no figures")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error(f"--rounds is {options.rounds}, but must be at least 1")
    plan = QUICK if options.quick else Plan(options.rounds, FULL.throughput_photos, FULL.memory_photos)
    try:
        with tempfile.TemporaryDirectory(prefix="skin-benchmark-") as folder:
            _measure_and_print(plan, options.photos, Path(folder))
    except (BenchmarkError, SkinModelError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


def _measure_and_print(plan: Plan, own_photos: Path | None, folder: Path) -> None:
    model_folder = environment.path("MODEL_ARTEFACT", SHIPPED_MODEL, base=ROOT)
    model = load_classifier(model_folder)
    _print(_machine(model, plan))
    photos = photos_of(own_photos) if own_photos else made_photos(shrink=plan.shrink)
    others = () if own_photos else made_memory_photos(shrink=plan.shrink)

    other_work = OtherWork()
    latencies = measure_latencies(photos, plan, model, model_folder, folder)
    _print(_latency_table(latencies), _stage_table(latencies))
    rates = measure_throughput(photos[0], plan, folder)
    _print(_throughput_table(rates, latencies[0]))
    workers = measure_workers(chain(photos, others), plan, folder)
    _print(_memory_table(workers), _ready_table(workers), _aim_table(aims(latencies[0], rates, workers), photos[0]))
    _print(
        f"Meanwhile other work took {other_work.cores():.1f} of {_cores()} cores; with more than 0.1, measure again."
    )


def measure_latencies(
    photos: Sequence[BenchmarkPhoto], plan: Plan, model: Classifier, model_folder: Path, folder: Path
) -> list[Latency]:
    """Every photo over every path, in turns."""
    usual = usual_way(model_folder, folder=folder) if is_available() else nullcontext()
    with fresh_server(folder, WEB_CONCURRENCY="1") as server, usual as way:
        return [_latency(photo, plan, model, model_folder, server, way) for photo in photos]


def measure_throughput(photo: BenchmarkPhoto, plan: Plan, folder: Path) -> list[Throughput]:
    """The photo from 1, 2, 4 and 8 clients at once to a server as it is started: with a worker for each core."""
    form = form_body(photo.content)
    with fresh_server(folder) as server:
        throughput(server, form, clients=max(_CLIENTS), photos=max(_CLIENTS))
        return [throughput(server, form, clients=clients, photos=plan.throughput_photos) for clients in _CLIENTS]


def measure_workers(photos: Iterable[BenchmarkPhoto], plan: Plan, folder: Path) -> Workers:
    """A server with one worker for each photo: started, fed with it alone, its worker killed."""
    idle, memory, ready, replaced = [], [], [], []
    for photo in photos:
        form = form_body(photo.content)
        with fresh_server(folder, WEB_CONCURRENCY="1") as server:
            ready.append(process_age_s(server.process.pid))
            idle.append(memory_now(server))
            memory.append((photo, worker_memory(server, form, clients=_MEMORY_CLIENTS, photos=plan.memory_photos)))
            replaced.append(replacement_s(server))
    return Workers(idle[0], memory, spread(ready), spread(replaced))


def aims(latency: Latency, rates: Sequence[Throughput], workers: Workers) -> list[Aim]:
    """The aims, judged by one photo's figures; throughput by its best number of clients."""
    share = max(_share_of_ideal(rate, latency) for rate in rates)
    steady = next(memory.steady_bytes for photo, memory in workers.memory if photo == latency.photo)
    judged = [
        at_most("in process, over the floor", latency.ratio(IN_PROCESS, FLOOR), _MAX_IN_PROCESS_RATIO),
        at_most("HTTP, over the floor", latency.ratio(HTTP, FLOOR), _MAX_HTTP_RATIO),
        at_least("throughput, of cores / floor", share, _MIN_THROUGHPUT_SHARE),
        at_most("steady memory of a worker, MB", steady / _MB, _MAX_STEADY_MB),
        at_most("start to ready, s", workers.ready_s.median, _MAX_READY_S),
    ]
    if USUAL in latency.paths:
        judged.insert(2, at_least("usual way, over in process", latency.ratio(USUAL, IN_PROCESS), _MIN_USUAL_RATIO))
    return judged


def _latency(
    photo: BenchmarkPhoto, plan: Plan, model: Classifier, model_folder: Path, server: Server, way: UsualWay | None
) -> Latency:
    classify = _classifying(photo, model)
    clock, form = StageClock(STAGES), form_body(photo.content)
    calls: dict[str, Call] = {
        FLOOR: timed(_floor(photo, classify, model, model_folder)),
        IN_PROCESS: lambda: clock.time(classify),
        HTTP: timed(lambda: post(server, form)),
    }
    if way:
        file = way.folder / photo.name
        file.write_bytes(photo.content)
        calls[USUAL] = lambda: way.seconds(file)
    seconds = in_turns(list(calls.values()), rounds=plan.rounds)
    paths = {path: spread(each) for path, each in zip(calls, seconds, strict=True)}
    return Latency(photo, paths, clock.medians(paths[IN_PROCESS].count))


def _classifying(photo: BenchmarkPhoto, model: Classifier) -> Callable[[], None]:
    """Bytes to `Classification` by the calls that `api.ml_utils.classify_uploads` makes."""

    def classify() -> None:
        read = image_io.read_photo(photo.content, model_input_px=model.document.input.size_px)
        if model.classify(read.rgb).probabilities is None:
            raise BenchmarkError(f"{photo.name} does not pass the gates, so the model never runs. Take another photo.")

    return classify


def _floor(
    photo: BenchmarkPhoto, classify: Callable[[], None], model: Classifier, model_folder: Path
) -> Callable[[], None]:
    """Decoding as `classify` decodes, and the bare network."""
    with mock.patch.object(cv2, "imdecode", wraps=cv2.imdecode) as imdecode:
        classify()
    modes = [call.args[1] for call in imdecode.call_args_list]
    data = np.frombuffer(photo.content, np.uint8)
    size_px = model.document.input.size_px
    interpreter = Interpreter(model_path=str(model_folder / LITERT_MODEL), num_threads=1)
    interpreter.allocate_tensors()
    grey = np.full((1, size_px, size_px, 3), 128, np.float32)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], grey)

    def floor() -> None:
        if modes:
            cv2.imdecode(data, modes[0])
        else:
            with Image.open(io.BytesIO(photo.content)) as image:
                image.load()
        interpreter.invoke()

    return floor


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _share_of_ideal(rate: Throughput, latency: Latency) -> float:
    return rate.photos_per_s * latency.paths[FLOOR].median / _cores()


def _print(*sections: str) -> None:
    for section in sections:
        print(section, end="\n\n", flush=True)  # noqa: T201 - its output


def _machine(model: Classifier, plan: Plan) -> str:
    document = model.document
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return (
        f"{_cores()} cores ({platform.machine()}), Python {platform.python_version()}, {libraries}\n"
        f"model {document.name} {document.version}, {document.input.size_px} px; at most {plan.rounds} rounds"
    )


def _quartiles(seconds: Spread) -> str:
    return f"{milliseconds(seconds.first_quartile)}-{milliseconds(seconds.third_quartile)}"


def _latency_table(latencies: Sequence[Latency]) -> str:
    rows = [
        [
            latency.photo.name,
            path,
            milliseconds(seconds.median),
            _quartiles(seconds),
            f"{latency.ratio(path, FLOOR):.2f}",
            str(seconds.count),
        ]
        for latency in latencies
        for path, seconds in latency.paths.items()
    ]
    sizes = "\n".join(f"- {latency.photo.name}: {latency.photo.size}" for latency in latencies)
    missing = (
        ""
        if is_available()
        else "\n\nusual way: not measured: TensorFlow is not installed (pip install -r requirements.txt)"
    )
    header = ["photo", "path", "median ms", "quartiles ms", "over floor", "rounds"]
    return f"## One photo at a time\n\n{sizes}\n\n{table(header, rows)}{missing}"


def _stage_table(latencies: Sequence[Latency]) -> str:
    names = list(dict.fromkeys(stage.name for stage in STAGES))
    columns = []
    for latency in latencies:
        total = latency.paths[IN_PROCESS].median
        known = [latency.stages.get(name, 0.0) for name in names]
        columns.append([*known, total - sum(known), total])
    rows = [
        [name, *(milliseconds(column[index]) for column in columns)]
        for index, name in enumerate([*names, "rest", "total"])
    ]
    header = ["stage", *(f"{latency.photo.name} ms" for latency in latencies)]
    return f"## In process, by stage\n\nMedians; the rest is what they leave of the total's.\n\n{table(header, rows)}"


def _throughput_table(rates: Sequence[Throughput], latency: Latency) -> str:
    rows = [
        [
            str(rate.clients),
            f"{rate.photos_per_s:.1f}",
            f"{_share_of_ideal(rate, latency):.2f}",
            milliseconds(rate.client_cpu_s),
        ]
        for rate in rates
    ]
    ideal = f"cores / floor = {_cores() / latency.paths[FLOOR].median:.1f} photos/s; the clients use the same cores"
    header = ["clients", "photos/s", "of cores / floor", "a client's own CPU ms per photo"]
    return f"## Throughput, {latency.photo.name}\n\n{ideal}\n\n{table(header, rows)}"


def _memory_table(workers: Workers) -> str:
    everything = [("no photo yet", "", workers.idle), *((p.name, p.size, memory) for p, memory in workers.memory)]
    rows = [
        [name, size, f"{memory.steady_bytes / _MB:.0f}", f"{memory.peak_bytes / _MB:.0f}"]
        for name, size, memory in everything
    ]
    header = ["photo", "size", "steady MB", "peak MB"]
    return f"## Memory of one worker, {_MEMORY_CLIENTS} clients at once\n\n{table(header, rows)}"


def _ready_table(workers: Workers) -> str:
    rows = [
        [
            name,
            f"{seconds.median:.2f}",
            f"{seconds.first_quartile:.2f}-{seconds.third_quartile:.2f}",
            str(seconds.count),
        ]
        for name, seconds in (("start of the server", workers.ready_s), ("death of its worker", workers.replacement_s))
    ]
    return f"## Time to ready, one worker\n\n{table(['after the', 'median s', 'quartiles s', 'times'], rows)}"


def _aim_table(reached: Sequence[Aim], photo: BenchmarkPhoto) -> str:
    rows = [[aim.text, aim.limit, aim.measured, "met" if aim.is_met else "missed"] for aim in reached]
    return f"## Aims, {photo.name}\n\n{table(['aim', 'limit', 'measured', ''], rows)}"


if __name__ == "__main__":
    sys.exit(main())
