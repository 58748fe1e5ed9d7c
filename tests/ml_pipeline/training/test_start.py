"""What a training starts from."""

import dataclasses
import shutil
from pathlib import Path

import pytest

from ml_models.labels import CODES
from ml_pipeline.data.lineage import Lineage
from ml_pipeline.data.records import Record, Split, of_split, records_digest
from ml_pipeline.data.split import SplitPlan, split_records
from ml_pipeline.errors import LeakageError, TrainingError
from ml_pipeline.export import ExportReport
from ml_pipeline.training.backbones import build_classifier
from ml_pipeline.training.start import NOWHERE, start_of
from tests.ml_pipeline.conftest import make_record

pytestmark = pytest.mark.slow


def test_start_of_nothing_and_of_imagenet_is_a_name(two_domains: tuple[Record, ...]) -> None:
    assert start_of(None, two_domains, CODES) == NOWHERE
    assert start_of("imagenet", two_domains, CODES).digest == "imagenet"


def test_start_of_a_bare_backbone_needs_no_provenance(tmp_path: Path, two_domains: tuple[Record, ...]) -> None:
    model = build_classifier(backbone="tiny", size_px=64, classes=8, dropout=0.0, weights=None)
    path = tmp_path / "backbone.keras"
    model.get_layer("backbone").save(path)
    assert not start_of(str(path), two_domains, CODES).with_head


@pytest.mark.parametrize("codes", [CODES, ("mel", "nv")], ids=["same classes", "others"])
def test_start_of_a_model_of_the_same_table_has_its_head_where_classes_agree(
    codes: tuple[str, ...], exported: ExportReport, two_domains: tuple[Record, ...]
) -> None:
    start = start_of(str(exported.folder / "model.keras"), two_domains, codes)
    assert start.with_head == (codes == CODES)


def test_start_of_a_model_of_another_split_is_refused(exported: ExportReport, two_domains: tuple[Record, ...]) -> None:
    other = split_records(two_domains, [], plan=SplitPlan(seed=7)).records
    assert records_digest(other) != records_digest(two_domains)
    with pytest.raises(LeakageError):
        start_of(str(exported.folder / "model.keras"), other, CODES)


def test_start_of_a_model_of_an_earlier_table_needs_every_photo_where_it_was(
    exported: ExportReport, two_domains: tuple[Record, ...]
) -> None:
    weights = str(exported.folder / "model.keras")
    grown = (*two_domains, make_record("new", group="new", split=Split.TEST))
    with pytest.raises(LeakageError):
        start_of(weights, grown, CODES)
    assert start_of(weights, grown, CODES, earlier=Lineage(two_domains)).with_head
    trained_on = of_split(two_domains, Split.TRAIN)[0]
    relative = make_record("new", group="new", split=Split.TEST, lesion_id=trained_on.lesion_id)
    fewer = tuple(record for record in two_domains if record.group != trained_on.group)
    with pytest.raises(LeakageError, match="belong together"):
        start_of(weights, (*fewer, relative), CODES, earlier=Lineage(two_domains))


def test_start_of_a_model_after_another_knows_what_that_one_has_seen(
    exported: ExportReport, two_domains: tuple[Record, ...]
) -> None:
    before = make_record("before", group="before", split=Split.TRAIN)
    again = make_record("again", group="again", split=Split.TEST, sha256=before.sha256)
    with pytest.raises(LeakageError, match="before of the earlier table"):
        start_of(
            str(exported.folder / "model.keras"),
            (*two_domains, again),
            CODES,
            earlier=Lineage(two_domains, (before,)),
        )


def test_start_of_a_model_with_the_table_of_another_is_refused(
    exported: ExportReport, two_domains: tuple[Record, ...]
) -> None:
    with pytest.raises(LeakageError, match="not those that the model was trained on"):
        start_of(str(exported.folder / "model.keras"), two_domains, CODES, earlier=Lineage(two_domains[1:]))


def test_start_of_a_classifier_of_unknown_training_is_refused(
    tmp_path: Path, exported: ExportReport, two_domains: tuple[Record, ...]
) -> None:
    path = shutil.copy(exported.folder / "model.keras", tmp_path)
    with pytest.raises(LeakageError, match="unknown"):
        start_of(str(path), two_domains, CODES)


@pytest.mark.parametrize("content", [None, b"not a model"], ids=["missing", "other file"])
def test_start_of_no_model_says_what_to_give(
    tmp_path: Path, content: bytes | None, two_domains: tuple[Record, ...]
) -> None:
    path = tmp_path / "weights.keras"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TrainingError, match=r"\.keras"):
        start_of(str(path), two_domains, CODES)


def test_nowhere_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        NOWHERE.weights = "x"  # type: ignore[misc]
