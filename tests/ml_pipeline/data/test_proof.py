"""The proof: every kind of leak is planted and refused, by code that owes the splitter nothing."""

import ast
import dataclasses
import inspect
import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from ml_pipeline.data import proof
from ml_pipeline.data.proof import refuse_leakage, refuse_moved, refuse_other_data
from ml_pipeline.data.records import Record, Split, records_digest
from ml_pipeline.data.split import SplitPlan, split_records
from ml_pipeline.errors import LeakageError, SourceError
from tests.ml_pipeline.conftest import make_record

TRAIN, VALIDATION, TEST = Split


def clean() -> list[Record]:
    """Two lesions of two photos each, in two splits."""
    return [
        make_record(name, lesion_id=f"L{name[0]}", group=f"g{name[0]}", split=split, patient_id=f"P{name[0]}")
        for name, split in (("a1", TRAIN), ("a2", TRAIN), ("b1", TEST), ("b2", TEST))
    ]


def planted(**change: tuple[object, object]) -> list[Record]:
    """The same, where a field of one training and of one test photo has been given other values."""
    trained, tested = (
        make_record(
            name, split=split, **{"group": f"g-{name}", **{field: values[side] for field, values in change.items()}}
        )
        for side, (name, split) in enumerate((("x", TRAIN), ("y", TEST)))
    )
    return [*clean(), trained, tested]


def test_refuse_leakage_a_clean_table_passes() -> None:
    refuse_leakage(clean(), [("a1", "a2"), ("b2", "b1")])


def test_refuse_leakage_an_empty_table_passes() -> None:
    refuse_leakage([])


LEAKS = {
    "lesion": {"lesion_id": ("L", "L")},
    "one of several lesions": {"lesion_id": ("L1;L2", "L2;L3")},
    "a lesion among several": {"lesion_id": ("L2", "L1;L2;L3")},
    "patient": {"patient_id": ("P", "P")},
    "one of several patients": {"patient_id": ("P1;P9", "P9")},
    "bytes": {"sha256": ("same", "same")},
    "cluster": {"cluster": ("x", "x")},
    "group": {"group": ("g", "g")},
}


@pytest.mark.parametrize("leak", LEAKS)
def test_refuse_leakage_what_is_shared_across_splits_is_refused_by_name(leak: str) -> None:
    with pytest.raises(LeakageError, match=r"^(x \(train\) and y \(test\)|y \(test\) and x \(train\)) belong together"):
        refuse_leakage(planted(**LEAKS[leak]))


@pytest.mark.parametrize("leak", LEAKS)
def test_refuse_leakage_what_is_shared_within_a_split_passes(leak: str) -> None:
    records = planted(**LEAKS[leak])
    one_side = [make_record("y", **{name: getattr(records[-1], name) for name in ("group", *LEAKS[leak])}, split=TRAIN)]
    refuse_leakage([*records[:-1], *one_side])


@pytest.mark.parametrize("pair", [("a1", "b1"), ("b2", "a1")])
def test_refuse_leakage_copies_across_splits_are_refused(pair: tuple[str, str]) -> None:
    with pytest.raises(LeakageError, match="copies of one photograph"):
        refuse_leakage(clean(), [pair])


def test_refuse_leakage_copies_that_are_not_in_the_table_do_not_matter() -> None:
    refuse_leakage(clean(), [("a1", "elsewhere"), ("elsewhere", "b1")])


@pytest.mark.parametrize(
    "bonds",
    [
        ({"lesion_id": "L1"}, {"lesion_id": "L1", "patient_id": "P"}, {"patient_id": "P"}),
        ({"sha256": "d"}, {"sha256": "d", "cluster": "c"}, {"cluster": "c"}),
        ({"lesion_id": "L1"}, {"lesion_id": "L1;L2"}, {"lesion_id": "L2"}),
    ],
    ids=["lesion, patient", "bytes, cluster", "two lesions"],
)
@pytest.mark.parametrize("splits", [(TRAIN, TRAIN, TEST), (TEST, TRAIN, TRAIN), (TRAIN, TEST, TRAIN)])
def test_refuse_leakage_a_chain_over_three_photos_is_refused(
    bonds: Sequence[dict[str, str]], splits: Sequence[Split]
) -> None:
    chain = [
        make_record(f"c{i}", group=f"g{i}", split=split, **bond)
        for i, (bond, split) in enumerate(zip(bonds, splits, strict=True))
    ]
    for order in itertools.permutations(chain):
        with pytest.raises(LeakageError, match="belong together"):
            refuse_leakage([*clean(), *order])


def test_refuse_leakage_lesion_and_patient_of_the_same_name_are_not_the_same() -> None:
    refuse_leakage(planted(lesion_id=("1", ""), patient_id=("", "1")))


def test_refuse_leakage_unknown_ids_are_nothing_in_common() -> None:
    refuse_leakage(planted(lesion_id=("", ""), patient_id=("", ""), cluster=("", "")))


def test_refuse_leakage_an_unset_split_is_refused() -> None:
    with pytest.raises(LeakageError, match="x has no split"):
        refuse_leakage([*clean(), make_record("x", group="x")])


def test_refuse_leakage_an_id_twice_is_refused_also_within_a_split() -> None:
    with pytest.raises(LeakageError, match="a1 occurs twice"):
        refuse_leakage([*clean(), clean()[0]])


@pytest.mark.parametrize("split", [VALIDATION, TEST])
def test_refuse_leakage_a_photo_for_training_only_that_is_held_out_is_refused(split: Split) -> None:
    record = make_record("x", group="x", train_only=True, split=split)
    with pytest.raises(LeakageError, match=f"x may only be trained on, but is in {split}"):
        refuse_leakage([*clean(), record])
    refuse_leakage([*clean(), make_record("x", group="x", train_only=True, split=TRAIN)])


def test_refuse_other_data_takes_the_same_split_in_any_order_only() -> None:
    digest = records_digest(clean())
    refuse_other_data(clean()[::-1], digest)
    moved = [*clean()[:-1], make_record("b2", lesion_id="Lb", group="gb", patient_id="Pb", split=VALIDATION)]
    for other in (clean()[:-1], moved, []):
        with pytest.raises(LeakageError, match="not those that the model was trained on"):
            refuse_other_data(other, digest)


def test_proof_shares_no_code_with_the_splitter() -> None:
    """Beside the records and errors it may use the standard library only; scipy's components are the splitter's."""
    imported = set()
    for node in ast.walk(ast.parse(inspect.getsource(proof))):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add(node.module)
    assert imported == {"collections.abc", "dataclasses", "ml_pipeline.data.records", "ml_pipeline.errors"}
    of_records = {
        alias.name
        for node in ast.walk(ast.parse(inspect.getsource(proof)))
        if isinstance(node, ast.ImportFrom) and node.module == "ml_pipeline.data.records"
        for alias in node.names
    }
    assert of_records <= {"Record", "Split", "records_digest"}


@st.composite
def related_records(draw: st.DrawFn) -> tuple[list[Record], list[tuple[str, str]]]:
    """Photos that share lesions, patients, bytes and copies at random, some several lesions at once."""
    count = draw(st.integers(30, 60))

    def some(of: int, *, known: float = 0.6) -> str:
        return str(draw(st.integers(0, of))) if draw(st.floats(0, 1)) < known else ""

    records = []
    for number in range(count):
        lesions = {f"L{each}" for each in (some(60), some(60, known=0.05)) if each}
        patient, same = some(60, known=0.3), some(40, known=0.1)
        records.append(
            make_record(
                f"{number:03d}",
                lesion_id=";".join(sorted(lesions)),
                patient_id=f"P{patient}" if patient else "",
                sha256=f"D{same}" if same else f"own-{number}",
                train_only=draw(st.integers(0, 19)) == 0,
            )
        )
    index = st.integers(0, count - 1)
    drawn = draw(st.lists(st.tuples(index, index), max_size=6))
    return records, [(f"{i:03d}", f"{j:03d}") for i, j in drawn if i != j]


@settings(max_examples=15)
@given(related_records(), st.integers(0, 5))
def test_refuse_leakage_passes_every_split_and_refuses_every_single_move(
    related: tuple[list[Record], list[tuple[str, str]]], seed: int
) -> None:
    records, copies = related
    try:
        result = split_records(records, copies, plan=SplitPlan(seed=seed))
    except SourceError:  # too few groups for three splits
        reject()
    refuse_leakage(result.records, copies)
    assert result.refused == ()
    sizes = {record.group: 0 for record in result.records}
    for record in result.records:
        sizes[record.group] += 1
    for position, record in enumerate(result.records):
        for other in set(Split) - {record.split}:
            moved = [*result.records]
            moved[position] = make_record(
                record.image_id,
                **{
                    name: getattr(record, name)
                    for name in ("lesion_id", "patient_id", "sha256", "group", "cluster", "train_only")
                },
                split=other,
            )
            if sizes[record.group] > 1 or (record.train_only and other is not TRAIN):
                with pytest.raises(LeakageError):
                    refuse_leakage(moved, copies)
                anonymous = [make_record(r.image_id, **_without_group(r)) for r in moved]
                with pytest.raises(LeakageError):  # also found again from the ids alone
                    refuse_leakage(anonymous, copies)
            else:
                refuse_leakage(moved, copies)


def _without_group(record: Record) -> dict[str, object]:
    names = ("lesion_id", "patient_id", "sha256", "split", "train_only")
    return {"group": "", **{name: getattr(record, name) for name in names}}


def test_refuse_moved_a_table_that_only_grows_passes() -> None:
    new = make_record("c1", split=TEST, group="gc")
    refuse_moved([*clean(), new], clean())


def test_refuse_moved_a_photo_in_another_split_is_found() -> None:
    moved = [dataclasses.replace(record, split=TEST) if record.lesion_id == "La" else record for record in clean()]
    with pytest.raises(LeakageError, match="a1 of the earlier table"):
        refuse_moved(moved, clean())


@pytest.mark.parametrize("bond", [{"lesion_id": "La"}, {"patient_id": "Pa"}, {"sha256": "digest-a1"}], ids=str)
def test_refuse_moved_a_relative_of_a_photo_that_is_gone_is_found(bond: dict[str, str]) -> None:
    here = [record for record in clean() if record.lesion_id == "Lb"]
    relative = make_record("c1", split=TEST, group="gc", **bond)
    refuse_leakage([*here, relative])
    with pytest.raises(LeakageError, match="of the earlier table"):
        refuse_moved([*here, relative], clean())


def test_refuse_moved_knows_what_the_earlier_table_knew_of_a_photo() -> None:
    """A better copy took the photo's place: other bytes, and nobody says the patient any more."""
    here = [dataclasses.replace(record, patient_id="", sha256=f"new-{record.image_id}") for record in clean()]
    for bond in ({"patient_id": "Pa"}, {"sha256": "digest-a1"}):
        relative = make_record("c1", split=TEST, group="gc", **bond)
        with pytest.raises(LeakageError):
            refuse_moved([*here, relative], clean())
