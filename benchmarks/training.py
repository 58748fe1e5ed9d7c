"""`python -m benchmarks.training`: whether a training step waits for its photos.

In turns, in the same run: steps of the network on one batch that is already there, the making of batches alone, and
steps as training takes them, batches made meanwhile. Frames are drawn; the recipe is the real one.
"""

import argparse
import sys
import time
from collections.abc import Callable
from statistics import median

import keras
import numpy as np

from benchmarks.aims import at_most
from ml_models.labels import CODES
from ml_pipeline.synthetic import LESION_CODES, Scene, draw
from ml_pipeline.training.batches import TrainingBatches, TrainingPhotos
from ml_pipeline.training.losses import pack
from ml_pipeline.training.memory import keep_freed_memory
from ml_pipeline.training.recipes import recipe_named
from ml_pipeline.training.train import compiled

_FRAMES = 1024
_FRAME_PX = (240, 320)  # a decoded frame for an input of 192 px
_LIMIT = 1.1


def main(arguments: list[str] | None = None) -> int:
    """Print the table; exit status 0 whatever it says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__)
    parser.add_argument("--recipe", default="ablation-base")
    parser.add_argument("--steps", type=int, default=12, help="steps of each kind in a turn")
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args(arguments)
    keep_freed_memory()
    recipe = recipe_named(options.recipe)
    batches = TrainingBatches(_photos(), recipe, epoch=0)
    model = compiled(recipe, len(CODES), steps=1000)
    images, targets = (np.concatenate([part] * options.steps) for part in batches[0])
    kinds: dict[str, Callable[[], object]] = {
        "network alone": lambda: model.fit(images, targets, batch_size=recipe.batch_size, shuffle=False, verbose=0),
        "batches alone": lambda: [batches[index] for index in range(options.steps)],
        "as trained": lambda: model.fit(batches, steps_per_epoch=options.steps, shuffle=False, verbose=0),
    }
    for work in kinds.values():
        work()  # compiles, warms
    seconds = {name: [_timed(work) / options.steps for _ in range(options.turns)] for name, work in kinds.items()}
    rate = {name: recipe.batch_size / median(values) for name, values in seconds.items()}
    lines = [
        f"{recipe.name}: {recipe.backbone}, {recipe.size_px} px, {keras.backend.backend()}\n",
        "| | ms a batch | photos a second |",
        "| :-- | --: | --: |",
        *(f"| {name} | {1000 * median(values):.0f} | {rate[name]:.0f} |" for name, values in seconds.items()),
    ]
    ratios = [trained / alone for trained, alone in zip(seconds["as trained"], seconds["network alone"], strict=True)]
    aim = at_most("as trained, over network alone", median(ratios), _LIMIT)
    lines.append(f"\n{aim.text}: {aim.measured}, limit {aim.limit}: {'met' if aim.is_met else 'missed'}")
    print("\n".join(lines))  # noqa: T201
    return 0


def _photos() -> TrainingPhotos:
    height, width = _FRAME_PX
    drawn = [
        draw(Scene(lesion=LESION_CODES[i % len(LESION_CODES)]), width_px=width, height_px=height, seed=i)
        for i in range(16)
    ]
    labels = np.arange(_FRAMES, dtype=np.int32) % len(CODES)
    truth = np.eye(len(CODES), dtype=np.float32)[labels]
    return TrainingPhotos(
        frames=[drawn[i % len(drawn)] for i in range(_FRAMES)],
        labels=labels,
        targets=pack(truth, np.full_like(truth, -np.log(len(CODES))), np.zeros_like(truth)),
        clinical=np.zeros(_FRAMES, bool),
        softening=np.full(_FRAMES, 0.2),
    )


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
