"""Splits by group: nothing that belongs together is parted, shares are kept, and an earlier build is honoured."""

import dataclasses
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from ml_models.classification import Modality
from ml_pipeline.data.proof import refuse_leakage
from ml_pipeline.data.records import Record, Split, of_split
from ml_pipeline.data.split import SplitPlan, SplitResult, assign_groups, split_records
from ml_pipeline.errors import LeakageError, SourceError
from tests.ml_pipeline.conftest import make_record

PLAN = SplitPlan(seed=1)


def many(count: int, *, prefix: str = "p", **changes: object) -> list[Record]:
    """Unrelated photos."""
    return [make_record(f"{prefix}{number:04d}", **changes) for number in range(count)]


def splits_of(result: SplitResult) -> dict[str, Split | None]:
    return {record.image_id: record.split for record in result.records}


def groups_of(records: Sequence[Record], links: Iterable[tuple[str, str]] = ()) -> set[frozenset[str]]:
    """The partition, whatever the groups are called."""
    groups = assign_groups(records, links)
    return {frozenset(i for i in groups if groups[i] == name) for name in groups.values()}


# Groups


def test_assign_groups_photos_without_any_id_are_groups_of_their_own() -> None:
    records = [make_record(name, lesion_id="", patient_id="", sha256="") for name in "abc"]
    assert assign_groups(records, []) == {"a": "a", "b": "b", "c": "c"}


@pytest.mark.parametrize("field", ["lesion_id", "patient_id", "sha256"])
def test_assign_groups_a_shared_value_is_one_group(field: str) -> None:
    records = [make_record("a", **{field: "X"}), make_record("b"), make_record("c", **{field: "X"})]
    assert groups_of(records) == {frozenset("ac"), frozenset("b")}


@pytest.mark.parametrize("field", ["lesion_id", "patient_id"])
def test_assign_groups_one_of_several_values_is_enough(field: str) -> None:
    records = [make_record(name, **{field: values}) for name, values in (("a", "1;2"), ("b", "2;3"), ("c", "4"))]
    assert groups_of(records) == {frozenset("ab"), frozenset("c")}


def test_assign_groups_copies_join_their_lesions_and_patients() -> None:
    records = [
        make_record("a", lesion_id="L1"),
        make_record("b", lesion_id="L1"),
        make_record("c", lesion_id="L2", patient_id="P"),
        make_record("d", lesion_id="L3", patient_id="P"),
        make_record("e"),
    ]
    assert groups_of(records, [("b", "c")]) == {frozenset("abcd"), frozenset("e")}


def test_assign_groups_lesion_and_patient_of_one_name_are_different_things() -> None:
    records = [make_record("a", lesion_id="7", patient_id=""), make_record("b", lesion_id="", patient_id="7")]
    assert groups_of(records) == {frozenset("a"), frozenset("b")}


def test_assign_groups_links_to_photos_that_are_not_there_do_not_matter() -> None:
    assert groups_of([make_record("a"), make_record("b")], [("a", "x"), ("x", "b")]) == {frozenset("a"), frozenset("b")}


@given(
    st.lists(st.tuples(st.sets(st.integers(0, 5), max_size=2), st.integers(0, 30)), min_size=1, max_size=20),
    st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=5),
    st.randoms(use_true_random=False),
)
def test_assign_groups_are_the_connected_components(
    drawn: list[tuple[set[int], int]], links: list[tuple[int, int]], shuffle: random.Random
) -> None:
    records = [
        make_record(f"{i:02d}", lesion_id=";".join(map(str, sorted(lesions))), patient_id=f"P{patient}")
        for i, (lesions, patient) in enumerate(drawn)
    ]
    pairs = [(f"{i:02d}", f"{j:02d}") for i, j in links]
    component = {record.image_id: {record.image_id} for record in records}

    def join(one: str, other: str) -> None:
        for image_id in (together := component[one] | component[other]):
            component[image_id] = together

    for i, (lesions, patient) in enumerate(drawn):
        for j, (others, another) in enumerate(drawn):
            if lesions & others or patient == another:
                join(f"{i:02d}", f"{j:02d}")
    for one, other in pairs:
        if one in component and other in component:
            join(one, other)
    shuffle.shuffle(records)
    groups = assign_groups(records, pairs)
    assert groups == {image_id: min(together) for image_id, together in component.items()}


# Shares


def _shares_by_label(records: Sequence[Record]) -> Mapping[str, Counter[Split]]:
    counts: dict[str, Counter[Split]] = {}
    for record in records:
        assert record.split is not None
        counts.setdefault(record.label, Counter())[record.split] += 1
    return counts


@settings(max_examples=50)
@given(
    sizes=st.dictionaries(
        st.sampled_from(["mel", "nv", "df"]), st.lists(st.integers(1, 12), min_size=25, max_size=60), min_size=1
    ),
    shares=st.sampled_from([(0.15, 0.15), (0.1, 0.2), (0.3, 0.3)]),
    seed=st.integers(0, 9),
    sources=st.sampled_from([1, 3]),
)
def test_split_records_every_class_has_its_shares_within_one_group(
    sizes: dict[str, list[int]], shares: tuple[float, float], seed: int, sources: int
) -> None:
    records = [
        make_record(
            f"{label}{lesion}-{photo}", label=label, lesion_id=f"{label}{lesion}", source=f"S{lesion % sources}"
        )
        for label, lesions in sizes.items()
        for lesion, size in enumerate(lesions)
        for photo in range(size)
    ]
    plan = SplitPlan(validation=shares[0], test=shares[1], seed=seed)
    try:
        result = split_records(records, [], plan=plan)
    except SourceError:
        reject()
    for label, counts in _shares_by_label(result.records).items():
        total, largest = sum(sizes[label]), max(sizes[label])
        for split, share in plan.shares.items():
            assert abs(counts[split] - share * total) <= largest, (label, split)


def test_split_records_every_source_and_modality_has_its_share() -> None:
    kinds = [
        (source, modality, label)
        for source in ("A", "B")
        for modality in (Modality.DERMATOSCOPIC, Modality.CLINICAL)
        for label in ("mel", "nv")
    ]
    records = [
        record
        for number, (source, modality, label) in enumerate(kinds)
        for record in many(40, prefix=f"{number}-", source=source, sources=source, modality=modality, label=label)
    ]
    result = split_records(records, [], plan=PLAN)
    counts = Counter((r.source, r.modality, r.label, r.split) for r in result.records)
    for kind in kinds:
        assert counts[(*kind, Split.TEST)] == pytest.approx(6, abs=1)
        assert counts[(*kind, Split.VALIDATION)] == pytest.approx(6, abs=1)


def test_split_records_a_group_of_two_classes_counts_as_the_rarer() -> None:
    records = [
        *many(60, prefix="nv", label="nv"),
        *(r for i in range(20) for r in many(1, prefix=f"mel{i}", label="mel", lesion_id=f"m{i}")),
        *(r for i in range(20) for r in many(3, prefix=f"mix{i}", label="nv", lesion_id=f"m{i}")),
    ]
    shares = _shares_by_label(split_records(records, [], plan=PLAN).records)["mel"]
    assert shares[Split.TEST] == pytest.approx(3, abs=1)
    assert shares[Split.VALIDATION] == pytest.approx(3, abs=1)


def test_split_records_of_the_tiny_download_has_every_class_everywhere(tiny_records: tuple[Record, ...]) -> None:
    for split in Split:
        assert len({record.label for record in of_split(tiny_records, split)}) == 8
    refuse_leakage(tiny_records)


@pytest.mark.parametrize("shares", [(0.0, 0.2), (0.2, 0.0), (0.5, 0.5), (-0.1, 0.2), (0.9, 0.2), (float("nan"), 0.1)])
def test_split_plan_impossible_shares_are_refused(shares: tuple[float, float]) -> None:
    with pytest.raises(SourceError, match="not possible"):
        SplitPlan(validation=shares[0], test=shares[1])


@pytest.mark.parametrize("count", [1, 2])
def test_split_records_too_few_groups_are_refused_by_class(count: int) -> None:
    few = [record for i in range(count) for record in many(9, prefix=f"df{i}", label="df", lesion_id=f"df{i}")]
    with pytest.raises(SourceError, match=rf"{count} lesions of df are too few for the splits train, validation, test"):
        split_records([*many(50), *few], [], plan=PLAN)


@pytest.mark.parametrize("size", [1, 5])
def test_split_records_five_groups_are_enough(size: int) -> None:
    few = [record for i in range(5) for record in many(size, prefix=f"df{i}-", label="df", lesion_id=f"df{i}")]
    counts = _shares_by_label(split_records([*many(50), *few], [], plan=PLAN).records)["df"]
    assert counts == {Split.TRAIN: 3 * size, Split.VALIDATION: size, Split.TEST: size}


def test_split_records_of_nothing_is_empty() -> None:
    assert split_records([], [], plan=PLAN) == SplitResult((), ())


# Repeatable


def _mixed() -> list[Record]:
    rng = np.random.default_rng(4)
    return [
        make_record(
            f"{i:03d}",
            label=("mel", "nv", "bkl")[i % 3],
            lesion_id=f"L{rng.integers(90)}" if i % 4 else "",
            source=("A", "B")[i % 2],
        )
        for i in range(200)
    ]


def test_split_records_does_not_depend_on_the_order() -> None:
    records, links = _mixed(), [("001", "100"), ("005", "077"), ("100", "003")]
    first = split_records(records, links, plan=PLAN)
    assert [record.image_id for record in first.records] == sorted(record.image_id for record in records)
    for seed in range(5):
        shuffled, turned = records.copy(), [pair[::-1] for pair in links]
        random.Random(seed).shuffle(shuffled)  # noqa: S311 - an order, no secret
        random.Random(seed).shuffle(turned)  # noqa: S311 - likewise
        assert split_records(shuffled, turned, plan=PLAN) == first


def test_split_records_another_seed_is_another_split_of_the_same_groups() -> None:
    one, other = (split_records(_mixed(), [], plan=SplitPlan(seed=seed)) for seed in (1, 2))
    assert splits_of(one) != splits_of(other)
    assert [r.group for r in one.records] == [r.group for r in other.records]


def test_split_records_changes_group_and_split_only() -> None:
    records = _mixed()
    result = split_records(records, [], plan=PLAN)
    bare = [dataclasses.replace(record, group="", split=None) for record in result.records]
    assert bare == sorted(records, key=lambda record: record.image_id)


# Held-out source and training only


def test_split_records_a_held_out_source_is_the_whole_test_split() -> None:
    ours = many(60, prefix="a", source="A", sources="A")
    theirs = many(10, prefix="b", source="B", sources="B")
    both = make_record("c", source="A", sources="A;B")
    relatives = [make_record("d", sources="A", lesion_id="L"), make_record("e", sources="B", lesion_id="L")]
    plan = SplitPlan(seed=1, held_out_source="B")
    result = split_records([*ours, *theirs, both, *relatives], [("a0000", "b0000")], plan=plan)
    assert {r.image_id for r in of_split(result.records, Split.TEST)} == {
        *(record.image_id for record in theirs), "a0000", "c", "d", "e",
    }  # fmt: skip
    assert len(of_split(result.records, Split.VALIDATION)) == pytest.approx(0.15 * 59, abs=1)
    refuse_leakage(result.records)


def test_split_records_a_held_out_source_that_is_not_there_is_refused() -> None:
    with pytest.raises(SourceError, match="'Isic2019'"):
        split_records(many(30), [], plan=SplitPlan(held_out_source="Isic2019"))


def test_split_records_photos_for_training_only_are_trained_on_with_their_relatives() -> None:
    private = [make_record(f"x{i:02d}", train_only=True, lesion_id=f"X{i}") for i in range(20)]
    siblings = [make_record(f"y{i:02d}", lesion_id=f"X{i}") for i in range(20)]
    result = split_records([*many(60), *private, *siblings], [], plan=PLAN)
    assert {splits_of(result)[record.image_id] for record in (*private, *siblings)} == {Split.TRAIN}
    assert len(of_split(result.records, Split.TEST)) == pytest.approx(15, abs=1)  # of all 100
    refuse_leakage(result.records)


def test_split_records_a_photo_for_training_only_that_is_held_out_is_refused() -> None:
    records = [
        *many(30, source="A", sources="A"),
        *many(5, prefix="b", source="B", sources="B"),
        make_record("x", train_only=True, sources="B"),
        make_record("y", train_only=True, sources="A", lesion_id="lesion-b0001"),
    ]
    result = split_records(records, [], plan=SplitPlan(seed=1, held_out_source="B"))
    assert {"x", "y"} == {record.image_id for record, _ in result.refused}
    assert all("only be trained on" in reason for _, reason in result.refused)
    refuse_leakage(result.records)


# A later build


@pytest.fixture(scope="module")
def earlier() -> tuple[Record, ...]:
    """An earlier table: a hundred unrelated photos, and three in one cluster."""
    together = [make_record(name, cluster="q1", lesion_id="") for name in ("q1", "q2", "q3")]
    return split_records([*many(100), *together], [("q1", "q2"), ("q2", "q3")], plan=PLAN).records


def of(earlier: Sequence[Record], split: Split, number: int = 0) -> Record:
    return [record for record in earlier if record.split is split and record.image_id.startswith("p")][number]


def bare(records: Iterable[Record]) -> list[Record]:
    return [dataclasses.replace(record, group="", split=None, cluster="") for record in records]


def test_split_records_previous_every_photo_keeps_its_split_whatever_the_seed(earlier: tuple[Record, ...]) -> None:
    new = [*many(40, prefix="new"), *many(7, prefix="rare", label="df")]
    result = split_records([*bare(earlier), *new], [], plan=SplitPlan(seed=99), previous=earlier)
    after = splits_of(result)
    assert {record.image_id: after[record.image_id] for record in earlier} == {r.image_id: r.split for r in earlier}
    assert result.refused == ()
    assert len(after) == len(earlier) + len(new)
    refuse_leakage(result.records)


def test_split_records_previous_the_union_has_the_shares(earlier: tuple[Record, ...]) -> None:
    result = split_records([*bare(earlier), *many(100, prefix="new")], [], plan=PLAN, previous=earlier)
    assert len(of_split(result.records, Split.TEST)) == pytest.approx(0.15 * 203, abs=3)


@pytest.mark.parametrize("split", Split)
@pytest.mark.parametrize("there", ["there", "gone"])
@pytest.mark.parametrize("bond", ["lesion", "patient", "bytes", "copy"])
def test_split_records_previous_relatives_follow(
    earlier: tuple[Record, ...], split: Split, there: str, bond: str
) -> None:
    earlier = tuple(dataclasses.replace(record, patient_id=f"P{record.image_id}") for record in earlier)
    old = of(earlier, split)
    shared = {"lesion": {"lesion_id": old.lesion_id}, "patient": {"patient_id": old.patient_id}}
    new = make_record("new", **shared.get(bond, {"sha256": old.sha256} if bond == "bytes" else {}))
    links = [("new", old.image_id)] if bond == "copy" else []
    present = [record for record in bare(earlier) if there == "there" or record.image_id != old.image_id]
    result = split_records([*present, new], links, plan=PLAN, previous=earlier)
    assert splits_of(result)["new"] is split
    assert (old.image_id in splits_of(result)) == (there == "there")


def test_split_records_previous_what_it_knew_of_a_photo_still_binds(earlier: tuple[Record, ...]) -> None:
    """A photo comes back without its lesion id, because the source that knew it is not read this time."""
    for split in Split:
        old = of(earlier, split)
        present = [
            dataclasses.replace(record, lesion_id="") if record.image_id == old.image_id else record
            for record in bare(earlier)
        ]
        new = make_record("new", lesion_id=old.lesion_id)
        result = split_records([*present, new], [], plan=PLAN, previous=earlier)
        assert splits_of(result)["new"] is split


def test_split_records_previous_vanished_photos_hold_a_lesion_together(earlier: tuple[Record, ...]) -> None:
    """The middle of a chain is gone, and both ends are new."""
    old = of(earlier, Split.TEST)
    changed = tuple(
        dataclasses.replace(record, lesion_id="M1;M2") if record.image_id == old.image_id else record
        for record in earlier
    )
    present = [record for record in bare(changed) if record.image_id != old.image_id]
    new = [make_record("n1", lesion_id="M1"), make_record("n2", lesion_id="M2")]
    result = split_records([*present, *new], [], plan=PLAN, previous=changed)
    assert {splits_of(result)[record.image_id] for record in new} == {Split.TEST}


def test_split_records_previous_clusters_still_bind(earlier: tuple[Record, ...]) -> None:
    """Copies that the search of today does not find again, one of them gone."""
    present = [record for record in bare(earlier) if record.image_id != "q2"]
    result = split_records([*present, make_record("new", sha256="digest-q2")], [], plan=PLAN, previous=earlier)
    assert len({splits_of(result)[image_id] for image_id in ("q1", "q3", "new")}) == 1


def test_split_records_previous_a_new_bridge_is_refused_by_name(earlier: tuple[Record, ...]) -> None:
    one, other = of(earlier, Split.TRAIN), of(earlier, Split.TEST)
    bridge = make_record("bridge", lesion_id=f"{one.lesion_id};{other.lesion_id}")
    result = split_records([*bare(earlier), bridge, make_record("free")], [], plan=PLAN, previous=earlier)
    [(record, reason)] = result.refused
    assert record.image_id == "bridge"
    assert f"{one.image_id} is in train" in reason
    assert f"{other.image_id} is in test" in reason
    assert set(splits_of(result)) == {"free", *(record.image_id for record in earlier)}
    refuse_leakage(result.records)


def test_split_records_previous_a_bridge_of_two_new_photos_is_refused_whole(earlier: tuple[Record, ...]) -> None:
    one, other = of(earlier, Split.TRAIN), of(earlier, Split.VALIDATION)
    bridge = [make_record("b1", lesion_id=one.lesion_id), make_record("b2", lesion_id=other.lesion_id)]
    result = split_records([*bare(earlier), *bridge], [("b1", "b2")], plan=PLAN, previous=earlier)
    assert len(result.refused) in (1, 2)
    refuse_leakage(result.records, [("b1", "b2")])
    kept = {r.image_id: r.split for r in earlier}
    assert {i: s for i, s in splits_of(result).items() if i in kept} == kept


def test_split_records_previous_only_the_bridge_is_refused_not_its_neighbours(earlier: tuple[Record, ...]) -> None:
    """A sibling of one side alone would join nothing."""
    one, other = of(earlier, Split.TRAIN), of(earlier, Split.TEST)
    new = [
        make_record("bridge", lesion_id=f"{one.lesion_id};{other.lesion_id}"),
        make_record("sibling", lesion_id=one.lesion_id),
    ]
    result = split_records([*bare(earlier), *new], [], plan=PLAN, previous=earlier)
    assert [record.image_id for record, _ in result.refused] == ["bridge"]
    assert splits_of(result)["sibling"] is Split.TRAIN


@pytest.mark.parametrize("bond", ["lesion", "copy"])
@pytest.mark.parametrize("there", ["both there", "one gone"])
def test_split_records_previous_old_ones_that_turn_out_linked_stop_and_are_named(
    earlier: tuple[Record, ...], bond: str, there: str
) -> None:
    one, other = of(earlier, Split.TRAIN), of(earlier, Split.TEST)
    present = bare(earlier)
    if bond == "lesion":
        present = [
            dataclasses.replace(record, lesion_id=other.lesion_id) if record.image_id == one.image_id else record
            for record in present
        ]
    if there == "one gone":
        present = [record for record in present if record.image_id != other.image_id]
    links = [(one.image_id, other.image_id)] if bond == "copy" else []
    with pytest.raises(LeakageError) as refusal:
        split_records(present, links, plan=PLAN, previous=earlier)
    assert f"{one.image_id} (train)" in str(refusal.value)
    assert f"{other.image_id} (test)" in str(refusal.value)


def test_split_records_previous_photos_for_training_only_follow_or_are_refused(earlier: tuple[Record, ...]) -> None:
    trained, tested = of(earlier, Split.TRAIN), of(earlier, Split.TEST)
    new = [
        make_record("x", train_only=True, lesion_id=trained.lesion_id),
        make_record("y", train_only=True, lesion_id=tested.lesion_id),
    ]
    result = split_records([*bare(earlier), *new], [], plan=PLAN, previous=earlier)
    assert splits_of(result)["x"] is Split.TRAIN
    assert [record.image_id for record, _ in result.refused] == ["y"]
    refuse_leakage(result.records)


@settings(max_examples=30)
@given(st.data())
def test_split_records_previous_random_growth_never_leaks_and_never_moves(data: st.DataObject) -> None:
    """Three builds on growing data, with random relations, lost photos and changed metadata."""
    lesion, patient = st.integers(0, 60), st.integers(0, 80)
    records: list[Record] = []
    before: tuple[Record, ...] = ()
    for generation in range(3):
        drawn = data.draw(st.lists(st.tuples(lesion, patient), min_size=25, max_size=40))
        records += [
            make_record(
                f"{generation}-{i:02d}", lesion_id=f"L{a + 40 * generation}", patient_id=f"P{b + 55 * generation}"
            )
            for i, (a, b) in enumerate(drawn)
        ]
        if generation:
            lost = data.draw(st.sets(st.integers(0, len(records) - 1), max_size=5))
            records = [record for i, record in enumerate(records) if i not in lost]
        ids = [record.image_id for record in records]
        links = data.draw(st.lists(st.tuples(st.sampled_from(ids), st.sampled_from(ids)), max_size=3))
        try:
            result = split_records(records, links, plan=SplitPlan(seed=generation), previous=before)
        except SourceError:
            reject()
        except LeakageError:  # only where old photos of different splits are really connected now
            former = {record.image_id: record.split for record in before}
            old = [record for record in records if record.image_id in former]
            gone = [record for record in before if record.image_id not in set(ids)]
            torn = assign_groups([*old, *gone], links)
            assert any(torn[a] == torn[b] and former[a] is not former[b] for a in torn for b in torn)
            return
        refuse_leakage(result.records, links)
        after = splits_of(result)
        assert all(after[r.image_id] is r.split for r in before if r.image_id in after)
        assert {r.image_id for r, _ in result.refused} & {r.image_id for r in before} == set()
        assert len(result.refused) + len(result.records) == len(records)
        known = {record.image_id: record for record in before}
        before = tuple({**known, **{record.image_id: record for record in result.records}}.values())


@pytest.mark.shared_data
def test_split_of_the_real_download_is_stratified_by_lesion(shared_data) -> None:
    from ml_pipeline.data.sources import ham10000

    records = ham10000.read(shared_data / "HAM10000").records
    result = split_records(records, [], plan=SplitPlan())
    assert len({record.group for record in result.records}) == 7470
    refuse_leakage(result.records)
    largest = max(Counter(record.lesion_id for record in records).values())
    for label, counts in _shares_by_label(result.records).items():
        for split in (Split.VALIDATION, Split.TEST):
            assert abs(counts[split] - 0.15 * sum(counts.values())) <= largest, label
