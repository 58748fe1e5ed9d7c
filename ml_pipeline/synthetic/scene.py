"""One synthetic photo of skin: what is on it (`Scene`) and the function that draws it.

Everything is computed: no photo of a person, and nothing derived from one, is used.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ml_pipeline.synthetic.fields import Photo, to_photo
from ml_pipeline.synthetic.lesions import LOOKS
from ml_pipeline.synthetic.optics import add_hair, add_ruler, add_vignette, expose
from ml_pipeline.synthetic.outline import place
from ml_pipeline.synthetic.skin import add_melanin, draw_skin

LESION_CODES: Sequence[str] = tuple(LOOKS)


@dataclass(frozen=True, slots=True)
class Scene:
    """What a synthetic photo shows; the seed decides the rest.

    `lesion` is a class code or None for plain skin. `skin_tone` runs from 0 light to 1 dark. As shares of the
    short side, `lesion_scale` is the lesion's diameter, `shift_x` and `shift_y` its way right and down from
    the centre. `hair` counts strands. `vignette` darkens the corners as a dermatoscope does. `exposure` is a
    gain, 1 is correct. An unknown lesion raises ValueError.
    """

    lesion: str | None
    skin_tone: float = 0.15
    lesion_scale: float = 0.6
    shift_x: float = 0.0
    shift_y: float = 0.0
    hair: int = 0
    ruler: bool = False
    vignette: bool = False
    blur_sigma_px: float = 0.0
    exposure: float = 1.0

    def __post_init__(self) -> None:
        if self.lesion is not None and self.lesion not in LOOKS:
            raise ValueError(f"Unknown lesion {self.lesion!r}: use one of {', '.join(LOOKS)} or None.")


def draw(scene: Scene, *, width_px: int, height_px: int, seed: int) -> Photo:
    """Draws the scene as uint8 RGB [H, W, 3].

    Equal arguments give equal bytes. Each layer has its own random stream: adding hair or changing the
    exposure leaves skin and lesion as they are.
    """
    skin_rng, lesion_rng, hair_rng, ruler_rng, sensor_rng = (np.random.default_rng([seed, layer]) for layer in range(5))
    picture = draw_skin(skin_rng, (height_px, width_px), tone=scene.skin_tone)
    if scene.lesion is not None:
        look, short_side_px = LOOKS[scene.lesion], min(width_px, height_px)
        site = place(
            lesion_rng,
            (height_px, width_px),
            look.border,
            centre_x_px=width_px / 2 + scene.shift_x * short_side_px,
            centre_y_px=height_px / 2 + scene.shift_y * short_side_px,
            radius_px=scene.lesion_scale * short_side_px / 2,
        )
        picture = look.apply(picture, site, lesion_rng)
    picture = add_melanin(picture, tone=scene.skin_tone)
    picture = add_hair(picture, hair_rng, strands=scene.hair)
    if scene.ruler:
        picture = add_ruler(picture, ruler_rng)
    if scene.vignette:
        picture = add_vignette(picture)
    return to_photo(expose(picture, sensor_rng, gain=scene.exposure, blur_sigma_px=scene.blur_sigma_px))
