"""The ground truth tables of the ISIC challenges: a column per class, of which exactly one is 1."""

from collections.abc import Sequence

from ml_models.labels import BY_ALIAS
from ml_pipeline.data.sources.source import Row
from ml_pipeline.errors import SourceError

NO_LABEL = "UNK"  # ISIC 2019's column for none of its classes


def hot_label(row: Row, classes: Sequence[str]) -> str:
    """Our code of the one class that is 1, empty where that is UNK. Raises SourceError."""
    values = {name: _bit(row, name) for name in (*classes, NO_LABEL) if name in row.cells}
    hot = [name for name, value in values.items() if value]
    if len(hot) != 1:
        raise SourceError(
            f"{row.where}: exactly one class must be 1, seen {hot or 'none'}. Use the published ground truth."
        )
    return "" if hot[0] == NO_LABEL else BY_ALIAS[hot[0]].code


def _bit(row: Row, column: str) -> bool:
    value = row.number_or_none(column, low=0, high=1)
    if value not in (0, 1):
        raise SourceError(
            f"{row.where}: {column} {row.cells[column]!r} is neither 0 nor 1. Use the ground truth, not predictions."
        )
    return value == 1
