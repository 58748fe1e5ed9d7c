"""The ISIC 2019 adapter."""

from collections import Counter
from pathlib import Path

import pytest

from ml_pipeline.data.sources import ham10000, isic2019
from ml_pipeline.errors import SourceError
from ml_pipeline.synthetic import write_ham10000, write_isic2019

TRUTH = """image,MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK
ISIC_0000002,0.0,0.0,0.0,1.0,0.0,0.0,0.0,0.0,0.0
ISIC_0000001_downsampled,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0,0.0
ISIC_0000003,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0
"""
METADATA = """image,age_approx,anatom_site_general,lesion_id,sex
ISIC_0000001_downsampled,0,Head/Neck,,female
ISIC_0000002,,,BCN_7,
ISIC_0000003,55,,BCN_8,male
"""
PHOTOS = "ISIC_2019_Training_Input"


@pytest.fixture
def folder(write, tmp_path: Path) -> Path:
    """Three rows, one of them UNK, and the files of all."""
    write("ISIC_2019_Training_GroundTruth.csv", TRUTH)
    write("ISIC_2019_Training_Metadata.csv", METADATA)
    for name in ("ISIC_0000001_downsampled", "ISIC_0000002", "ISIC_0000003"):
        write(f"{PHOTOS}/{name}.jpg", name.encode())
    return tmp_path


def test_read_yields_typed_records_under_canonical_ids(folder: Path) -> None:
    first, second = isic2019.read(folder).records
    assert (first.image_id, first.label, first.lesion_id) == ("ISIC_0000001", "scc", "")
    assert (first.age_years, first.sex, first.site) == (0, "female", "head/neck")
    assert first.path == str(folder / PHOTOS / "ISIC_0000001_downsampled.jpg")
    assert (second.image_id, second.label, second.lesion_id) == ("ISIC_0000002", "akiec", "BCN_7")
    assert (second.age_years, second.sex, second.site) == (None, "", "")


def test_read_leaves_out_unknown_class_and_its_file(folder: Path) -> None:
    assert isic2019.read(folder).unlisted == (folder / PHOTOS / "ISIC_0000003.jpg",)


def test_read_accepts_gender_for_sex(write, folder: Path) -> None:
    write("ISIC_2019_Training_Metadata.csv", METADATA.replace(",sex", ",gender"))
    assert [record.sex for record in isic2019.read(folder).records] == ["female", ""]


@pytest.mark.parametrize("place", [f"{PHOTOS}/{PHOTOS}", ".", PHOTOS.lower()])
def test_read_finds_photos_in_every_layout(write, tmp_path: Path, place: str) -> None:
    write("ISIC_2019_Training_GroundTruth.csv", TRUTH)
    write("ISIC_2019_Training_Metadata.csv", METADATA)
    path = write(f"{place}/ISIC_0000002.jpg", b"two")
    assert [record.path for record in isic2019.read(tmp_path).records] == ["", str(path)]


def test_read_photo_with_and_without_the_ending_is_refused(write, folder: Path) -> None:
    write(f"{PHOTOS}/ISIC_0000001.jpg", b"another size")
    with pytest.raises(SourceError, match="different files of one id, ISIC_0000001"):
        isic2019.read(folder)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        pytest.param(
            "0.0,1.0,0.0,0.0,0.0,0.0,0.0", "1.0,1.0,0.0,0.0,0.0,0.0,0.0", "row 2: exactly one", id="two classes"
        ),
        pytest.param("0.0,1.0,0.0,0.0,0.0,0.0,0.0", "0.0,0.0,0.0,0.0,0.0,0.0,0.0", "row 2: exactly one", id="no class"),
        pytest.param("1.0", "0.9", "row 2: AK '0.9' is neither 0 nor 1", id="probability"),
        pytest.param("1.0", "x", "row 2: AK 'x' is no number", id="text"),
        pytest.param("ISIC_0000003", "ISIC_0000001", "row 4: ISIC_0000001 occurs twice, first in row 3", id="twice"),
    ],
)
def test_read_malformed_truth_is_refused(write, folder: Path, old: str, new: str, complaint: str) -> None:
    assert old in TRUTH
    write("ISIC_2019_Training_GroundTruth.csv", TRUTH.replace(old, new, 1))
    with pytest.raises(SourceError, match=rf"GroundTruth\.csv, {complaint}"):
        isic2019.read(folder)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        pytest.param("ISIC_0000002", "ISIC_0000009", r"csv: no row for ISIC_0000002", id="no row"),
        pytest.param("ISIC_0000002", "ISIC_0000001", r"csv, row 3: ISIC_0000001 occurs twice", id="twice"),
        pytest.param("_downsampled,0,", "_downsampled,-5,", r"csv, row 2: age_approx '-5'", id="age"),
        pytest.param(",sex", ",gendre", r"csv: column 'sex' is missing", id="no sex"),
    ],
)
def test_read_malformed_metadata_is_refused(write, folder: Path, old: str, new: str, complaint: str) -> None:
    assert old in METADATA
    write("ISIC_2019_Training_Metadata.csv", METADATA.replace(old, new, 1))
    with pytest.raises(SourceError, match=rf"Metadata\.{complaint}"):
        isic2019.read(folder)


def test_read_without_metadata_is_refused(folder: Path) -> None:
    (folder / "ISIC_2019_Training_Metadata.csv").unlink()
    with pytest.raises(SourceError, match=r"No file .*Metadata\.csv\. Point --isic2019"):
        isic2019.read(folder)


def test_read_labels_need_the_truth_alone(write) -> None:
    truth = write("truth.csv", TRUTH)
    reading = isic2019.read_labels(truth)
    assert {record.image_id: record.label for record in reading.records} == {
        "ISIC_0000001": "scc",
        "ISIC_0000002": "akiec",
    }
    assert reading.labels_only
    assert reading.missing == ()
    assert reading.tables == (truth,)


def test_read_drawn_download_tells_ham10000s_akiec_from_scc(tmp_path: Path) -> None:
    write_ham10000(tmp_path, lesions_per_class=1, seed=3)
    ham = {r.image_id: r for r in ham10000.read(tmp_path / "HAM10000").records}
    reading = isic2019.read(write_isic2019(tmp_path, lesions_per_class=1, elsewhere=3, seed=3))
    shared = {r.image_id: r for r in reading.records if r.image_id in ham}
    assert shared.keys() == ham.keys()
    assert {i for i, r in shared.items() if r.label != ham[i].label} == {
        i for i, r in shared.items() if r.label == "scc"
    }
    assert {i: r.lesion_id for i, r in shared.items()} == {i: r.lesion_id for i, r in ham.items()}
    others = [r for r in reading.records if r.image_id not in ham]
    assert len(others) == 3
    assert all(Path(r.path).stem.endswith("_downsampled") and not r.lesion_id for r in others)


@pytest.mark.shared_data
def test_read_real_partial_download_has_the_known_counts(shared_data: Path) -> None:
    reading = isic2019.read(shared_data / "ISIC2019")
    present = [record for record in reading.records if record.path]
    assert (len(reading.records), len(present), len(reading.unlisted)) == (25331, 9047, 0)
    assert sum(Path(record.path).stem.endswith("_downsampled") for record in present) == 2033
    assert sum(not record.lesion_id for record in reading.records) == 2084
    ham = {record.image_id: record for record in ham10000.read(shared_data / "HAM10000").records}
    assert sum(record.image_id in ham for record in present) == 6259
    by_id = [record for record in reading.records if record.image_id in ham]
    assert Counter(r.label for r in by_id if ham[r.image_id].label == "akiec") == {"akiec": 130, "scc": 197}
    assert all(record.lesion_id == ham[record.image_id].lesion_id for record in by_id)


@pytest.mark.shared_data
def test_read_labels_of_the_real_truth_have_the_known_counts(shared_data: Path) -> None:
    reading = isic2019.read_labels(shared_data / "ISIC2019" / "ISIC_2019_Training_GroundTruth.csv")
    assert Counter(record.label for record in reading.records) == {
        "akiec": 867, "bcc": 3323, "bkl": 2624, "df": 239, "mel": 4522, "nv": 12875, "scc": 628, "vasc": 253
    }  # fmt: skip
