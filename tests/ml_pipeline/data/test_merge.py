"""One record for every photo: joined by id, labelled by id, with the best copy and all that is known."""

import itertools
from collections.abc import Sequence

import pytest

from ml_models.classification import Modality
from ml_pipeline.data.merge import Merged, agreed_labels, merge
from ml_pipeline.data.quarantine import Kind
from ml_pipeline.data.records import Record
from ml_pipeline.data.sources import ham10000, isic2018, isic2019
from ml_pipeline.data.verify import FileFacts, FileStatus
from tests.ml_pipeline.conftest import make_record
from tests.ml_pipeline.data.conftest import SmallDownloads

HAM, ISIC18, ISIC19 = ham10000.SOURCE, isic2018.SOURCE, isic2019.SOURCE


def of(source: str, image_id: str = "ISIC_1", **changes: object) -> Record:
    """What an adapter gives: nothing that the build fills in."""
    plain = {"path": f"{source}/{image_id}.jpg", "sources": "", "sha256": "", "width_px": 0, "height_px": 0}
    return make_record(image_id, source=source, **{**plain, **changes})


def facts(width_px: int = 200, height_px: int = 150, size_bytes: int = 9000, **changes: object) -> FileFacts:
    sha256 = f"{width_px}x{height_px}x{size_bytes}"
    plain = {"status": FileStatus.OK, "format": "jpeg", "pixel_digest": sha256}
    return FileFacts(
        sha256=sha256, width_px=width_px, height_px=height_px, size_bytes=size_bytes, **{**plain, **changes}
    )


def merged(*copies: tuple[Record, FileFacts | None]) -> Merged:
    return merge([record for record, _ in copies], {record.path: found for record, found in copies if found})


def broken(status: FileStatus = FileStatus.TRUNCATED) -> FileFacts:
    return FileFacts("broken", status, "the lower part is missing", size_bytes=400)


def test_merge_one_id_of_three_sources_is_one_record_with_all_provenances() -> None:
    result = merged(
        (of(HAM, lesion_id="HAM_1", licence="A"), facts()),
        (of(ISIC18, lesion_id="", licence="B"), facts(size_bytes=9001)),
        (of(ISIC19, lesion_id="HAM_1", licence="B"), facts(300, 225, 20_000)),
    )
    [record] = result.records
    assert record.sources == f"{HAM};{ISIC18};{ISIC19}"
    assert record.licence == "A;B"
    assert record.lesion_id == "HAM_1"
    assert (record.source, record.path) == (ISIC19, f"{ISIC19}/ISIC_1.jpg")
    assert (record.width_px, record.height_px, record.sha256) == (300, 225, "300x225x20000")
    assert [file.image_id for file in result.files] == ["ISIC_1"] * 3
    assert result.quarantined == ()


def test_merge_of_downloads_joins_by_id_also_downsampled_ones(downloads: SmallDownloads) -> None:
    readings = downloads.readings()[:3]
    records = [record for reading in readings for record in reading.records]
    result = merge(records, {record.path: facts() for record in records})
    assert [record.image_id for record in result.records] == sorted({record.image_id for record in records})
    assert not any("_downsampled" in record.image_id for record in result.records)
    shared = [record for record in result.records if record.sources == f"{HAM};{ISIC18};{ISIC19}"]
    assert len(shared) == len(readings[0].records)
    assert len(result.records) == len(readings[1].records)
    assert len(result.files) == len(records)
    assert {record.label for record in shared} >= {"akiec", "scc"}
    assert result.coarse == frozenset()


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (facts(301, 225), facts(300, 225)),
        (facts(400, 100), facts(199, 200)),
        (facts(224, 224, 30_000), facts(224, 224, 12_000)),
        (facts(320, 180, 10_000), facts(240, 240, 10_000)),
    ],
    ids=["pixels", "more pixels in all", "quality", "whole frame"],
)
@pytest.mark.parametrize("order", [1, -1], ids=["better first", "worse first"])
def test_merge_keeps_the_better_copy(better: FileFacts, worse: FileFacts, order: int) -> None:
    [record] = merged(*[(of(HAM, path="a.jpg"), worse), (of(ISIC19, path="b.jpg"), better)][::order]).records
    assert (record.source, record.sha256) == (ISIC19, better.sha256)


@pytest.mark.parametrize("path", [f"{ISIC19}/ISIC_1.jpg", ""], ids=["with file", "without file"])
def test_merge_akiec_that_another_source_calls_scc_is_scc(path: str) -> None:
    for coarse in (HAM, ISIC18):
        result = merged((of(coarse, label="akiec"), facts()), (of(ISIC19, label="scc", path=path), facts()))
        assert [record.label for record in result.records] == ["scc"]
        assert result.coarse == frozenset()


def test_merge_akiec_that_another_source_calls_akiec_is_certain() -> None:
    result = merged((of(HAM, label="akiec"), facts()), (of(ISIC19, label="akiec", path=""), None))
    assert [record.label for record in result.records] == ["akiec"]
    assert result.coarse == frozenset()


def test_merge_akiec_that_nobody_refines_stays_and_is_named() -> None:
    result = merged(
        (of(HAM, label="akiec"), facts()),
        (of(ISIC18, label="akiec"), facts()),
        (of(HAM, "ISIC_2", label="nv"), facts()),
        (of("PAD-UFES-20", "p", label="akiec"), facts()),
    )
    assert [record.label for record in result.records] == ["akiec", "nv", "akiec"]
    assert result.coarse == {"ISIC_1"}


def test_merge_labels_alone_make_no_record() -> None:
    result = merged((of(ISIC19, path=""), None), (of(ISIC19, "ISIC_2", path=""), None))
    assert (result.records, result.files, result.quarantined) == ((), (), ())


@pytest.mark.parametrize(
    "copies",
    [
        [(HAM, "nv"), (ISIC19, "mel")],
        [(HAM, "akiec"), (ISIC19, "bcc")],
        [(ISIC19, "akiec"), (HAM, "scc")],
        [("PAD-UFES-20", "akiec"), (ISIC19, "scc")],
        [(HAM, "akiec"), (ISIC18, "nv"), (ISIC19, "scc")],
    ],
    ids=lambda copies: " ".join("-".join(copy) for copy in copies),
)
def test_merge_conflicting_labels_of_one_id_are_put_aside_with_all_that_was_said(
    copies: list[tuple[str, str]],
) -> None:
    result = merged(*((of(source, label=label), facts()) for source, label in copies), (of(HAM, "ISIC_2"), facts()))
    assert [record.image_id for record in result.records] == ["ISIC_2"]
    assert [file.image_id for file in result.files] == ["ISIC_2"]
    assert {(entry.source, entry.label) for entry in result.quarantined} == set(copies)
    for entry in result.quarantined:
        assert entry.kind is Kind.CONFLICTING_LABELS
        assert all(f"{label} in {source}" in entry.reason for source, label in copies)


def test_merge_a_conflict_with_a_row_without_file_counts_too() -> None:
    result = merged((of(HAM, label="nv"), facts()), (of(ISIC19, label="mel", path=""), None))
    assert result.records == ()
    assert [(entry.source, entry.kind) for entry in result.quarantined] == [(HAM, Kind.CONFLICTING_LABELS)]


@pytest.mark.parametrize("status", [status for status in FileStatus if status is not FileStatus.OK])
def test_merge_a_good_copy_stays_beside_a_bad_one(status: FileStatus) -> None:
    result = merged((of(HAM), facts()), (of(ISIC19), broken(status)))
    [record] = result.records
    assert (record.source, record.sources) == (HAM, f"{HAM};{ISIC19}")
    assert [file.path.parts[0] for file in result.files] == [HAM]
    [entry] = result.quarantined
    assert (entry.source, entry.kind.value, entry.reason) == (ISIC19, status.value, "the lower part is missing")


def test_merge_only_bad_copies_are_all_put_aside_and_no_record() -> None:
    result = merged((of(HAM), broken()), (of(ISIC19), broken(FileStatus.EMPTY)))
    assert (result.records, result.files) == ((), ())
    assert [entry.kind for entry in result.quarantined] == [Kind.TRUNCATED, Kind.EMPTY]


def test_merge_fills_what_the_best_copy_does_not_know() -> None:
    known = of(
        HAM,
        lesion_id="HAM_1",
        patient_id="P1",
        diagnosis_method="histopathology",
        age_years=45.0,
        sex="female",
        site="back",
        fitzpatrick_type=3,
        modality=Modality.DERMATOSCOPIC,
    )
    best = of(ISIC19, lesion_id="", patient_id="", diagnosis_method="", path="best.jpg")
    [record] = merged((known, facts()), (best, facts(600, 450))).records
    assert record.path == "best.jpg"
    for name in ("lesion_id", "patient_id", "diagnosis_method", "age_years", "sex", "site", "fitzpatrick_type"):
        assert getattr(record, name) == getattr(known, name), name


def test_merge_takes_the_best_copys_own_word_where_it_has_one() -> None:
    one = of(HAM, age_years=45.0, sex="female", site="back")
    best = of(ISIC19, age_years=0.0, sex="male", site="posterior torso")
    [record] = merged((one, facts()), (best, facts(600, 450))).records
    assert (record.age_years, record.sex, record.site) == (0.0, "male", "posterior torso")


def test_merge_several_lesion_ids_of_one_photo_all_count() -> None:
    [record] = merged((of(HAM, lesion_id="L2"), facts()), (of(ISIC19, lesion_id="L1"), facts())).records
    assert record.lesion_id == "L1;L2"


def test_merge_a_copy_that_may_only_be_trained_on_binds_the_photo() -> None:
    [record] = merged((of(HAM), facts(600, 450)), (of("reviews", train_only=True), facts())).records
    assert record.train_only


def test_merge_does_not_depend_on_the_order_of_the_sources() -> None:
    copies = [
        (of(HAM, lesion_id="L2", sex="female", site="back", diagnosis_method="consensus"), facts()),
        (of(ISIC18, lesion_id="L1", sex="male", site="trunk", diagnosis_method="follow_up"), facts()),
        (of(ISIC19, lesion_id="", age_years=50.0, sex="", site="", diagnosis_method=""), facts(300, 225)),
        (of(HAM, "ISIC_2", label="akiec"), facts()),
        (of(ISIC19, "ISIC_2", label="nv"), facts(200, 151)),
        (of("own", "ISIC_2", label="nv"), broken()),
    ]
    results = [merged(*order) for order in itertools.permutations(copies)]
    assert len({result.records for result in results}) == 1
    assert len({result.files for result in results}) == 1
    assert len({frozenset(result.quarantined) for result in results}) == 1


@pytest.mark.parametrize(
    ("copies", "coarse", "agreed"),
    [
        ([("a", "nv"), ("b", "nv")], {}, {"nv"}),
        ([("a", "nv"), ("b", "mel")], {}, {"nv", "mel"}),
        ([("a", "akiec"), ("b", "scc")], {"a"}, {"scc"}),
        ([("a", "akiec"), ("b", "scc")], {}, {"akiec", "scc"}),
        ([("a", "akiec"), ("b", "akiec"), ("c", "scc")], {"a"}, {"akiec", "scc"}),
        ([("a", "akiec"), ("b", "nv")], {"a"}, {"akiec", "nv"}),
        ([("a", "akiec"), ("b", "akiec")], {"a", "b"}, {"akiec"}),
        ([], {}, set()),
    ],
)
def test_agreed_labels_of_merged_copies_know_which_are_coarse(
    copies: Sequence[tuple[str, str]], coarse: set[str], agreed: set[str]
) -> None:
    records = [make_record(image_id, label=label) for image_id, label in copies]
    assert agreed_labels(records, frozenset(coarse)) == agreed
