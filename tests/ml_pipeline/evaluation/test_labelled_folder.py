"""Any folder with a table of labels: names, labels, groups, and what is said of rows that cannot be used."""

from pathlib import Path

import pytest

from ml_models.classification import Modality, Severity
from ml_models.labels import CATALOGUE, Label
from ml_pipeline.data.records import Record
from ml_pipeline.errors import SourceError
from ml_pipeline.evaluation.labelled_folder import LabelledFolder, read_labelled_folder

FOREIGN = (
    Label("wart", "Common wart", malignant=None, severity=Severity.MODERATE, advice="See.", aliases=("verruca",)),
    Label("acne", "Acne", malignant=None, severity=Severity.LOW, advice="See."),
)


@pytest.fixture
def folder(tmp_path: Path, drawn_photos: list[Path]) -> Path:
    """Drawn photos as ISIC_0000001.jpg, b.jpg, deep/c.JPG and deep/d.e.png."""
    place = tmp_path / "folder"
    for photo, name in zip(drawn_photos, ("ISIC_0000001.jpg", "b.jpg", "deep/c.JPG", "deep/d.e.png"), strict=False):
        target = place / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(photo.read_bytes())
    return place


def _read(folder: Path, text: str, **options: object) -> LabelledFolder:
    table = folder.parent / "labels.csv"
    table.write_text(text, encoding="utf-8")
    return read_labelled_folder(folder, table, options.pop("labels", CATALOGUE), **options)  # type: ignore[arg-type]


def _only(found: LabelledFolder) -> Record:
    (record,) = found.records
    return record


@pytest.mark.parametrize(
    "name",
    ["deep/c.JPG", "c.JPG", "c.jpg", "c", "c.png", "./deep/c", "deep\\c.JPG"],
)
def test_read_finds_a_photo_however_the_table_writes_it(folder: Path, name: str) -> None:
    assert Path(_only(_read(folder, f"image,label\n{name},nv\n")).path) == folder / "deep" / "c.JPG"


@pytest.mark.parametrize("name", ["ISIC_0000001", "ISIC_0000001_downsampled", "isic_0000001.png"])
def test_read_finds_an_isic_number(folder: Path, name: str) -> None:
    found = _read(folder, f"isic_id,dx\n{name},nv\n")
    assert _only(found).modality is Modality.DERMATOSCOPIC
    assert found.modality_assumed


def test_read_keeps_other_dots_of_a_name(folder: Path) -> None:
    assert Path(_only(_read(folder, "image,label\nd.e,nv\n")).path).name == "d.e.png"


@pytest.mark.parametrize("column", ["image", "image_id", "isic_id", "filename", "img_id", "Image"])
@pytest.mark.parametrize("label", ["label", "dx", "diagnosis", "diagnostic", "Diagnosis"])
def test_read_knows_the_usual_columns(folder: Path, column: str, label: str) -> None:
    assert _only(_read(folder, f"{column},{label}\nb,MEL\n")).label == "mel"


@pytest.mark.parametrize(
    ("text", "code"), [("ACK", "akiec"), ("nev", "nv"), ("Melanoma", "mel"), ("seborrheic keratosis", "bkl")]
)
def test_read_knows_the_labels_of_other_data_sets(folder: Path, text: str, code: str) -> None:
    assert _only(_read(folder, f"image,label\nb,{text}\n")).label == code


def test_read_knows_a_foreign_models_own_labels(folder: Path) -> None:
    found = _read(folder, "image,label\nb,COMMON WART\nc,verruca\nd.e,Acne\n", labels=FOREIGN)
    assert [record.label for record in found.records] == ["wart", "wart", "acne"]


@pytest.mark.parametrize("order", [1, -1], ids=["alias first", "code first"])
def test_read_takes_a_code_for_its_class_whatever_others_call_themselves(folder: Path, order: int) -> None:
    other = Label("skin-tag", "Acne", malignant=None, severity=Severity.LOW, advice="See.", aliases=("wart",))
    found = _read(folder, "image,label\nb,wart\nc,acne\n", labels=(other, *FOREIGN)[::order])
    assert [record.label for record in found.records] == ["wart", "acne"]


def test_read_of_an_isic_ground_truth(folder: Path) -> None:
    text = "image,MEL,NV,BCC,AKIEC,BKL,DF,VASC\nISIC_0000001,0.0,0.0,0.0,1.0,0.0,0.0,0.0\n"
    record = _only(_read(folder, text))
    assert (record.label, record.modality) == ("akiec", Modality.DERMATOSCOPIC)


def test_read_of_an_isic_ground_truth_with_two_classes_in_a_row_is_refused(folder: Path) -> None:
    with pytest.raises(SourceError, match="exactly one class"):
        _read(folder, "image,MEL,NV\nISIC_0000001,1,1\n")


def test_read_skips_isic_unknown_class_only_when_told(folder: Path) -> None:
    text = "image,MEL,NV,UNK\nISIC_0000001,1,0,0\nb,0,0,1\n"
    with pytest.raises(SourceError, match="--skip-unknown-labels"):
        _read(folder, text)
    found = _read(folder, text, skip_unknown_labels=True)
    assert len(found.records) == 1
    assert found.unknown_labels == {"UNK": 1}


def test_read_of_unknown_labels_names_row_count_and_what_is_known(folder: Path) -> None:
    with pytest.raises(SourceError, match=r"row 3: .*'tinea'.*\(2\).*akiec, bcc"):
        _read(folder, "image,label\nb,nv\nc,tinea\nd.e,tinea\n")


def test_read_counts_listed_photos_that_are_not_there(folder: Path) -> None:
    found = _read(folder, "image,label\nb,nv\ngone,mel\n")
    assert found.missing == ("gone",)
    assert _only(found).label == "nv"


def test_read_without_any_photo_is_refused(folder: Path) -> None:
    with pytest.raises(SourceError, match="None of the 1 photos"):
        _read(folder, "image,label\ngone,nv\n")


def test_read_groups_by_lesion_patient_and_equal_bytes(folder: Path) -> None:
    (folder / "twin.jpg").write_bytes((folder / "b.jpg").read_bytes())
    text = "image,label,lesion_id,patient_id\nISIC_0000001,nv,1,p\nb,nv,1,q\nc,nv,2,p\nd.e,nv,,\ntwin,nv,,\n"
    groups = {record.image_id: record.group for record in _read(folder, text).records}
    assert groups["ISIC_0000001"] == groups["c"]  # one patient
    assert groups["b"] == groups["twin"]  # one file
    assert len(set(groups.values())) == 3  # lesion 1 of p is not lesion 1 of q


def test_read_takes_facts_under_published_names(folder: Path) -> None:
    text = "img_id,diagnostic,age,gender,region,fitspatrick,modality\nb,NEV,55,FEMALE,ARM,2.0,dermoscopic\n"
    found = _read(folder, text)
    record = _only(found)
    assert (record.age_years, record.sex, record.site, record.fitzpatrick_type) == (55, "female", "arm", 2)
    assert record.modality is Modality.DERMATOSCOPIC
    assert (record.width_px, record.height_px) == (160, 120)
    assert not found.modality_assumed


def test_read_takes_the_callers_modality_where_the_table_is_silent(folder: Path) -> None:
    found = _read(folder, "image,label,modality\nb,nv,\nc,nv,dermatoscopic\n", modality=Modality.CLINICAL)
    assert [record.modality for record in found.records] == [Modality.CLINICAL, Modality.DERMATOSCOPIC]
    assert not found.modality_assumed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("photo,label\nb,nv\n", "do not name photos and labels"),
        ("image,benign\nb,1\n", "do not name photos and labels"),
        ("image,label\nb,nv\nb,mel\n", "row 3: b occurs twice"),
        ("image,label\nb,nv\nb.jpg,nv\n", "row 3: b.jpg and b are one file"),
        ("image,label\nb,\n", "row 2: label is empty"),
        ("image,label,age\nb,nv,old\n", "row 2: age 'old'"),
    ],
    ids=["no image column", "no label column", "twice", "one file", "no label", "age"],
)
def test_read_of_a_bad_table_names_row_and_remedy(folder: Path, text: str, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        _read(folder, text)


def test_read_of_a_name_that_means_two_photos_is_refused(folder: Path, drawn_photos: list[Path]) -> None:
    (folder / "deep" / "b.jpg").write_bytes(drawn_photos[5].read_bytes())
    with pytest.raises(SourceError, match="Write the path below the folder"):
        _read(folder, "image,label\nb,nv\n")
    assert Path(_only(_read(folder, "image,label\ndeep/b,nv\n")).path) == folder / "deep" / "b.jpg"
