"""A known approach: the plain stack of convolutions that tutorials train on HAM10000. One of them claims .68."""

from ml_pipeline.training.recipes.known import LIMITS, USE
from ml_pipeline.training.recipes.recipe import Augmentation, Recipe

SEQUENTIAL_CNN_HAM10000 = Recipe(
    name="sequential-cnn-ham10000",
    backbone="sequential-cnn",
    size_px=96,
    epochs=8,
    batch_size=32,
    learning_rate=1e-3,
    weight_decay=1e-4,
    warmup_share=0.1,
    dropout=0.5,
    logit_adjustment=0.0,
    ema_momentum=0.0,
    patience_epochs=8,
    augmentation=Augmentation(),
    seed=20260101,
    intended_use=USE,
    limits=LIMITS,
    sources=("HAM10000",),
)
