"""A known approach: EfficientNet on HAM10000 and ISIC 2019 together. A plain one was measured at .7124 in an hour."""

from ml_pipeline.training.recipes.known import LIMITS, USE
from ml_pipeline.training.recipes.recipe import Augmentation, Recipe

EFFICIENTNET_HAM10000_ISIC2019 = Recipe(
    name="efficientnet-ham10000-isic2019",
    backbone="efficientnet-lite0",
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
    sources=("HAM10000", "ISIC2019"),
)
