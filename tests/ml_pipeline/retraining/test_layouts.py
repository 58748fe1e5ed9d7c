"""Every data set tells by its content what it is; what tells nothing, or too much, is refused."""

from pathlib import Path

import pytest

from ml_models.classification import Modality
from ml_pipeline.errors import SourceError
from ml_pipeline.retraining.layouts import layout_of, read_all
from ml_pipeline.synthetic import LESION_CODES, Downloads, write_class_folders, write_downloads


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Downloads:
    """One tiny download of every kind."""
    return write_downloads(tmp_path_factory.mktemp("sets"), seed=1)


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("ham10000", "HAM10000"),
        ("isic2019", "ISIC2019"),
        ("isic2018", "ISIC2018"),
        ("pad_ufes", "PAD-UFES-20"),
        ("reviews", "reviews"),
        ("class_folders", "class folders"),
    ],
)
def test_layout_of_every_download_is_told_by_its_content(downloads: Downloads, field: str, name: str) -> None:
    place: Path = getattr(downloads, field)
    renamed = place.rename(place.with_name("renamed"))
    try:
        assert layout_of(renamed).name == name
    finally:
        renamed.rename(place)


def test_read_all_reads_each_by_its_own_reader(downloads: Downloads) -> None:
    places = (downloads.reviews, downloads.class_folders, downloads.ham10000, downloads.pad_ufes)
    readings = read_all(places)
    assert [reading.source for reading in readings] == ["class_folders", "HAM10000", "PAD-UFES-20", "reviews"]
    assert all(reading.records for reading in readings)


def test_read_all_isic2019_without_its_metadata_tells_labels_only(downloads: Downloads, tmp_path: Path) -> None:
    truth = next(downloads.isic2019.glob("*GroundTruth.csv"))
    (tmp_path / truth.name).write_bytes(truth.read_bytes())
    (reading,) = read_all([tmp_path])
    assert reading.labels_only


def test_read_all_class_folders_are_clinical_unless_named(downloads: Downloads) -> None:
    (plain,) = read_all([downloads.class_folders])
    (named,) = read_all([downloads.class_folders], dermatoscopic=["class_folders"])
    assert {record.modality for record in plain.records} == {Modality.CLINICAL}
    assert {record.modality for record in named.records} == {Modality.DERMATOSCOPIC}


def test_read_all_class_folders_follow_the_mapping_beside_them(tmp_path: Path) -> None:
    folder = write_class_folders(tmp_path, classes=("spots", "moles"), photos_per_class=1, seed=1)
    (folder / "mapping.csv").write_text("folder,label\nspots,mel\nmoles,nv\n", encoding="utf-8")
    (reading,) = read_all([folder])
    assert {record.label for record in reading.records} == {"mel", "nv"}


def test_read_all_reviews_may_name_a_class_that_other_data_bring(downloads: Downloads, tmp_path: Path) -> None:
    table = downloads.reviews / "reviews.csv"
    export = tmp_path / "export"
    (export / "photos").mkdir(parents=True)
    text = table.read_text(encoding="utf-8").replace(f",{LESION_CODES[0]},", ",tinea_corporis,")
    (export / "reviews.csv").write_text(text, encoding="utf-8")
    read_all([export, downloads.class_folders])
    with pytest.raises(SourceError, match="tinea_corporis"):
        read_all([export])


def test_layout_of_nothing_known_names_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"HAM10000_metadata\.csv.*metadata\.csv with .*img_id.*reviews\.csv"):
        layout_of(tmp_path)


def test_layout_of_two_tables_in_one_folder_is_refused(tmp_path: Path) -> None:
    for name in ("HAM10000_metadata.csv", "reviews.csv"):
        (tmp_path / name).touch()
    with pytest.raises(SourceError, match="several data sets: HAM10000, reviews"):
        layout_of(tmp_path)


def test_layout_of_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is no folder"):
        layout_of(tmp_path / "absent")


def test_read_all_of_one_data_set_twice_is_refused(downloads: Downloads) -> None:
    with pytest.raises(SourceError, match="Several folders hold HAM10000"):
        read_all([downloads.ham10000, downloads.ham10000])


def test_read_all_of_an_unknown_dermatoscopic_name_is_refused(downloads: Downloads) -> None:
    with pytest.raises(SourceError, match="No class folders"):
        read_all([downloads.class_folders], dermatoscopic=["elsewhere"])
