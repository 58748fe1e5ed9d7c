"""The PAD-UFES-20 adapter."""

from collections import Counter, defaultdict
from pathlib import Path

import pytest

from ml_models.classification import Modality
from ml_pipeline.data.sources import pad_ufes
from ml_pipeline.errors import SourceError
from ml_pipeline.synthetic import write_pad_ufes

HEADER = "patient_id,lesion_id,age,gender,fitspatrick,region,diagnostic,img_id,biopsed"
ROWS = (
    "PAT_2,7,30,FEMALE,5.0,FACE,SEK,PAT_2_7_1.png,True",
    "PAT_1,7,8,,,ARM,NEV,PAT_1_7_2.png,False",
)


@pytest.fixture
def folder(write, tmp_path: Path) -> Path:
    """Two patients with one lesion number, and a file that became a JPEG."""
    write("metadata.csv", "\r\n".join([HEADER, *ROWS]) + "\r\n")
    write("imgs_part_1/PAT_2_7_1.jpg", b"one")
    return tmp_path


def test_read_yields_typed_records_with_skin_type(folder: Path) -> None:
    first, second = pad_ufes.read(folder).records
    assert (first.image_id, first.label, first.path) == ("PAD-UFES-20/PAT_1_7_2", "nv", "")
    assert (first.age_years, first.sex, first.fitzpatrick_type, first.diagnosis_method) == (8, "", None, "clinical")
    assert (second.image_id, second.label) == ("PAD-UFES-20/PAT_2_7_1", "bkl")
    assert second.path == str(folder / "imgs_part_1" / "PAT_2_7_1.jpg")
    assert (second.age_years, second.sex, second.fitzpatrick_type, second.site) == (30, "female", 5, "face")
    assert (second.modality, second.diagnosis_method) == (Modality.CLINICAL, "histopathology")
    assert second.patient_id == "PAD-UFES-20/PAT_2"


def test_read_one_lesion_number_of_two_patients_is_two_lesions(folder: Path) -> None:
    assert len({record.lesion_id for record in pad_ufes.read(folder).records}) == 2


@pytest.mark.parametrize(
    "file",
    [
        "imgs_part_2/PAT_1_7_2.png",
        "imgs_part_3/imgs_part_3/PAT_1_7_2.PNG",
        "images/imgs_part_1/imgs_part_1/PAT_1_7_2.webp",
        "PAT_1_7_2.jpeg",
    ],
)
def test_read_finds_photos_in_every_layout(write, folder: Path, file: str) -> None:
    path = write(file, b"two")
    assert pad_ufes.read(folder).records[0].path == str(path)


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        pytest.param(
            "PAT_3,9,30,MALE,2,ARM,NEV,PAT_1_7_2.jpg,True", "PAT_1_7_2 occurs twice, first in row 3", id="twice"
        ),
        pytest.param("PAT_3,9,30,MALE,2,ARM,XXX,PAT_3_9_1.png,True", "diagnostic 'XXX' is none of ack", id="label"),
        pytest.param("PAT_3,9,30,MALE,7,ARM,NEV,PAT_3_9_1.png,True", "fitspatrick '7'", id="skin type"),
        pytest.param("PAT_3,9,30,MALE,2.5,ARM,NEV,PAT_3_9_1.png,True", "fitspatrick '2.5'", id="half a skin type"),
        pytest.param("PAT_3,9,-3,MALE,2,ARM,NEV,PAT_3_9_1.png,True", "age '-3'", id="age"),
        pytest.param(" ,9,30,MALE,2,ARM,NEV,PAT_3_9_1.png,True", "patient_id is empty", id="patient"),
        pytest.param("PAT_3,9,30,MALE,2,ARM,NEV,,True", "img_id is empty", id="image"),
        pytest.param("PAT_3,9,30,MALE,2,ARM,NEV,PAT_3_9_1.png,perhaps", "biopsed 'perhaps'", id="biopsed"),
    ],
)
def test_read_malformed_row_is_refused(write, folder: Path, row: str, complaint: str) -> None:
    write("metadata.csv", "\n".join([HEADER, *ROWS, row]) + "\n")
    with pytest.raises(SourceError, match=rf"metadata\.csv, row 4: {complaint}"):
        pad_ufes.read(folder)


def test_read_no_metadata_says_where_to_point(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="Point --pad-ufes"):
        pad_ufes.read(tmp_path)


def test_read_drawn_download_is_whole(tmp_path: Path) -> None:
    reading = pad_ufes.read(write_pad_ufes(tmp_path, lesions_per_class=1, seed=4))
    assert Counter(record.label for record in reading.records) == dict.fromkeys(
        ("akiec", "bcc", "bkl", "mel", "nv", "scc"), 2
    )
    assert (reading.missing, reading.unlisted) == ((), ())
    patients = defaultdict(set)
    for record in reading.records:
        patients[record.lesion_id.rpartition("/")[2]].add(record.patient_id)
    assert max(map(len, patients.values())) == 2


@pytest.mark.shared_data
def test_read_real_partial_download_has_the_known_counts(shared_data: Path) -> None:
    reading = pad_ufes.read(shared_data / "PAD-UFES-20")
    present = [record for record in reading.records if record.path]
    assert (len(reading.records), len(present), len(reading.unlisted)) == (1577, 747, 0)
    assert Counter(record.label for record in present) == {
        "akiec": 183, "bcc": 234, "mel": 30, "nv": 139, "scc": 51, "bkl": 110
    }  # fmt: skip


@pytest.mark.shared_data
def test_read_real_lesions_have_one_patient_one_site_and_one_label(shared_data: Path) -> None:
    facts = defaultdict(set)
    for record in pad_ufes.read(shared_data / "PAD-UFES-20").records:
        facts[record.lesion_id].add((record.patient_id, record.site, record.label))
    assert len(facts) == 1293
    assert all(len(fact) == 1 for fact in facts.values())
