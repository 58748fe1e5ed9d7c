"""The whole way from downloads to tables: repeatable to the byte, through kills, missing and broken files."""

import contextlib
import csv
import dataclasses
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from ml_models.classification import Modality
from ml_pipeline.data.build import Build, BuildOptions, build
from ml_pipeline.data.outputs import write_build
from ml_pipeline.data.proof import refuse_leakage
from ml_pipeline.data.quarantine import Kind
from ml_pipeline.data.records import Record, Split, of_split, read_records, write_records
from ml_pipeline.data.sources import folders, ham10000, isic2019
from ml_pipeline.data.sources.source import Reading
from ml_pipeline.data.split import SplitPlan
from ml_pipeline.errors import LeakageError, SourceError
from ml_pipeline.progress import silence
from ml_pipeline.synthetic import Scene, draw
from tests.ml_pipeline.data.conftest import Photo, SmallDownloads, encoded

TABLES = ("records.csv", "labels.csv", "quarantine.csv", "duplicates.csv", "dataset.json")
OPTIONS = BuildOptions(plan=SplitPlan(seed=5), labelled_pairs=0)
ROOT = Path(__file__).parents[3]
PATIENCE_S = 60.0


def built(readings: Sequence[Reading], folder: Path, options: BuildOptions = OPTIONS) -> Build:
    return build(readings, options, cache=folder / "cache.sqlite3", progress=silence)


def written(readings: Sequence[Reading], folder: Path, options: BuildOptions = OPTIONS) -> dict[str, bytes]:
    """Bytes of all tables."""
    write_build(built(readings, folder, options), folder / "out", report=False)
    return {path.name: path.read_bytes() for path in sorted((folder / "out").iterdir())}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_set(folder: Path, photos: dict[str, Photo | bytes]) -> Path:
    """One folder per class; `photos` by `class/name.suffix`."""
    for name, photo in photos.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(photo if isinstance(photo, bytes) else encoded(photo))
    return folder


def set_of(name: str, folder: Path) -> Reading:
    return folders.read(name, folder, modality=Modality.CLINICAL)


@pytest.fixture(scope="module")
def moles(lesions: Sequence[Photo]) -> dict[str, Photo]:
    """Sixteen unlike photos, half of them called nevus, half melanoma."""
    return {f"{('nevus', 'melanoma')[i % 2]}/{i:02d}.jpg": photo for i, photo in enumerate(lesions)}


@dataclasses.dataclass(frozen=True, slots=True)
class Reference:
    """One whole build by one process: where it lies, and its bytes."""

    folder: Path
    tables: dict[str, bytes]


@pytest.fixture(scope="module")
def reference(downloads: SmallDownloads, tmp_path_factory: pytest.TempPathFactory) -> Reference:
    folder = tmp_path_factory.mktemp("reference")
    return Reference(folder / "out", written(downloads.readings(), folder))


@dataclasses.dataclass(frozen=True, slots=True)
class SmallSet:
    """One folder per class, and the tables of its build."""

    own: Path
    tables: dict[str, bytes]


@pytest.fixture(scope="module")
def small_set(tmp_path_factory: pytest.TempPathFactory, moles: dict[str, Photo]) -> SmallSet:
    folder = tmp_path_factory.mktemp("small")
    copies = {f"{name[:-4]} copy.jpg": encoded(photo, quality=60) for name, photo in moles.items()}
    own = write_set(folder / "own", {**moles, **copies})
    return SmallSet(own, written([set_of("own", own)], folder))


# What a build leaves


def test_build_outputs_are_the_four_tables(reference: Reference) -> None:
    assert sorted(reference.tables) == sorted(TABLES)


def test_build_every_class_is_in_every_split_and_nothing_leaks(reference: Reference) -> None:
    records = read_records(reference.folder / "records.csv")
    labels = {record.label for record in records}
    assert labels == {"akiec", "bcc", "bkl", "df", "mel", "nv", "scc", "vasc", "tinea_corporis"}
    for split in Split:
        assert {record.label for record in of_split(records, split)} == labels
    copies = [
        (row["left_image"], row["right_image"])
        for row in rows(reference.folder / "duplicates.csv")
        if row["decision"] == "copy"
    ]
    refuse_leakage(records, [pair for pair in copies if pair[0] != pair[1]])


def test_build_every_listed_photo_is_in_the_table_or_left_out_with_a_reason(
    reference: Reference, downloads: SmallDownloads
) -> None:
    listed = {record.image_id for reading in downloads.readings() for record in reading.records}
    kept = {row["image_id"] for row in rows(reference.folder / "records.csv")}
    left_out = rows(reference.folder / "quarantine.csv")
    assert all(row["kind"] and row["reason"] for row in left_out)
    assert kept | {row["image_id"] for row in left_out} == listed
    assert not kept & {row["image_id"] for row in left_out}


def test_build_finds_the_copies_of_ids_in_three_sources(reference: Reference, downloads: SmallDownloads) -> None:
    ham = [record.image_id for record in downloads.readings()[0].records]
    pairs = rows(reference.folder / "duplicates.csv")
    same_file = [row["left_image"] for row in pairs if row["evidence"] == "same file"]
    same_id = [row["left_image"] for row in pairs if row["evidence"] == "same id"]
    assert sorted(set(same_file)) == sorted(ham)  # ISIC 2018 has the very files of HAM10000
    assert sorted(set(same_id)) == sorted(ham)  # ISIC 2019's are larger, every second one is cut
    records = {record.image_id: record for record in read_records(reference.folder / "records.csv")}
    for image_id in ham:
        assert records[image_id].sources == "HAM10000;ISIC2018;ISIC2019"


def test_build_summary_counts_what_the_tables_hold(reference: Reference, downloads: SmallDownloads) -> None:
    summary = json.loads(reference.tables["dataset.json"])
    records = read_records(reference.folder / "records.csv")
    assert summary["records"] == len(records)
    assert summary["groups"] == len({record.group for record in records})
    assert summary["counts"]["split"] == Counter(str(record.split) for record in records)
    assert summary["quarantined"] == Counter(row["kind"] for row in rows(reference.folder / "quarantine.csv"))
    assert set(summary["sources"]) == {reading.source for reading in downloads.readings()}
    assert summary["options"]["plan"]["seed"] == 5


def test_build_says_no_path_of_this_machine_in_the_summary(reference: Reference, downloads: SmallDownloads) -> None:
    text = reference.tables["dataset.json"].decode()
    assert str(downloads.ham10000.parent) not in text
    assert str(reference.folder.parent) not in text


# The same bytes


def test_build_again_gives_the_same_bytes(reference: Reference, downloads: SmallDownloads, tmp_path: Path) -> None:
    assert written(downloads.readings(), tmp_path) == reference.tables


def test_build_with_everything_in_the_cache_gives_the_same_bytes(
    reference: Reference, downloads: SmallDownloads, tmp_path: Path
) -> None:
    shutil.copy(reference.folder.parent / "cache.sqlite3", tmp_path)
    assert written(downloads.readings(), tmp_path) == reference.tables


def test_build_by_two_processes_gives_the_same_bytes(
    reference: Reference, downloads: SmallDownloads, tmp_path: Path
) -> None:
    assert written(downloads.readings(), tmp_path, dataclasses.replace(OPTIONS, workers=2)) == reference.tables


@pytest.fixture(scope="module")
def in_another_order(downloads: SmallDownloads, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Tables of the same sources, the last first."""
    return written(downloads.readings()[::-1], tmp_path_factory.mktemp("reversed"))


@pytest.mark.parametrize("table", TABLES)
def test_build_with_the_readings_in_another_order_gives_the_same_bytes(
    reference: Reference, in_another_order: dict[str, bytes], table: str
) -> None:
    assert in_another_order[table] == reference.tables[table]


def test_build_another_seed_is_another_split_of_the_same_photos(
    reference: Reference, downloads: SmallDownloads, tmp_path: Path
) -> None:
    options = dataclasses.replace(OPTIONS, plan=SplitPlan(seed=6))
    ours, other = read_records(reference.folder / "records.csv"), built(downloads.readings(), tmp_path, options).records
    assert [(r.image_id, r.group, r.cluster) for r in ours] == [(r.image_id, r.group, r.cluster) for r in other]
    assert [r.split for r in ours] != [r.split for r in other]


def test_build_measures_labelled_pairs_on_training_photos_alone(
    small_set: SmallSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = []

    def measuring(paths, **options):
        given.append((paths, options["seed"]))

    monkeypatch.setattr("ml_pipeline.data.build.measure", measuring)
    result = built([set_of("own", small_set.own)], tmp_path, dataclasses.replace(OPTIONS, labelled_pairs=5))
    [(paths, seed)] = given
    trained = {Path(record.path): record.group for record in of_split(result.records, Split.TRAIN)}
    assert set(paths) <= set(trained)
    assert len({trained[path] for path in paths}) == len(paths) == 5  # one of a group: never two of one lesion
    assert seed == 5


# Kills

PROGRAM = """
import signal, sys
from pathlib import Path
from ml_models.classification import Modality
from ml_pipeline.data import outputs
from ml_pipeline.data.build import BuildOptions, build
from ml_pipeline.data.sources import folders
from ml_pipeline.data.split import SplitPlan

def main():
    stop, workers, own, folder = sys.argv[1:]

    def wait():
        print("here", flush=True)
        signal.pause()

    def stopping(items, *, what, total, unit):
        for number, item in enumerate(items):
            if what == stop and number == total // 2:
                wait()
            yield item

    if stop == "Writing":
        real = outputs.write_duplicates
        outputs.write_duplicates = lambda path, files, pairs, lesion_of: real(
            path, files, pairs, lambda image_id: wait() or lesion_of(image_id)
        )
    options = BuildOptions(plan=SplitPlan(seed=5), labelled_pairs=0, workers=int(workers))
    readings = [folders.read("own", Path(own), modality=Modality.CLINICAL)]
    result = build(readings, options, cache=Path(folder) / "cache.sqlite3", progress=stopping)
    outputs.write_build(result, Path(folder) / "out", report=False)

if __name__ == "__main__":
    main()
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Stopped:
    """How a build ended that was signalled, and which of its processes did not."""

    status: int
    still_running: list[str]


def stopped_at(step: str, own: Path, folder: Path, sent: signal.Signals, *, workers: int) -> Stopped:
    """Start a build of `own` in a session of its own, wait until it is amid a step, and signal it.

    As a terminal does, Ctrl-C goes to all processes of the session; a kill goes to the first alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "program.py").write_text(PROGRAM, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, str(folder / "program.py"), step, str(workers), str(own), str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
        (os.killpg if sent is signal.SIGINT else os.kill)(process.pid, sent)
        return Stopped(process.wait(PATIENCE_S), left_of_session(process.pid))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def left_of_session(session: int) -> list[str]:
    """Processes of a session that have not ended by themselves after some seconds."""
    for _ in range(200):
        left = [path.name for path in Path("/proc").glob("[0-9]*") if _runs_in(path, session)]
        if not left:
            break
        threading.Event().wait(0.05)
    return left


def _runs_in(process: Path, session: int) -> bool:
    """By proc(5): after the name in brackets come state, parent, group and session."""
    try:
        stat = (process / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:  # it has ended meanwhile
        return False
    state, _, _, its_session, *_ = stat.rpartition(")")[2].split()
    return int(its_session) == session and state != "Z"


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads Linux's table of processes")


@pytest.mark.slow
@needs_proc
@pytest.mark.parametrize(("step", "workers"), [("Verifying", 1), ("Comparing pixels", 1), ("Writing", 1)])
def test_build_killed_leaves_no_summary_and_goes_on_to_the_same_bytes(
    small_set: SmallSet, tmp_path: Path, step: str, workers: int
) -> None:
    assert stopped_at(step, small_set.own, tmp_path, signal.SIGKILL, workers=workers).status == -signal.SIGKILL
    assert not (tmp_path / "out" / "dataset.json").exists()
    assert (tmp_path / "cache.sqlite3").exists()
    tables = written([set_of("own", small_set.own)], tmp_path)
    assert {name: tables[name] for name in TABLES} == small_set.tables


@pytest.mark.slow
@needs_proc
def test_build_killed_leaves_no_orphaned_process(small_set: SmallSet, tmp_path: Path) -> None:
    assert stopped_at("Verifying", small_set.own, tmp_path, signal.SIGKILL, workers=2).still_running == []


@pytest.mark.slow
@needs_proc
@pytest.mark.parametrize(("step", "workers"), [("Verifying", 2), ("Writing", 1)])
def test_build_interrupted_leaves_nothing_half_written_and_no_process(
    small_set: SmallSet, tmp_path: Path, step: str, workers: int
) -> None:
    stopped = stopped_at(step, small_set.own, tmp_path, signal.SIGINT, workers=workers)
    assert stopped.status != 0
    assert stopped.still_running == []
    left = {path.name: path.read_bytes() for path in (tmp_path / "out").glob("*")}
    assert set(left) == ({"records.csv", "labels.csv", "quarantine.csv"} if step == "Writing" else set())
    assert all(left[name] == small_set.tables[name] for name in left)


# Missing and broken


@pytest.fixture
def damaged(downloads: SmallDownloads, tmp_path: Path) -> Path:
    """A copy of HAM10000 beside the labels of ISIC 2019."""
    shutil.copytree(downloads.ham10000, tmp_path / "HAM10000")
    return tmp_path / "HAM10000"


def ham_readings(folder: Path, downloads: SmallDownloads) -> list[Reading]:
    truth = downloads.isic2019 / "ISIC_2019_Training_GroundTruth.csv"
    return [ham10000.read(folder), isic2019.read_labels(truth)]


def test_build_missing_photos_stop_and_say_how_to_go_on(
    damaged: Path, downloads: SmallDownloads, tmp_path: Path
) -> None:
    photos = sorted(damaged.rglob("*.jpg"))
    for path in photos[::16]:
        path.unlink()
    with pytest.raises(SourceError, match=rf"HAM10000: 5 of 80 .*{photos[0].stem}.*--allow-missing"):
        built(ham_readings(damaged, downloads), tmp_path, OPTIONS)
    few = dataclasses.replace(OPTIONS, max_missing=0.1)
    assert len(built(ham_readings(damaged, downloads), tmp_path, few).records) == 75


def test_build_allowed_missing_photos_are_listed(damaged: Path, downloads: SmallDownloads, tmp_path: Path) -> None:
    gone = sorted(damaged.rglob("*.jpg"))[::8]
    for path in gone:
        path.unlink()
    result = built(ham_readings(damaged, downloads), tmp_path, dataclasses.replace(OPTIONS, allow_missing=True))
    no_file = [entry for entry in result.quarantined if entry.kind is Kind.NO_FILE]
    assert sorted(entry.image_id for entry in no_file) == sorted(path.stem for path in gone)
    assert len(result.records) == 80 - len(gone)


def test_build_a_photo_that_one_source_lacks_and_another_has_is_not_missing(
    damaged: Path, downloads: SmallDownloads, tmp_path: Path
) -> None:
    gone = sorted(damaged.rglob("*.jpg"))[:5]
    for path in gone:
        path.unlink()
    readings = [ham10000.read(damaged), isic2019.read(downloads.isic2019)]
    result = built(readings, tmp_path, dataclasses.replace(OPTIONS, allow_missing=True))
    assert not [entry for entry in result.quarantined if entry.kind is Kind.NO_FILE]
    assert {path.stem for path in gone} <= {record.image_id for record in result.records}


def test_build_broken_files_are_quarantined_and_never_copies(
    damaged: Path, downloads: SmallDownloads, tmp_path: Path, lesions: Sequence[Photo]
) -> None:
    photos = sorted(damaged.rglob("*.jpg"))
    photos[0].write_bytes(b"")
    photos[3].write_bytes(b"")
    photos[6].write_bytes(photos[6].read_bytes()[:900])
    photos[9].write_bytes(b"<html>404</html>")
    photos[12].write_bytes(encoded(lesions[0], "PNG"))
    photos[15].write_bytes(encoded(np.full((72, 96, 3), 77, np.uint8)))
    photos[18].write_bytes(encoded(lesions[0][:50, :60]))
    (damaged / "HAM10000_images_part_1" / "ISIC_0000000.jpg").write_bytes(b"nobody lists it")
    tables = written(ham_readings(damaged, downloads), tmp_path, OPTIONS)
    left_out = {row["image_id"]: row["kind"] for row in rows(tmp_path / "out" / "quarantine.csv")}
    assert left_out == {
        **dict.fromkeys((photos[0].stem, photos[3].stem), "empty"),
        photos[6].stem: "truncated",
        photos[9].stem: "unreadable",
        photos[12].stem: "wrong suffix",
        photos[15].stem: "blank",
        photos[18].stem: "too small",
        "ISIC_0000000": "not listed",
    }
    paired = {row[side] for row in rows(tmp_path / "out" / "duplicates.csv") for side in ("left_image", "right_image")}
    assert not paired & set(left_out)
    assert json.loads(tables["dataset.json"])["quarantined"] == Counter(left_out.values())
    assert not {row["image_id"] for row in rows(tmp_path / "out" / "records.csv")} & set(left_out)


# Copies whose labels differ


def test_build_copies_with_conflicting_labels_are_all_left_out(tmp_path: Path, moles: dict[str, Photo]) -> None:
    again = {"melanoma/again.jpg": np.ascontiguousarray(np.rot90(moles["nevus/00.jpg"]))}
    result = built([set_of("own", write_set(tmp_path / "own", {**moles, **again}))], tmp_path, OPTIONS)
    conflict = [entry for entry in result.quarantined if entry.kind is Kind.CONFLICTING_LABELS]
    assert {entry.image_id for entry in conflict} == {"own/nevus/00", "own/melanoma/again"}
    assert all("own/nevus/00 is nv" in e.reason and "own/melanoma/again is mel" in e.reason for e in conflict)
    assert len(result.records) == 15


def test_build_a_coarse_akiec_takes_the_finer_label_of_its_copy(
    damaged: Path, downloads: SmallDownloads, tmp_path: Path
) -> None:
    """HAM10000 alone says akiec; the same photo elsewhere, under another id, says scc."""
    reading = ham10000.read(damaged)
    coarse = next(record for record in reading.records if record.label == "akiec")
    siblings = [record for record in reading.records if record.lesion_id == coarse.lesion_id]
    photos: dict[str, Photo | bytes] = {"scc/copy.jpg": Path(coarse.path).read_bytes()}
    for number in range(6):
        photos[f"scc/{number}.jpg"] = draw(Scene(lesion="scc", hair=4), width_px=96, height_px=72, seed=70 + number)
    result = built([reading, set_of("own", write_set(tmp_path / "own", photos))], tmp_path, OPTIONS)
    labels = {record.image_id: record.label for record in result.records}
    assert (labels[coarse.image_id], labels["own/scc/copy"]) == ("scc", "scc")
    assert len(siblings) == 2
    for cluster in {record.cluster for record in result.records if record.cluster}:
        assert len({record.label for record in result.records if record.cluster == cluster}) == 1, cluster


# A later build


def test_build_previous_keeps_every_split_when_data_are_added(
    reference: Reference, downloads: SmallDownloads, tmp_path: Path, lesions: Sequence[Photo]
) -> None:
    previous = reference.folder / "records.csv"
    before = read_records(previous)
    copied = next(record for record in before if record.split is Split.TEST and record.label == "nv")
    photos: dict[str, Photo | bytes] = {f"nevus/{i}.jpg": photo for i, photo in enumerate(lesions)}
    photos["nevus/copy.jpg"] = Path(copied.path).read_bytes()
    readings = [*downloads.readings(), set_of("later", write_set(tmp_path / "later", photos))]
    options = dataclasses.replace(OPTIONS, previous=previous)
    after = {record.image_id: record for record in built(readings, tmp_path, options).records}
    assert {r.image_id: after[r.image_id].split for r in before} == {r.image_id: r.split for r in before}
    assert len(after) == len(before) + len(lesions) + 1
    assert after["later/nevus/copy"].split is Split.TEST
    tables = written(readings, tmp_path, options)
    assert json.loads(tables["dataset.json"])["previous"]["kept"] == len(before)


def _two_of_different_splits(records: Sequence[Record]) -> tuple[Record, Record]:
    train, test = (next(r for r in of_split(records, s) if r.label == "nv") for s in (Split.TRAIN, Split.TEST))
    return train, test


@pytest.fixture(scope="module")
def first_of_moles(tmp_path_factory: pytest.TempPathFactory, moles: dict[str, Photo]) -> tuple[Path, Path]:
    """The folder of a small set and the table that was built of it."""
    folder = tmp_path_factory.mktemp("moles")
    own = write_set(folder / "own", dict(moles))
    write_records(built([set_of("own", own)], folder, OPTIONS).records, folder / "records.csv")
    return own, folder / "records.csv"


def test_build_previous_a_new_copy_of_two_splits_is_quarantined_and_the_old_ones_stay(
    first_of_moles: tuple[Path, Path], tmp_path: Path
) -> None:
    """One new id whose two files are copies of a training and of a test photo."""
    own, table = first_of_moles
    before = read_records(table)
    train, test = _two_of_different_splits(before)
    new = [
        set_of(name, write_set(tmp_path / name, {"nevus/ISIC_0000077.jpg": Path(old.path).read_bytes()}))
        for name, old in (("later", train), ("latest", test))
    ]
    options = dataclasses.replace(OPTIONS, previous=table)
    result = built([set_of("own", own), *new], tmp_path, options)
    assert {record.image_id: record.split for record in result.records} == {r.image_id: r.split for r in before}
    [entry] = [entry for entry in result.quarantined if entry.kind is Kind.BETWEEN_SPLITS]
    assert entry.image_id == "ISIC_0000077"


def test_build_previous_linked_old_photos_stop_the_build_and_are_named(
    first_of_moles: tuple[Path, Path], tmp_path: Path
) -> None:
    own, table = first_of_moles
    train, test = _two_of_different_splits(read_records(table))
    folder = tmp_path / "own"
    shutil.copytree(own, folder)
    relative = Path(test.path).relative_to(own)
    (folder / relative).write_bytes(Path(train.path).read_bytes())
    with pytest.raises(LeakageError) as refusal:
        built([set_of("own", folder)], tmp_path, dataclasses.replace(OPTIONS, previous=table))
    assert all(f"{record.image_id} ({record.split})" in str(refusal.value) for record in (train, test))


def test_build_previous_a_new_copy_with_another_label_leaves_and_the_old_one_stays(
    first_of_moles: tuple[Path, Path], tmp_path: Path
) -> None:
    own, table = first_of_moles
    before = read_records(table)
    _, test = _two_of_different_splits(before)
    later = set_of("later", write_set(tmp_path / "later", {"melanoma/copy.jpg": Path(test.path).read_bytes()}))
    result = built([set_of("own", own), later], tmp_path, dataclasses.replace(OPTIONS, previous=table))
    assert {record.image_id: record.split for record in result.records} == {r.image_id: r.split for r in before}
    [entry] = result.quarantined
    assert (entry.image_id, entry.kind) == ("later/melanoma/copy", Kind.CONFLICTING_LABELS)


def test_build_previous_table_that_is_not_there_is_refused(first_of_moles: tuple[Path, Path], tmp_path: Path) -> None:
    own, _ = first_of_moles
    options = dataclasses.replace(OPTIONS, previous=tmp_path / "none.csv")
    with pytest.raises(SourceError, match=r"No records file at .*none\.csv"):
        built([set_of("own", own)], tmp_path, options)


def test_build_clusters_are_one_group_each(reference: Reference) -> None:
    records = read_records(reference.folder / "records.csv")
    for _, cluster in itertools.groupby(sorted(records, key=lambda r: r.cluster), key=lambda r: r.cluster):
        members = list(cluster)
        assert not members[0].cluster or len({(record.group, record.label) for record in members}) == 1


def mapped(name: str, folder: Path, rows: str) -> Reading:
    """A set with a mapping that says how dangerous its classes are."""
    mapping = folder.with_suffix(".csv")
    mapping.write_text(f"folder,label,malignant\n{rows}\n", encoding="utf-8")
    return folders.read(name, folder, modality=Modality.CLINICAL, mapping=mapping)


def test_build_labels_are_those_of_the_records_with_what_mappings_say(moles: dict[str, Photo], tmp_path: Path) -> None:
    photos = {f"{('wart', 'nevus')[n % 2]}/{n}.jpg": photo for n, photo in enumerate(moles.values())}
    folder = write_set(tmp_path / "own", {**photos, "scar/1.jpg": b"no photo"})
    result = built([mapped("own", folder, "wart,wart,no\nnevus,nv,\nscar,scar,no")], tmp_path)
    assert [(label.code, label.malignant) for label in result.labels] == [("nv", False), ("wart", False)]


def test_build_mappings_that_contradict_each_other_are_refused_before_a_photo_is_opened(
    moles: dict[str, Photo], tmp_path: Path
) -> None:
    first, second = (write_set(tmp_path / name, {"wart/1.jpg": moles["nevus/00.jpg"]}) for name in ("a", "b"))
    readings = [mapped("a", first, "wart,wart,no"), mapped("b", second, "wart,wart,yes")]
    with pytest.raises(SourceError, match=r"contradict.*malignant of wart.*a\.csv, row 2.*b\.csv, row 2"):
        built(readings, tmp_path)
    assert not (tmp_path / "cache.sqlite3").exists()
