"""The export, read back by the pipeline that trains with it."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import User
from accounts.services import ProfileChanges, update_profile
from api.models import Prediction, PredictionImage
from api.reviews import data_set, services
from api.reviews.conclusion import Basis
from api.reviews.data_set import export_reviews
from api.services.privacy import erase_person
from ml_models.classification import Modality
from ml_pipeline.data.build import BuildOptions, build
from ml_pipeline.data.records import Record, Split
from ml_pipeline.data.sources import reviews
from ml_pipeline.data.split import SplitPlan
from ml_pipeline.progress import silence
from tests.api.reviews.conftest import case_of, read, reading

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "out" / "reviews"


def exported(folder: Path, **options: Any) -> list[Record]:
    export_reviews(folder=folder)
    return list(reviews.read(folder, **options).records)


def set_consent(person: User, consent: bool) -> None:  # noqa: FBT001
    update_profile(user=person, changes=ProfileChanges(training_consent=consent))


def test_columns_are_those_that_the_pipeline_reads():
    assert data_set.COLUMNS == reviews.COLUMNS
    assert data_set.TABLE == reviews.TABLE


def test_export_is_read_by_the_pipeline(folder: Path, anna, person, make_prediction, lesion_jpeg):
    facts = {"age_years": 47, "sex": "female", "site": "left forearm", "history": "Ada's history"}
    prediction = make_prediction(user=person, consent=True, **facts)
    read(prediction, anna, "bcc", Basis.HISTOLOGY)
    (record,) = exported(folder)
    assert (record.label, record.diagnosis_method, record.modality) == ("bcc", "histopathology", Modality.CLINICAL)
    assert (record.age_years, record.sex, record.site) == (47, "female", "upper extremity")
    assert Path(record.path).read_bytes() == lesion_jpeg
    assert not record.train_only


@pytest.mark.parametrize("basis", Basis)
def test_export_says_how_each_label_is_known(folder: Path, anna, make_prediction, basis: Basis):
    read(make_prediction(consent=True), anna, "nv", basis)
    (record,) = exported(folder)
    words = {"histology": "histopathology"}
    assert record.diagnosis_method == words.get(basis.value, basis.value)


def test_export_one_person_is_one_patient_and_nobody_trains_only(folder: Path, anna, person, stranger, make_prediction):
    for user in (person, person, stranger, None, None):
        read(make_prediction(user=user, consent=True), anna)
    records = exported(folder)
    patients = [record.patient_id for record in records]
    assert sorted(patients.count(patient) for patient in set(patients) - {""}) == [1, 2]
    assert [record.train_only for record in records] == [patient == "" for patient in patients]
    assert len({record.lesion_id for record in records}) == 5


def test_export_tells_nothing_of_who_it_was(folder: Path, anna, person, make_prediction):
    prediction = make_prediction(user=person, consent=True, history="Call Ada", site="arm of Ada")
    read(prediction, anna)
    export_reviews(folder=folder)
    everything = "".join(str(path) for path in folder.rglob("*"))
    everything += "".join(path.read_text() for path in folder.glob("*.*"))
    hidden = (
        "ada",
        "Ada",
        "anna",
        str(prediction.pk),
        prediction.pk.hex,
        Path(prediction.images.get().photo.name).stem,
    )
    assert not [word for word in hidden if word in everything.replace(str(folder), "")]


def test_export_photos_of_one_prediction_share_a_lesion(folder: Path, anna, make_prediction):
    prediction = make_prediction(consent=True)
    photo = prediction.images.get().photo.name
    PredictionImage.objects.create(
        prediction=prediction, position=1, photo=photo, content_sha256="c" * 64, format="jpeg", width_px=6, height_px=4
    )
    read(prediction, anna)
    first, second = exported(folder)
    assert first.lesion_id == second.lesion_id
    assert first.image_id != second.image_id


# What is left out


@pytest.mark.parametrize("answer", ["unsure", "not_a_lesion"])
def test_export_leaves_out_what_names_no_class(folder: Path, anna, make_prediction, answer: str):
    read(make_prediction(consent=True), anna, answer)
    export_reviews(folder=folder)
    assert not list((folder / "photos").iterdir())


def test_export_leaves_out_what_is_disputed_or_waits(folder: Path, anna, bert, make_prediction):
    disputed, waiting = make_prediction(consent=True), make_prediction(consent=True)
    for prediction in (disputed, waiting):
        services.require_second_opinion(cases=[case_of(prediction)])
        read(prediction, anna, "mel")
    read(disputed, bert, "nv")
    assert export_reviews(folder=folder).photos == 0


def test_export_leaves_out_who_has_not_agreed(folder: Path, anna, person, make_prediction):
    for user in (None, person):
        read(make_prediction(user=user), anna)
    summary = export_reviews(folder=folder)
    assert (summary.photos, summary.cases_left_out) == (0, 2)


def test_export_follows_the_switch_in_the_profile(folder: Path, anna, person, make_prediction):
    read(make_prediction(user=person), anna)
    for consent, photos in ((True, 1), (False, 0), (True, 1)):
        set_consent(person, consent)
        assert export_reviews(folder=folder).photos == photos


def test_export_withdrawal_in_the_profile_covers_consent_to_single_photos(folder: Path, anna, person, make_prediction):
    read(make_prediction(user=person, consent=True), anna)
    set_consent(person, consent=True)
    set_consent(person, consent=False)
    assert export_reviews(folder=folder).photos == 0
    read(make_prediction(user=person, consent=True, days_old=-1), anna)
    assert export_reviews(folder=folder).photos == 1


def test_export_leaves_out_whom_a_deletion_meets_half_way(folder: Path, anna, person, make_prediction, monkeypatch):
    read(make_prediction(user=person, consent=True), anna)
    real = data_set._copy

    def copy_and_delete(image: PredictionImage, path: Path) -> bool:
        copied = real(image, path)
        erase_person(user=person)
        return copied

    monkeypatch.setattr(data_set, "_copy", copy_and_delete)
    assert export_reviews(folder=folder).photos == 0
    assert not list((folder / "photos").iterdir())


def test_export_lost_photo_is_counted_and_no_row(folder: Path, anna, make_prediction):
    lost, kept = make_prediction(consent=True), make_prediction(consent=True)
    for prediction in (lost, kept):
        read(prediction, anna)
    Path(lost.images.get().photo.path).unlink()
    summary = export_reviews(folder=folder)
    assert (summary.photos, summary.photos_lost) == (1, 1)
    reading_back = reviews.read(folder)
    assert (len(reading_back.records), reading_back.missing, reading_back.unlisted) == (1, (), ())


def test_export_age_that_the_pipeline_refuses_is_not_known(folder: Path, anna, make_prediction):
    read(make_prediction(consent=True, age_years=125, sex="other"), anna)
    (record,) = exported(folder)
    assert (record.age_years, record.sex) == (None, "")


def test_export_without_modality_is_left_out(folder: Path, anna, make_prediction):
    prediction = make_prediction(consent=True)
    result = services.Reading(reading("mel").finding, Basis.HISTOLOGY)
    services.add_result(case=case_of(prediction), reviewer=anna, reading=result)
    assert export_reviews(folder=folder).cases_left_out == 1


def test_export_foreign_class_is_read_where_it_is_named(folder: Path, anna, make_prediction):
    read(make_prediction(consent=True, label="tinea", probabilities={"tinea": 1.0}), anna, "tinea")
    (record,) = exported(folder, foreign_labels=["tinea"])
    assert record.label == "tinea"


# The folder


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_export_again_is_the_same_bytes(folder: Path, anna, make_prediction):
    for _ in range(3):
        read(make_prediction(consent=True), anna)
    export_reviews(folder=folder)
    before = content(folder)
    export_reviews(folder=folder)
    assert content(folder) == before
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_export_that_fails_leaves_the_earlier_one(folder: Path, anna, make_prediction, monkeypatch):
    read(make_prediction(consent=True), anna)
    export_reviews(folder=folder)
    before = content(folder)

    def full(*_args: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(data_set, "_write_table", full)
    with pytest.raises(CommandError, match="No space left"):
        call_command("export_reviews", out=folder)
    assert content(folder) == before
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_export_does_not_take_the_place_of_something_else(tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("all I have")
    with pytest.raises(CommandError, match="something else"):
        call_command("export_reviews", out=tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_export_is_readable_to_its_owner_alone(folder: Path, anna, make_prediction):
    read(make_prediction(consent=True), anna)
    export_reviews(folder=folder)
    assert folder.stat().st_mode & 0o077 == 0


def test_command_says_what_it_wrote(folder: Path, anna, make_prediction, capsys):
    read(make_prediction(consent=True), anna)
    call_command("export_reviews", out=folder)
    assert "1 photos of 1 cases" in capsys.readouterr().out
    assert json.loads((folder / "export.json").read_text())["photos_for_training_only"] == 1


def test_command_with_nothing_to_export_says_so(folder: Path, capsys):
    call_command("export_reviews", out=folder)
    assert "nothing to train with" in capsys.readouterr().err


# All the way


@pytest.mark.usefixtures("shipped_classifier")
def test_build_puts_each_person_on_one_side_and_nobody_into_training(
    folder: Path, tmp_path: Path, anna, anonymous: Client, bearer, predict, draw_photo
):
    for number in range(36):
        owner = User.objects.create_user(f"p{number % 12}@example.org") if number < 12 else None
        client = bearer(owner or User.objects.get(email=f"p{number % 12}@example.org")) if number < 24 else anonymous
        answer = predict(client, image=draw_photo(number), consent="true").json()
        read(Prediction.objects.get(pk=answer["id"]), anna, ("mel", "nv")[number % 2])
    export_reviews(folder=folder)
    options = BuildOptions(plan=SplitPlan(validation=0.25, test=0.25), labelled_pairs=0, workers=1)
    records = build([reviews.read(folder)], options, cache=tmp_path / "cache.sqlite3", progress=silence).records
    sides: dict[str, set[Split | None]] = {}
    for record in records:
        if record.patient_id:
            sides.setdefault(record.patient_id, set()).add(record.split)
        else:
            assert record.split is Split.TRAIN
    assert all(len(splits) == 1 for splits in sides.values())
    assert {split for splits in sides.values() for split in splits} == set(Split)
