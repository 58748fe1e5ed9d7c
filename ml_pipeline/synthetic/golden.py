"""Golden inputs: the fixed photos on which a model artefact proves that it still gives the same answers."""

import numpy as np
import numpy.typing as npt

from ml_pipeline.synthetic.scene import LESION_CODES, Scene, draw

_SUBJECTS = (*LESION_CODES, None)


def golden_inputs(*, count: int, size_px: int, seed: int) -> npt.NDArray[np.uint8]:
    """`count` varied scenes as uint8 RGB [count, size_px, size_px, 3].

    The classes and plain skin take turns. The first photos do not depend on `count`.
    """
    photos = np.zeros((count, size_px, size_px, 3), np.uint8)
    for index in range(count):
        scene = vary_scene(_SUBJECTS[index % len(_SUBJECTS)], np.random.default_rng([seed, index]), size_px=size_px)
        photos[index] = draw(scene, width_px=size_px, height_px=size_px, seed=seed + index)
    return photos


def vary_scene(lesion: str | None, rng: np.random.Generator, *, size_px: int) -> Scene:
    """A scene with that lesion, or plain skin, of any tone, hair and light; `size_px` is the photo's short side."""
    return Scene(
        lesion=lesion,
        skin_tone=rng.uniform(0, 1),
        lesion_scale=rng.uniform(0.4, 0.8),
        shift_x=rng.uniform(-0.1, 0.1),
        shift_y=rng.uniform(-0.1, 0.1),
        hair=int(rng.integers(0, 12)),
        ruler=bool(rng.random() < 0.15),
        vignette=bool(rng.random() < 0.3),
        blur_sigma_px=rng.uniform(0, 0.004) * size_px,
        exposure=rng.uniform(0.75, 1.15),
    )
