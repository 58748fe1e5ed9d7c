"""What a recipe sees of a table."""

import dataclasses

import pytest

from ml_pipeline.data.records import Split
from ml_pipeline.errors import TrainingError
from ml_pipeline.training.recipes import recipe_named
from ml_pipeline.training.selection import seen_by, select
from tests.ml_pipeline.conftest import make_record

TINY = recipe_named("tiny")
RECORDS = [
    make_record(f"{label}-{source}-{split}", label=label, sources=source, split=split)
    for label in ("mel", "nv", "df")
    for source in ("HAM10000", "HAM10000;ISIC2019", "PAD-UFES-20")
    for split in Split
]


def test_select_without_filters_is_the_whole_table() -> None:
    assert select(RECORDS, TINY) == tuple(RECORDS)


def test_select_takes_what_one_of_its_sources_holds() -> None:
    chosen = select(RECORDS, dataclasses.replace(TINY, sources=("ISIC2019",)))
    assert {record.sources for record in chosen} == {"HAM10000;ISIC2019"}


def test_select_takes_its_labels() -> None:
    chosen = select(RECORDS, dataclasses.replace(TINY, labels=("mel", "nv")))
    assert {record.label for record in chosen} == {"mel", "nv"}
    assert len(chosen) == 18


def test_seen_by_needs_a_source_and_a_label_where_any_are_named() -> None:
    record = make_record("a", label="nv", sources="HAM10000;ISIC2019")
    assert seen_by(record, ())
    assert seen_by(record, ("ISIC2019", "PAD-UFES-20"), ("nv",))
    assert not seen_by(record, ("PAD-UFES-20",))
    assert not seen_by(record, (), ("mel",))


@pytest.mark.parametrize("changes", [{"labels": ("mel",)}, {"sources": ("elsewhere",)}], ids=["one class", "no photo"])
def test_select_too_little_says_what_is_needed(changes: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(TrainingError, match="two classes"):
        select(RECORDS, dataclasses.replace(TINY, **changes))
