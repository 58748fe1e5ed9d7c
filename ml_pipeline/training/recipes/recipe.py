"""What a recipe is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Sampling(StrEnum):
    """Which photos an epoch holds."""

    NATURAL = "natural"  # every photo once
    CLASS_BALANCED = "class_balanced"  # each class equally often, rare photos repeated


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Strength of each random change to a training photo; 0 or False turns one off.

    `flip` and `rotate` cover all orientations: a lesion has none. `scale` and `aspect` are log-uniform half-ranges,
    `shift` a share of the side; `cast` is the half-range of the gain per channel (colour constancy: another lamp),
    `brightness` of the common gain, `contrast` of the contrast. `soften` and `jpeg` are the probabilities of a random
    shrink-and-enlarge and of a random JPEG round trip, `erase` of a blanked rectangle. `level_sharpness` softens so
    many of the sharper photos that sharpness does not tell the class (see `sharpness.py`).
    """

    flip: bool = True
    rotate: bool = True
    scale: float = 0.25
    aspect: float = 0.12
    shift: float = 0.08
    cast: float = 0.10
    brightness: float = 0.20
    contrast: float = 0.20
    soften: float = 0.2
    jpeg: float = 0.2
    erase: float = 0.25
    level_sharpness: bool = True


@dataclass(frozen=True, slots=True)
class Mixing:
    """Share of batches that are mixed, by mixup (Zhang 2018) or cutmix (Yun 2019), with Beta(alpha, alpha) weights."""

    mixup: float = 0.0
    cutmix: float = 0.0
    alpha: float = 0.4


@dataclass(frozen=True, slots=True)
class Distillation:
    """Learning from other runs' averaged answers (Hinton 2015): weight of their part in the loss, temperature."""

    weight: float = 0.5
    temperature: float = 2.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """One training run, fully said. Sizes in pixels, `warmup_share` a share of all steps.

    `backbone` names an entry of `backbones.py`; its layers up to and with `frozen_through` keep their weights and
    statistics. `clinical_share` is the share of an epoch that clinical photos get, None for the data's own.
    `logit_adjustment` is tau of Menon et al. 2021 (Long-tail learning via logit adjustment): the loss sees
    logits + tau * log(prior of the class among photos of that modality), so the plain logits aim at balanced accuracy.
    Label smoothing is missing on purpose: under the adjustment its even share would teach a part of every rare class
    in every photo. `ema_momentum` 0 switches the moving average of the weights off. `sources` and `labels`, where not
    empty, are all that the recipe sees of a table. `intended_use` and `limits` are printed on the model card: what a
    model was made from decides what it may be used for.
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
    sampling: Sampling = Sampling.NATURAL
    clinical_share: float | None = None
    frozen_through: str = ""
    mixing: Mixing = Mixing()
    distillation: Distillation | None = None
    sources: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Recipe":
        """The recipe that a run folder keeps, whatever has become of the one of that name since."""
        distillation = stored["distillation"]
        lists = {name: tuple(stored[name]) for name in ("limits", "sources", "labels")}
        return cls(
            **{
                **stored,
                **lists,
                "augmentation": Augmentation(**stored["augmentation"]),
                "sampling": Sampling(stored["sampling"]),
                "mixing": Mixing(**stored["mixing"]),
                "distillation": None if distillation is None else Distillation(**distillation),
            }
        )
