"""Recipes for folders of one's own: a small network, a plain stack, and fine-tuning. They name no source."""

from dataclasses import replace

from ml_pipeline.training.recipes.recipe import Augmentation, Recipe

SMALL_CNN = Recipe(
    name="small-cnn",
    backbone="small-cnn",
    size_px=96,
    epochs=20,
    batch_size=32,
    learning_rate=1e-3,
    weight_decay=1e-4,
    warmup_share=0.1,
    dropout=0.3,
    logit_adjustment=1.0,
    ema_momentum=0.98,
    patience_epochs=6,
    augmentation=Augmentation(),
    seed=1,
    intended_use="What its maker says of the folders that it was trained on. Not a medical device.",
    limits=("Trained on folders whose origin and labels nobody here has checked.",),
)
SEQUENTIAL_CNN = replace(SMALL_CNN, name="sequential-cnn", backbone="sequential-cnn", dropout=0.5)
TRANSFER_MOBILENETV2 = replace(
    SMALL_CNN,
    name="transfer-mobilenetv2",
    backbone="mobilenetv2",
    size_px=160,
    epochs=10,
    learning_rate=5e-4,
    weight_decay=0.05,
    frozen_through="block_5_add",
)
