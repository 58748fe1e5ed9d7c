"""Recipes by name: a recipe is everything that makes one training run different from another."""

from ml_pipeline.errors import TrainingError
from ml_pipeline.training.recipes.mobilenetv2_ham10000 import MOBILENETV2_HAM10000
from ml_pipeline.training.recipes.recipe import Augmentation, Recipe
from ml_pipeline.training.recipes.tiny import TINY

RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in (MOBILENETV2_HAM10000, TINY)}

__all__ = ["RECIPES", "Augmentation", "Recipe", "recipe_named"]


def recipe_named(name: str) -> Recipe:
    """The recipe of that name. Raises TrainingError listing the known names."""
    try:
        return RECIPES[name]
    except KeyError as error:
        raise TrainingError(f"No recipe {name!r}. Known: {', '.join(sorted(RECIPES))}.") from error
