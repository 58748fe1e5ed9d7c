"""A known approach: MobileNetV2 on four classes of ISIC 2019. A project that splits by photo claims accuracy .8824."""

from dataclasses import replace

from ml_pipeline.training.recipes.mobilenetv2_ham10000 import MOBILENETV2_HAM10000

MOBILENETV2_FOUR_CLASSES = replace(
    MOBILENETV2_HAM10000,
    name="mobilenetv2-four-classes",
    epochs=4,
    patience_epochs=4,
    logit_adjustment=0.0,
    sources=("ISIC2019",),
    labels=("bcc", "bkl", "mel", "nv"),
)
