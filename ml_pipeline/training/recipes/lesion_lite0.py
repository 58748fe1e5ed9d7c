"""The champion's recipe: EfficientNet-Lite0 at 192 px on every source, dermatoscopic and clinical."""

from ml_pipeline.training.recipes.recipe import Augmentation, Recipe

LESION_LITE0 = Recipe(
    name="lesion-lite0",
    backbone="efficientnet-lite0",
    size_px=192,
    epochs=18,
    batch_size=32,
    learning_rate=5e-4,
    weight_decay=0.05,
    warmup_share=0.06,
    dropout=0.3,
    logit_adjustment=1.0,
    ema_momentum=0.998,
    patience_epochs=4,
    augmentation=Augmentation(),
    seed=20261121,
    clinical_share=0.15,
    frozen_through="b4_add",
    intended_use=(
        "Sorting photos of single skin lesions, dermatoscopic or taken with a phone, for research and teaching, and "
        "for asking a person to see a doctor. Not a medical device: it must not decide on anybody's care."
    ),
    limits=(
        "Never judged on photos from another clinic than its training photos come from.",
        "Clinical photos are few and from one Brazilian programme: their figures are rough.",
        "Dark skin is nearly absent from the training photos.",
    ),
)
