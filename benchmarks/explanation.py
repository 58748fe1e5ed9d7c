"""`python -m benchmarks.explanation`: what an explanation costs beside the bare network, in one process.

The grid is what is added to an answer with `explain=true`: the activations of all classes from the second output. The
picture is drawn when its address is opened: shrinking, colours, legend and PNG, of a photo that is decoded already.
"""

import argparse
import platform
import sys

import cv2
import numpy as np

from benchmarks.aims import at_most
from benchmarks.measuring import Call, in_turns, milliseconds, spread, table, timed
from ml_models.artefact import LITERT_MODEL, load_artefact
from ml_models.explanation import class_activations, explanation_picture, heat
from ml_models.legend import Legend
from ml_models.preprocess import preprocess
from ml_models.runtime import LiteRtRuntime
from ml_models.shipped import SHIPPED_MODEL
from ml_pipeline.synthetic import Scene, draw

NETWORK, GRID, PICTURE = "bare network", "grid", "picture, 1024 px"
_ROUNDS = 200
_PHOTO_PX = (1600, 1200)
_MAX_GRID_MS = 2.0
_LEGEND = Legend("Evidence for: Melanoma", note="97.5 %", low="none", high="strongest")


def main(arguments: list[str] | None = None) -> int:
    """Measure in turns and print medians, quartiles and the aim."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.explanation", description="What an explanation costs.")
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help="default %(default)s")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error(f"--rounds is {options.rounds}, but must be at least 1")
    calls = _calls()
    seconds = [spread(each) for each in in_turns(list(calls.values()), rounds=options.rounds)]
    rows = [
        [name, milliseconds(each.median), f"{milliseconds(each.first_quartile)}-{milliseconds(each.third_quartile)}"]
        for name, each in zip(calls, seconds, strict=True)
    ]
    aim = at_most("grid, ms", 1000 * seconds[list(calls).index(GRID)].median, _MAX_GRID_MS)
    _print(f"{platform.machine()}, Python {platform.python_version()}, {seconds[0].count} rounds, one thread")
    _print(table(["step", "median ms", "quartiles ms"], rows))
    _print(
        table(
            ["aim", "limit", "measured", ""], [[aim.text, aim.limit, aim.measured, "met" if aim.is_met else "missed"]]
        )
    )
    return 0


def _calls() -> dict[str, Call]:
    artefact = load_artefact(SHIPPED_MODEL)
    runtime = LiteRtRuntime(SHIPPED_MODEL / LITERT_MODEL)
    width_px, height_px = _PHOTO_PX
    photo = draw(Scene("mel"), width_px=width_px, height_px=height_px, seed=1)
    image = preprocess(photo, artefact.document.input)[np.newaxis]
    feature_map = runtime.run(image)["feature_map"][0]
    weights = artefact.statistics.class_weights
    grid = heat(class_activations(feature_map, weights)[0])

    def picture() -> None:
        cv2.imencode(".png", explanation_picture(photo, grid, legend=_LEGEND))

    return {
        NETWORK: timed(lambda: runtime.run(image)),
        GRID: timed(lambda: class_activations(feature_map, weights)),
        PICTURE: timed(picture),
    }


def _print(section: str) -> None:
    print(section, end="\n\n", flush=True)  # noqa: T201 - its output


if __name__ == "__main__":
    sys.exit(main())
