"""A known approach: MobileNetV2 on four classes of ISIC 2019. A project that splits by photo claims accuracy .8824."""

from ml_pipeline.training.recipes.known import LIMITS, USE
from ml_pipeline.training.recipes.recipe import Augmentation, Recipe

MOBILENETV2_FOUR_CLASSES = Recipe(
    name="mobilenetv2-four-classes",
    backbone="mobilenetv2",
    size_px=160,
    epochs=4,
    batch_size=32,
    learning_rate=5e-4,
    weight_decay=0.05,
    warmup_share=0.1,
    dropout=0.3,
    logit_adjustment=0.0,
    ema_momentum=0.99,
    patience_epochs=4,
    augmentation=Augmentation(),
    seed=20260101,
    intended_use=USE,
    limits=LIMITS,
    sources=("ISIC2019",),
    labels=("bcc", "bkl", "mel", "nv"),
)
