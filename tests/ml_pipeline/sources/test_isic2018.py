"""The adapter of ISIC 2018 Task 3."""

from pathlib import Path

import pytest

from ml_pipeline.data.sources import ham10000, isic2018
from ml_pipeline.errors import SourceError
from ml_pipeline.synthetic import write_ham10000, write_isic2018

TRUTH_CSV = "ISIC2018_Task3_Training_GroundTruth.csv"
LESIONS_CSV = "ISIC2018_Task3_Training_LesionGroupings.csv"
TRUTH = """image,MEL,NV,BCC,AKIEC,BKL,DF,VASC
ISIC_0000002,0.0,0.0,0.0,1.0,0.0,0.0,0.0
ISIC_0000001,0.0,1.0,0.0,0.0,0.0,0.0,0.0
"""
LESIONS = """image,lesion_id,diagnosis_confirm_type
ISIC_0000001,HAM_1,serial imaging showing no change
ISIC_0000002,HAM_2,histopathology
"""


@pytest.fixture
def folder(write, tmp_path: Path) -> Path:
    """Two rows, one file, the lesions."""
    write(f"ISIC2018_Task3_Training_GroundTruth/{TRUTH_CSV}", TRUTH)
    write(LESIONS_CSV, LESIONS)
    write("ISIC2018_Task3_Training_Input/ISIC_0000001.jpg", b"one")
    return tmp_path


def test_read_yields_typed_records(folder: Path) -> None:
    reading = isic2018.read(folder)
    first, second = reading.records
    assert (first.image_id, first.label, first.lesion_id) == ("ISIC_0000001", "nv", "HAM_1")
    assert first.diagnosis_method == "follow_up"
    assert first.path == str(folder / "ISIC2018_Task3_Training_Input" / "ISIC_0000001.jpg")
    assert (second.label, second.lesion_id, second.path) == ("akiec", "HAM_2", "")
    assert [path.name for path in reading.tables] == [TRUTH_CSV, LESIONS_CSV]


def test_read_truth_may_lie_in_the_folder_itself(write, tmp_path: Path) -> None:
    write(TRUTH_CSV, TRUTH)
    assert [record.label for record in isic2018.read(tmp_path).records] == ["nv", "akiec"]


def test_read_without_lesions_leaves_them_empty(folder: Path) -> None:
    (folder / LESIONS_CSV).unlink()
    reading = isic2018.read(folder)
    assert {(record.lesion_id, record.diagnosis_method) for record in reading.records} == {("", "")}
    assert [path.name for path in reading.tables] == [TRUTH_CSV]


def test_read_incomplete_lesions_are_refused(write, folder: Path) -> None:
    write(LESIONS_CSV, LESIONS[: LESIONS.index("ISIC_0000002")])
    with pytest.raises(SourceError, match=r"LesionGroupings\.csv: no row for ISIC_0000002.*complete"):
        isic2018.read(folder)


@pytest.mark.parametrize(
    ("name", "old", "new", "complaint"),
    [
        pytest.param(TRUTH_CSV, "0001,0.0,1.0", "0001,1.0,1.0", "row 3: exactly one", id="two classes"),
        pytest.param(TRUTH_CSV, "ISIC_0000001", "ISIC_0000002", "row 3: ISIC_0000002 occurs twice", id="twice"),
        pytest.param(
            LESIONS_CSV, "ISIC_0000002", "ISIC_0000001", "row 3: ISIC_0000001 occurs twice", id="lesion twice"
        ),
        pytest.param(LESIONS_CSV, "histopathology", "palmistry", "row 3: .* 'palmistry' is none of", id="method"),
    ],
)
def test_read_malformed_row_is_refused(write, folder: Path, name: str, old: str, new: str, complaint: str) -> None:
    content = {TRUTH_CSV: TRUTH, LESIONS_CSV: LESIONS}[name]
    assert old in content
    path = next(folder.rglob(name))
    write(str(path.relative_to(folder)), content.replace(old, new, 1))
    with pytest.raises(SourceError, match=rf"{name}, {complaint}"):
        isic2018.read(folder)


def test_read_no_truth_says_where_to_point(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="Point --isic2018"):
        isic2018.read(tmp_path)


def test_read_drawn_download_is_ham10000_again(tmp_path: Path) -> None:
    write_ham10000(tmp_path, lesions_per_class=1, images_per_lesion=1, seed=3)
    ham = ham10000.read(tmp_path / "HAM10000").records
    again = isic2018.read(write_isic2018(tmp_path, lesions_per_class=1, images_per_lesion=1, seed=3)).records
    for old, new in zip(ham, again, strict=True):
        assert (old.image_id, old.label, old.lesion_id) == (new.image_id, new.label, new.lesion_id)
        assert old.diagnosis_method == new.diagnosis_method
        assert Path(old.path).read_bytes() == Path(new.path).read_bytes()
