"""One folder per class."""

from collections import Counter
from pathlib import Path

import pytest

from ml_models.classification import Modality, Severity
from ml_models.labels import BY_CODE, Label
from ml_pipeline.data.label_table import labels_from
from ml_pipeline.data.sources import folders
from ml_pipeline.data.sources.source import Reading
from ml_pipeline.errors import SourceError
from ml_pipeline.synthetic import write_class_folders


def _read(folder: Path, mapping: Path | None = None) -> Reading:
    return folders.read("mine", folder, modality=Modality.CLINICAL, mapping=mapping)


def test_read_yields_a_record_for_each_photo(write, tmp_path: Path) -> None:
    path = write("data/Melanoma/a b.JPG", b"one")
    (record,) = _read(tmp_path / "data").records
    assert (record.source, record.image_id, record.label) == ("mine", "mine/Melanoma/a b", "mel")
    assert (record.path, record.modality) == (str(path), Modality.CLINICAL)
    assert (record.lesion_id, record.patient_id, record.train_only) == ("", "", False)


def test_read_class_is_the_folder_that_holds_the_photo(write, tmp_path: Path) -> None:
    write("data/train/nevus/1.jpg", b"one")
    write("data/test/nevus/1.jpg", b"two")
    records = _read(tmp_path / "data").records
    assert [(record.image_id, record.label) for record in records] == [
        ("mine/test/nevus/1", "nv"),
        ("mine/train/nevus/1", "nv"),
    ]


def test_read_isic_ids_stand_for_themselves(write, tmp_path: Path) -> None:
    write("data/nevus/ISIC_0000007_downsampled.jpg", b"one")
    assert [record.image_id for record in _read(tmp_path / "data").records] == ["ISIC_0000007"]


def test_read_records_come_in_order_of_ids(write, tmp_path: Path) -> None:
    write("data/melanoma/1.jpg", b"one")
    write("data/nevus/ISIC_0000007.jpg", b"two")
    assert [record.image_id for record in _read(tmp_path / "data").records] == ["ISIC_0000007", "mine/melanoma/1"]


def test_read_isic_id_twice_in_one_class_is_one_photo_if_identical(write, tmp_path: Path) -> None:
    first = write("data/test/nevus/ISIC_0000007.jpg", b"one")
    write("data/train/nevus/ISIC_0000007.jpg", b"one")
    reading = _read(tmp_path / "data")
    assert [record.path for record in reading.records] == [str(first)]
    assert reading.unlisted == ()


@pytest.mark.parametrize(
    ("name", "content"),
    [("nevus", b"two"), ("melanoma", b"one")],
    ids=["another file", "another class"],
)
def test_read_isic_id_twice_is_refused_otherwise(write, tmp_path: Path, name: str, content: bytes) -> None:
    write("data/a/nevus/ISIC_0000007.jpg", b"one")
    write(f"data/b/{name}/ISIC_0000007.jpg", content)
    with pytest.raises(SourceError, match=rf"a/nevus/ISIC_0000007\.jpg .*b/{name}/ISIC_0000007\.jpg .*Keep the right"):
        _read(tmp_path / "data")


def test_read_files_that_share_a_stem_keep_their_suffix(write, tmp_path: Path) -> None:
    for name in ("1.jpg", "1.png", "2.jpg"):
        write(f"data/nevus/{name}", name.encode())
    assert [r.image_id for r in _read(tmp_path / "data").records] == [
        "mine/nevus/1.jpg",
        "mine/nevus/1.png",
        "mine/nevus/2",
    ]


def test_read_passes_over_litter(write, tmp_path: Path) -> None:
    for name in ("nevus/1.jpg", "nevus/._1.jpg", "nevus/Thumbs.db", "__MACOSX/nevus/1.jpg", ".git/x.png"):
        write(f"data/{name}", name.encode())
    assert len(_read(tmp_path / "data").records) == 1


@pytest.mark.parametrize("stray", ["stray.jpg", "train/stray.jpg", "images/stray.png"])
def test_read_photo_outside_of_a_class_is_refused(write, tmp_path: Path, stray: str) -> None:
    write("data/nevus/1.jpg", b"one")
    write(f"data/{stray}", b"two")
    with pytest.raises(SourceError, match=rf"{stray} lies in no class folder\. Move it to .*/CLASS/stray"):
        _read(tmp_path / "data")


def test_read_folder_without_photos_is_refused(write, tmp_path: Path) -> None:
    write("data/nevus/readme.txt", b"text")
    with pytest.raises(SourceError, match="No photo below"):
        _read(tmp_path / "data")


def test_read_absent_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"No folder .*nowhere.*--folder mine=DIR"):
        _read(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["", "a/b", "a b", "a,b"])
def test_read_name_that_would_spoil_ids_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError, match="cannot name a data set"):
        folders.read(name, tmp_path, modality=Modality.CLINICAL)


def test_read_class_without_letters_is_refused(write, tmp_path: Path) -> None:
    write("data/&/1.jpg", b"one")
    with pytest.raises(SourceError, match="class folder '&' has no letter"):
        _read(tmp_path / "data")


def test_read_mapping_names_and_leaves_out_classes(write, tmp_path: Path) -> None:
    write("data/cancer/1.jpg", b"one")
    dropped = write("data/odd/1.jpg", b"two")
    write("data/ring worm/1.jpg", b"three")
    mapping = write(
        "mapping.csv",
        "folder,label,name,malignant,severity,advice\n"
        "cancer,Melanoma,,,,\nodd,,,,,\nring worm,Tinea corporis,Ringworm,no,Low,See a doctor.\n",
    )
    reading = _read(tmp_path / "data", mapping)
    assert [(r.image_id, r.label) for r in reading.records] == [
        ("mine/cancer/1", "mel"),
        ("mine/ring worm/1", "tinea_corporis"),
    ]
    assert reading.unlisted == (dropped,)
    assert reading.tables == (mapping,)
    assert labels_from(["mel", "tinea_corporis"], reading.labels) == (
        BY_CODE["mel"],
        Label("tinea_corporis", "Ringworm", malignant=False, severity=Severity.LOW, advice="See a doctor."),
    )


@pytest.mark.parametrize(
    ("column", "word"), [("malignant", "maybe"), ("malignant", "1"), ("severity", "awful")], ids=str
)
def test_read_mapping_word_that_means_nothing_is_refused(write, tmp_path: Path, column: str, word: str) -> None:
    write("data/nevus/1.jpg", b"one")
    mapping = write("mapping.csv", f"folder,label,{column}\nnevus,nv,{word}\n")
    with pytest.raises(SourceError, match=rf"mapping\.csv, row 2: {column} '{word}' is none of"):
        _read(tmp_path / "data", mapping)


def test_read_mapping_of_two_columns_names_classes_after_their_labels(write, tmp_path: Path) -> None:
    write("data/L07/1.jpg", b"one")
    mapping = write("mapping.csv", "folder,label\nL07,tinea corporis\n")
    (label,) = labels_from(["tinea_corporis"], _read(tmp_path / "data", mapping).labels)
    assert (label.name, label.malignant) == ("Tinea corporis", None)


def test_read_without_mapping_names_classes_after_their_folders(write, tmp_path: Path) -> None:
    write("data/train/Ring-Worm_(Arm)/1.jpg", b"one")
    write("data/test/ring_worm_arm/1.jpg", b"two")
    (label,) = labels_from(["ring_worm_arm"], _read(tmp_path / "data").labels)
    assert (label.name, label.malignant) == ("Ring Worm (Arm)", None)


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        pytest.param("nevus,nv", "no row for class folder 'wart'", id="folder not listed"),
        pytest.param("nevus,nv\nwart,wart\nscar,scar", "row 4: no folder 'scar' with photos", id="no such folder"),
        pytest.param("nevus,nv\nwart,wart\nwart,x", "row 4: wart occurs twice", id="listed twice"),
        pytest.param("nevus,nv\nwart,&", "row 3: label '&' has no letter", id="no label"),
    ],
)
def test_read_mapping_that_does_not_fit_is_refused(write, tmp_path: Path, rows: str, complaint: str) -> None:
    write("data/nevus/1.jpg", b"one")
    write("data/wart/1.jpg", b"two")
    mapping = write("mapping.csv", f"folder,label\n{rows}\n")
    with pytest.raises(SourceError, match=rf"mapping\.csv.*{complaint}"):
        _read(tmp_path / "data", mapping)


@pytest.mark.parametrize("count", [1, 5, 19])
def test_read_drawn_folders_of_any_number(tmp_path: Path, count: int) -> None:
    classes = [f"condition {number}" for number in range(count)]
    folder = write_class_folders(tmp_path, classes=classes, photos_per_class=1, parts=("train", "test"), seed=2)
    counts = Counter(record.label for record in _read(folder).records)
    assert counts == {f"condition_{number}": 2 for number in range(count)}
