"""Seconds, not hours: what the tests train on generator photos. Its accuracy means nothing."""

from ml_pipeline.training.recipes.recipe import Augmentation, Recipe

TINY = Recipe(
    name="tiny",
    backbone="tiny",
    size_px=64,
    epochs=2,
    batch_size=16,
    learning_rate=3e-3,
    weight_decay=1e-4,
    warmup_share=0.1,
    dropout=0.0,
    logit_adjustment=1.0,
    ema_momentum=0.5,
    patience_epochs=8,
    augmentation=Augmentation(),
    seed=1,
    intended_use="Testing the pipeline. It knows nothing about skin.",
    limits=("Trained for seconds on drawn pictures.",),
)
