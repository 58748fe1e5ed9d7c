"""Splits that cannot leak."""

import dataclasses
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_pipeline.data.records import Record, Split, of_split
from ml_pipeline.data.sources.ham10000 import read_ham10000
from ml_pipeline.data.split import SplitShares, assign_groups, refuse_leakage, split_records
from ml_pipeline.errors import LeakageError
from tests.ml_pipeline.conftest import make_record


def test_assign_groups_one_lesion_is_one_group() -> None:
    records = assign_groups([make_record("a", lesion_id="L"), make_record("b", lesion_id="L"), make_record("c")])
    assert records[0].group == records[1].group != records[2].group


def test_assign_groups_identical_files_join_their_lesions() -> None:
    records = assign_groups(
        [
            make_record("a", lesion_id="L1"),
            make_record("b", lesion_id="L1", sha256="same"),
            make_record("c", lesion_id="L2", sha256="same"),
            make_record("d", lesion_id="L2"),
        ]
    )
    assert len({record.group for record in records}) == 1


def test_assign_groups_missing_lesion_ids_are_no_common_group() -> None:
    records = assign_groups([make_record("a", lesion_id=""), make_record("b", lesion_id="")])
    assert records[0].group != records[1].group


def test_assign_groups_lesion_ids_of_two_sources_are_different() -> None:
    records = assign_groups([make_record("a", lesion_id="1"), make_record("b", lesion_id="1", source="OTHER")])
    assert records[0].group != records[1].group


@given(st.data())
def test_split_records_never_separates_lesions_or_files(data: st.DataObject) -> None:
    count = data.draw(st.integers(60, 120))
    lesions = data.draw(st.lists(st.integers(0, 70), min_size=count, max_size=count))
    digests = data.draw(st.lists(st.integers(0, 500), min_size=count, max_size=count))
    records = [
        make_record(str(i), lesion_id=f"L{lesion}", sha256=f"D{digest}")
        for i, (lesion, digest) in enumerate(zip(lesions, digests, strict=True))
    ]
    if len({record.group for record in assign_groups(records)}) < 10:
        return
    split = split_records(records, shares=SplitShares(), seed=data.draw(st.integers(0, 99)))
    for key in ("lesion_id", "sha256", "group"):
        seen: dict[str, set[Split | None]] = {}
        for record in split:
            seen.setdefault(getattr(record, key), set()).add(record.split)
        assert all(len(splits) == 1 for splits in seen.values())


def test_split_records_every_class_is_in_every_split(tiny_records: tuple[Record, ...]) -> None:
    for split in Split:
        assert len({record.label for record in of_split(tiny_records, split)}) == 8


def test_split_records_same_seed_same_split(tiny_records: tuple[Record, ...]) -> None:
    bare = [dataclasses.replace(record, split=None, group="") for record in tiny_records]
    assert split_records(bare, shares=SplitShares(), seed=1) == tiny_records


def test_split_records_other_seed_other_split(tiny_records: tuple[Record, ...]) -> None:
    assert split_records(tiny_records, shares=SplitShares(), seed=2) != tiny_records


@pytest.mark.parametrize("key", ["lesion_id", "sha256", "group"])
def test_refuse_leakage_same_value_on_both_sides_is_refused(key: str) -> None:
    values = {"lesion_id": ("A", "B"), "sha256": ("C", "D"), "group": ("E", "F")} | {key: ("X", "X")}
    records = [
        make_record(str(i), split=split, **{name: pair[i] for name, pair in values.items()})
        for i, split in enumerate((Split.TRAIN, Split.TEST))
    ]
    with pytest.raises(LeakageError, match="by group"):
        refuse_leakage(records)


def test_refuse_leakage_unset_split_is_refused() -> None:
    with pytest.raises(LeakageError, match="no split"):
        refuse_leakage([make_record("a")])


def test_refuse_leakage_clean_split_passes(tiny_records: tuple[Record, ...]) -> None:
    refuse_leakage(tiny_records)


@pytest.mark.shared_data
def test_split_of_the_real_download_is_stratified_by_lesion(shared_data: Path) -> None:
    records = split_records(
        read_ham10000(shared_data / "HAM10000", shared_data / "ISIC2019" / "ISIC_2019_Training_GroundTruth.csv"),
        shares=SplitShares(),
        seed=2019,
    )
    lesions = {split: Counter() for split in Split}
    for record in {record.group: record for record in records}.values():
        lesions[record.split][record.label] += 1
    for label, total in sum(lesions.values(), Counter()).items():
        assert lesions[Split.TEST][label] == pytest.approx(0.15 * total, abs=1.5)
        assert lesions[Split.VALIDATION][label] == pytest.approx(0.15 * total, abs=1.5)
