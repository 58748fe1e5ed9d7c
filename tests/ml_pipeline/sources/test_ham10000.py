"""The HAM10000 adapter on small tables, on drawn photos and, where they are, on the real ones."""

from collections import Counter
from pathlib import Path

import pytest

from ml_models.classification import Modality
from ml_pipeline.data.sources import ham10000
from ml_pipeline.errors import SourceError
from ml_pipeline.synthetic import HamLayout

HEADER = "lesion_id,image_id,dx,dx_type,age,sex,localization"
ROWS = (
    "HAM_2,ISIC_0000002,akiec,histo,80.0,male,scalp",
    "HAM_1,ISIC_0000001,nv,follow_up,,unknown,unknown",
)


@pytest.fixture
def folder(write, tmp_path: Path) -> Path:
    """Two rows and their two files."""
    write("HAM10000_metadata.csv", "\n".join([HEADER, *ROWS]) + "\n")
    write("HAM10000_images_part_1/ISIC_0000001.jpg", b"one")
    write("HAM10000_images_part_2/ISIC_0000002.jpg", b"two")
    return tmp_path


def test_read_yields_typed_records_sorted_by_id(folder: Path) -> None:
    first, second = ham10000.read(folder).records
    assert (first.image_id, first.label, first.lesion_id) == ("ISIC_0000001", "nv", "HAM_1")
    assert (first.age_years, first.sex, first.site, first.diagnosis_method) == (None, "", "", "follow_up")
    assert first.path == str(folder / "HAM10000_images_part_1" / "ISIC_0000001.jpg")
    assert (second.image_id, second.label, second.age_years) == ("ISIC_0000002", "akiec", 80)
    assert (second.sex, second.site, second.diagnosis_method) == ("male", "scalp", "histopathology")
    assert (second.source, second.modality, second.licence) == ("HAM10000", Modality.DERMATOSCOPIC, ham10000.LICENCE)
    assert (second.patient_id, second.train_only) == ("", False)


@pytest.mark.parametrize(
    "file",
    [
        pytest.param("HAM10000_images_part_1/ISIC_0000001.jpg", id="Kaggle"),
        pytest.param("ham10000_images_part_1/ISIC_0000001.jpg", id="Kaggle's lower-case twin"),
        pytest.param("HAM10000_images/ISIC_0000001.jpg", id="one folder"),
        pytest.param("HAM10000_images_part_1/HAM10000_images_part_1/ISIC_0000001.jpg", id="unzipped into a folder"),
        pytest.param("ISIC_0000001.jpg", id="beside the table"),
    ],
)
def test_read_finds_photos_in_every_layout(write, tmp_path: Path, file: str) -> None:
    write("HAM10000_metadata.csv", f"{HEADER}\n{ROWS[1]}\n")
    path = write(file, b"one")
    (record,) = ham10000.read(tmp_path).records
    assert record.path == str(path)


@pytest.mark.parametrize("name", ["HAM10000_metadata.csv", "HAM10000_metadata.tab", "HAM10000_metadata"])
@pytest.mark.parametrize("delimiter", [",", "\t"], ids=["commas", "tabs"])
def test_read_accepts_both_publishers_tables(write, tmp_path: Path, name: str, delimiter: str) -> None:
    table = write(name, "\n".join([f"{HEADER},dataset", f"{ROWS[0]},rosendahl"]).replace(",", delimiter))
    reading = ham10000.read(tmp_path)
    assert [record.site for record in reading.records] == ["scalp"]
    assert reading.tables == (table,)


def test_read_kaggles_twin_folders_are_one_photo(write, folder: Path) -> None:
    write("ham10000_images_part_1/ISIC_0000001.jpg", b"one")
    reading = ham10000.read(folder)
    assert len(reading.records) == 2
    assert reading.unlisted == ()


def test_read_different_files_of_one_id_are_refused(write, folder: Path) -> None:
    write("ham10000_images_part_1/ISIC_0000001.jpg", b"another")
    with pytest.raises(SourceError, match="different files of one id, ISIC_0000001"):
        ham10000.read(folder)


def test_read_row_without_file_is_kept_as_missing(folder: Path) -> None:
    (folder / "HAM10000_images_part_2" / "ISIC_0000002.jpg").unlink()
    reading = ham10000.read(folder)
    assert len(reading.records) == 2
    assert [record.image_id for record in reading.missing] == ["ISIC_0000002"]


def test_read_file_without_row_is_unlisted(write, folder: Path) -> None:
    path = write("HAM10000_images_part_2/ISIC_0000003.jpg", b"three")
    assert ham10000.read(folder).unlisted == (path,)


def test_read_passes_over_masks_of_the_same_ids(write, folder: Path) -> None:
    write("HAM10000_masks/ISIC_0000001.png", b"mask")
    reading = ham10000.read(folder)
    assert (reading.missing, reading.unlisted) == ((), ())


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        pytest.param(
            "HAM_1, ISIC_0000001 ,nv,histo,5,male,ear", "row 4: ISIC_0000001 occurs twice.*10,015", id="twice"
        ),
        pytest.param("HAM_1,ISIC_0000003,scc,histo,5,male,ear", "row 4: dx 'scc' is none of akiec", id="label"),
        pytest.param("HAM_1,ISIC_0000003,nv,guess,5,male,ear", "row 4: dx_type 'guess'", id="method"),
        pytest.param("HAM_1,ISIC_0000003,nv,histo,500,male,ear", "row 4: age '500'", id="age"),
        pytest.param("HAM_1,ISIC_0000003,nv,histo,5,4,ear", "row 4: sex '4'", id="sex"),
        pytest.param(",ISIC_0000003,nv,histo,5,male,ear", "row 4: lesion_id is empty", id="lesion"),
        pytest.param("HAM_1,,nv,histo,5,male,ear", "row 4: image_id ''", id="no id"),
        pytest.param("HAM_1,photo3,nv,histo,5,male,ear", "row 4: image_id 'photo3'", id="no registry number"),
        pytest.param("HAM_1,ISIC_0000003,nv", "row 4: 3 cells", id="cut off"),
    ],
)
def test_read_malformed_row_is_refused(write, folder: Path, row: str, complaint: str) -> None:
    write("HAM10000_metadata.csv", "\n".join([HEADER, *ROWS, row]) + "\n")
    with pytest.raises(SourceError, match=rf"HAM10000_metadata\.csv, {complaint}"):
        ham10000.read(folder)


def test_read_no_metadata_says_where_to_point(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"HAM10000_metadata\.csv\. Point --ham10000"):
        ham10000.read(tmp_path)


def test_read_drawn_download_is_whole(tiny_layout: HamLayout) -> None:
    reading = ham10000.read(tiny_layout.metadata_csv.parent)
    counts = Counter(record.label for record in reading.records)
    assert counts == {**dict.fromkeys(("bcc", "bkl", "df", "mel", "nv", "vasc"), 16), "akiec": 32}
    assert (reading.missing, reading.unlisted) == ((), ())


@pytest.mark.shared_data
def test_read_real_download_has_the_known_counts(shared_data: Path) -> None:
    reading = ham10000.read(shared_data / "HAM10000")
    counts = Counter(record.label for record in reading.records)
    assert counts == {"akiec": 327, "bcc": 514, "bkl": 1099, "df": 115, "mel": 1113, "nv": 6705, "vasc": 142}
    assert len({record.lesion_id for record in reading.records}) == 7470
    assert (reading.missing, reading.unlisted) == ((), ())
    assert Counter(record.diagnosis_method for record in reading.records) == {
        "histopathology": 5340, "follow_up": 3704, "consensus": 902, "confocal": 69
    }  # fmt: skip
