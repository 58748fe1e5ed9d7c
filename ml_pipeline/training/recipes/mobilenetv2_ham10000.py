"""A known approach: MobileNetV2 (Sandler 2018) fine-tuned on HAM10000. A project that splits by photo claims .82."""

from ml_pipeline.training.recipes.known import LIMITS, USE
from ml_pipeline.training.recipes.recipe import Augmentation, Recipe

MOBILENETV2_HAM10000 = Recipe(
    name="mobilenetv2-ham10000",
    backbone="mobilenetv2",
    size_px=160,
    epochs=5,
    batch_size=32,
    learning_rate=5e-4,
    weight_decay=0.05,
    warmup_share=0.1,
    dropout=0.3,
    logit_adjustment=1.0,
    ema_momentum=0.99,
    patience_epochs=5,
    augmentation=Augmentation(),
    seed=20260101,
    intended_use=USE,
    limits=LIMITS,
    sources=("HAM10000",),
)
