"""The export of the app's reviewed predictions."""

from pathlib import Path

import pytest

from ml_models.classification import Modality
from ml_pipeline.data.sources import reviews
from ml_pipeline.errors import SourceError
from ml_pipeline.synthetic import write_reviews

CELLS = {
    "photo": "photos/1.jpg",
    "label": "mel",
    "diagnosis_method": "histopathology",
    "person": "p1",
    "lesion": "l1",
    "age_years": "40.5",
    "sex": "female",
    "site": "Left Arm",
    "fitzpatrick_type": "4",
    "modality": "clinical",
}


@pytest.fixture
def export(write, tmp_path: Path):
    """Write rows that differ from CELLS, and the file photos/1.jpg; gives the folder."""

    def exported(*changes: dict[str, str]) -> Path:
        rows = [",".join({**CELLS, **change}[column] for column in reviews.COLUMNS) for change in changes]
        write("reviews.csv", "\n".join([",".join(reviews.COLUMNS), *rows]) + "\n")
        write("photos/1.jpg", b"one")
        return tmp_path

    return exported


def test_read_yields_typed_records(export) -> None:
    folder = export({})
    (record,) = reviews.read(folder).records
    assert (record.source, record.image_id, record.label) == ("reviews", "reviews/photos/1", "mel")
    assert (record.path, record.modality) == (str(folder / "photos" / "1.jpg"), Modality.CLINICAL)
    assert (record.patient_id, record.lesion_id) == ("reviews/p1", "reviews/l1")
    assert (record.age_years, record.sex, record.site, record.fitzpatrick_type) == (40.5, "female", "left arm", 4)
    assert (record.diagnosis_method, record.train_only) == ("histopathology", False)


def test_read_photos_of_one_person_share_a_patient(export) -> None:
    folder = export({}, {"photo": "photos/2.jpg", "lesion": "l2"}, {"photo": "photos/3.jpg", "person": "p2"})
    assert [r.patient_id for r in reviews.read(folder).records] == ["reviews/p1", "reviews/p1", "reviews/p2"]


def test_read_anonymous_photo_serves_training_only(export) -> None:
    (record,) = reviews.read(export({"person": " ", "lesion": ""})).records
    assert (record.patient_id, record.lesion_id, record.train_only) == ("", "", True)


def test_read_gaps_are_not_known(export) -> None:
    gaps = dict.fromkeys(("diagnosis_method", "age_years", "sex", "site", "fitzpatrick_type"), "")
    (record,) = reviews.read(export(gaps)).records
    assert (record.diagnosis_method, record.age_years, record.sex, record.site) == ("", None, "", "")
    assert record.fitzpatrick_type is None


def test_read_row_without_file_is_kept_as_missing(export) -> None:
    reading = reviews.read(export({}, {"photo": "photos/2.jpg"}))
    assert [record.image_id for record in reading.missing] == ["reviews/photos/2"]


def test_read_file_without_row_is_unlisted(write, export) -> None:
    path = write("photos/9.jpg", b"nine")
    assert reviews.read(export({})).unlisted == (path,)


def test_read_foreign_label_is_accepted_only_if_named(export) -> None:
    folder = export({"label": "tinea"})
    assert reviews.read(folder, foreign_labels=["tinea"]).records[0].label == "tinea"
    with pytest.raises(SourceError, match="row 2: label 'tinea' is none of akiec"):
        reviews.read(folder)


@pytest.mark.parametrize(
    "photo",
    ["/etc/passwd", "../x.jpg", "photos/../../x.jpg", "C:/x.jpg", "C:x.jpg", "..\\x.jpg", "\\\\server\\x.jpg", "."],
)
def test_read_path_that_leaves_the_folder_is_refused(export, photo: str) -> None:
    with pytest.raises(SourceError, match=r"row 2: photo .* is no path below"):
        reviews.read(export({"photo": photo}))


def test_read_link_that_leaves_the_folder_is_refused(export, tmp_path: Path) -> None:
    folder = export({"photo": "photos/link.jpg"})
    (folder / "photos" / "link.jpg").symlink_to(tmp_path.parent / "outside.jpg")
    with pytest.raises(SourceError, match=r"row 2: photo 'photos/link.jpg' is a link out of"):
        reviews.read(folder)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"photo": ""}, "photo is empty"),
        ({"label": ""}, "label ''"),
        ({"label": "cancer"}, "label 'cancer'"),
        ({"modality": ""}, "modality ''"),
        ({"modality": "xray"}, "modality 'xray'"),
        ({"diagnosis_method": "guess"}, "diagnosis_method 'guess'"),
        ({"age_years": "121"}, "age_years '121'"),
        ({"sex": "x"}, "sex 'x'"),
        ({"fitzpatrick_type": "0"}, "fitzpatrick_type '0'"),
        ({"photo": "photos/1.png"}, "reviews/photos/1 occurs twice, first in row 2"),
    ],
)
def test_read_malformed_row_is_refused(export, change: dict[str, str], complaint: str) -> None:
    first = {} if "occurs" in complaint else {"photo": "photos/0.jpg"}
    with pytest.raises(SourceError, match=rf"reviews\.csv, row 3: {complaint}"):
        reviews.read(export(first, change))


def test_read_no_table_says_where_to_point(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"No file .*reviews\.csv\. Point --reviews"):
        reviews.read(tmp_path)


def test_read_drawn_export_is_whole(tmp_path: Path) -> None:
    reading = reviews.read(write_reviews(tmp_path, photos=8, seed=1))
    assert len(reading.records) == 8
    assert (reading.missing, reading.unlisted) == ((), ())
    assert [record.train_only for record in reading.records] == [False, False, False, True] * 2
