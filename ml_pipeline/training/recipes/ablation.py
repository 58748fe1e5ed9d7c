"""The fixed protocol by which single changes are judged: one change of `BASE` at a time, on validation.

Cheap on purpose: 160 px, the first blocks frozen, four epochs. What counts is the difference to the base, not the
height.
"""

from dataclasses import dataclass, replace

from ml_pipeline.training.recipes.recipe import Augmentation, Mixing, Recipe, Sampling

BASE = Recipe(
    name="ablation-base",
    backbone="mobilenetv2",
    size_px=160,
    epochs=4,
    batch_size=32,
    learning_rate=5e-4,
    weight_decay=0.05,
    warmup_share=0.1,
    dropout=0.3,
    logit_adjustment=1.0,
    ema_momentum=0.99,
    patience_epochs=4,
    augmentation=Augmentation(),
    seed=20260501,
    clinical_share=0.15,
    frozen_through="block_5_add",
    intended_use="Comparing single changes of a recipe. Not for answering anybody.",
    limits=("Trained for minutes with its first blocks frozen.",),
)


@dataclass(frozen=True, slots=True)
class Change:
    """One row of the table: what is changed, and the recipe that results. `weights` names the start of its backbone."""

    what: str
    recipe: Recipe
    weights: str = "mobilenetv2"


def _changed(name: str, what: str, *, weights: str = "mobilenetv2", **changes: object) -> Change:
    return Change(what, replace(BASE, name=f"ablation-{name}", **changes), weights)  # type: ignore[arg-type]


def _augmented(**changes: object) -> Augmentation:
    return replace(BASE.augmentation, **changes)  # type: ignore[arg-type]


CHANGES: tuple[Change, ...] = (
    Change("base", BASE),
    _changed("lite0", "EfficientNet-Lite0", backbone="efficientnet-lite0", frozen_through="b4_add", weights="lite0"),
    _changed("192px", "192 px", size_px=192),
    _changed("no-degradation", "no softening, no JPEG, sharpness not levelled",
             augmentation=_augmented(soften=0.0, jpeg=0.0, level_sharpness=False)),
    _changed("cutmix", "cutmix in half of the batches", mixing=Mixing(cutmix=0.5, alpha=1.0)),
    _changed("class-balanced", "class-balanced sampling, no logit adjustment",
             sampling=Sampling.CLASS_BALANCED, logit_adjustment=0.0),
    _changed("no-colour", "no change of colour, brightness, contrast",
             augmentation=_augmented(cast=0.0, brightness=0.0, contrast=0.0)),
    _changed("no-turns", "no flips, no rotations", augmentation=_augmented(flip=False, rotate=False)),
    _changed("no-scale", "no scale, aspect, shift", augmentation=_augmented(scale=0.0, aspect=0.0, shift=0.0)),
    _changed("no-average", "no moving average of the weights", ema_momentum=0.0),
    _changed("from-nothing", "no ImageNet start, nothing frozen", frozen_through="", weights="none"),
    _changed("224px", "224 px", size_px=224),
    _changed("mixup", "mixup in half of the batches", mixing=Mixing(mixup=0.5)),
    _changed("natural-domains", "clinical photos at their own share of 5 %", clinical_share=None),
    _changed("no-adjustment", "natural sampling, no logit adjustment", logit_adjustment=0.0),
    _changed("stronger-cast", "colour cast of 30 % instead of 10 %", augmentation=_augmented(cast=0.3)),
    _changed("260px", "260 px", size_px=260),
    _changed("second-seed", "base with another seed: what chance alone does", seed=20260502),
)  # fmt: skip
