"""The first shipped model: MobileNetV2 (Sandler 2018) fine-tuned on HAM10000.

160 px because the copies at hand are 200x150: more input pixels would only be interpolated.
"""

from ml_pipeline.training.recipes.recipe import Augmentation, Recipe

MOBILENETV2_HAM10000 = Recipe(
    name="mobilenetv2-ham10000",
    backbone="mobilenetv2",
    size_px=160,
    epochs=20,
    batch_size=32,
    learning_rate=5e-4,
    weight_decay=1e-4,
    warmup_share=0.05,
    dropout=0.3,
    label_smoothing=0.05,
    logit_adjustment=1.0,
    ema_momentum=0.998,
    patience_epochs=8,
    frozen_until=None,
    augmentation=Augmentation(),
    seed=20260101,
)
