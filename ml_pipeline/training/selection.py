"""What a recipe sees of a table."""

from collections.abc import Collection, Sequence

from ml_pipeline.data.records import SEPARATOR, Record, Split, of_split
from ml_pipeline.errors import TrainingError
from ml_pipeline.training.recipes.recipe import Recipe

_MINIMUM_CLASSES = 2


def select(records: Sequence[Record], recipe: Recipe) -> tuple[Record, ...]:
    """The records of the recipe's sources and labels; all where it names none.

    Raises TrainingError when fewer than two classes are left to train on, or none of another split.
    """
    chosen = tuple(record for record in records if seen_by(record, recipe.sources, recipe.labels))
    classes = {record.label for record in of_split(chosen, Split.TRAIN)}
    if len(classes) < _MINIMUM_CLASSES or not of_split(chosen, Split.VALIDATION):
        raise TrainingError(
            f"Recipe {recipe.name} finds classes {sorted(classes)} in the training split of this table and "
            f"{len(of_split(chosen, Split.VALIDATION))} validation photos; it needs two classes and both splits. "
            "Build the table from the data sets that the recipe is for."
        )
    return chosen


def seen_by(record: Record, sources: Collection[str], labels: Collection[str] = ()) -> bool:
    """Whether one of the sources holds the record, and it has one of the labels; empty ones ask for nothing."""
    held = not sources or not set(sources).isdisjoint(record.sources.split(SEPARATOR))
    return held and (not labels or record.label in labels)
