"""What a recipe is made of."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Strength of each random change to a training photo; 0 turns one off. Flips and rotations are always on.

    `scale` and `aspect` are log-uniform half-ranges, `shift` a share of the side, `colour` the half-range of the
    per-channel gain, `brightness` of the common gain, `contrast` of the contrast; `soften` and `jpeg` are the
    probabilities of a random shrink-and-enlarge and of a random JPEG round trip, `erase` of a blanked rectangle.
    """

    scale: float = 0.25
    aspect: float = 0.12
    shift: float = 0.08
    colour: float = 0.10
    brightness: float = 0.20
    contrast: float = 0.20
    soften: float = 0.2
    jpeg: float = 0.2
    erase: float = 0.25


@dataclass(frozen=True, slots=True)
class Recipe:
    """One training run, fully said. Sizes in pixels, `warmup_share` a share of all steps.

    `backbone` names an entry of `backbones.py`.
    `logit_adjustment` is tau of Menon et al. 2021 (Long-tail learning via logit adjustment): the loss sees
    logits + tau * log(prior), so the plain logits aim at balanced accuracy. Label smoothing is missing on purpose:
    under the adjustment its even share would teach a part of every rare class in every photo. `intended_use` and
    `limits` are printed on the model card: what a model was made from decides what it may be used for.
    """

    name: str
    backbone: str
    size_px: int
    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    warmup_share: float
    dropout: float
    logit_adjustment: float
    ema_momentum: float
    patience_epochs: int
    augmentation: Augmentation
    seed: int
    intended_use: str
    limits: tuple[str, ...]
