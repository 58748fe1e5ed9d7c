"""Recipes by name: a recipe is everything that makes one training run different from another."""

from ml_pipeline.errors import TrainingError
from ml_pipeline.training.recipes.ablation import CHANGES
from ml_pipeline.training.recipes.efficientnet_ham10000_isic2019 import EFFICIENTNET_HAM10000_ISIC2019
from ml_pipeline.training.recipes.folders import SEQUENTIAL_CNN, SMALL_CNN, TRANSFER_MOBILENETV2
from ml_pipeline.training.recipes.lesion_lite0 import LESION_LITE0
from ml_pipeline.training.recipes.mobilenetv2_four_classes import MOBILENETV2_FOUR_CLASSES
from ml_pipeline.training.recipes.mobilenetv2_ham10000 import MOBILENETV2_HAM10000
from ml_pipeline.training.recipes.recipe import Augmentation, Recipe
from ml_pipeline.training.recipes.sequential_cnn_ham10000 import SEQUENTIAL_CNN_HAM10000
from ml_pipeline.training.recipes.tiny import TINY

KNOWN_APPROACHES = (
    SEQUENTIAL_CNN_HAM10000,
    MOBILENETV2_HAM10000,
    MOBILENETV2_FOUR_CLASSES,
    EFFICIENTNET_HAM10000_ISIC2019,
)
RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        LESION_LITE0,
        *KNOWN_APPROACHES,
        SMALL_CNN,
        SEQUENTIAL_CNN,
        TRANSFER_MOBILENETV2,
        TINY,
        *(change.recipe for change in CHANGES),
    )
}

__all__ = ["CHANGES", "KNOWN_APPROACHES", "RECIPES", "Augmentation", "Recipe", "recipe_named"]


def recipe_named(name: str) -> Recipe:
    """The recipe of that name. Raises TrainingError listing the known names."""
    try:
        return RECIPES[name]
    except KeyError as error:
        raise TrainingError(f"No recipe {name!r}. Known: {', '.join(sorted(RECIPES))}.") from error
