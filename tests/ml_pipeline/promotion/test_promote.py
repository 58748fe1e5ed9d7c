"""Real folders through the gate: an equal model passes, a leaking and a miscalibrated one are refused."""

import dataclasses
import itertools
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from ml_models import artefact
from ml_models.calibration import Calibration
from ml_models.classifier import load_classifier
from ml_pipeline.__main__ import main
from ml_pipeline.data.lineage import Lineage, document_of, lineage_of, write_lineage
from ml_pipeline.data.records import Record, Split, of_split, records_digest, write_records
from ml_pipeline.data.sources import reviews
from ml_pipeline.data.split import SplitPlan, split_records
from ml_pipeline.errors import LeakageError, PipelineError
from ml_pipeline.evaluation.evaluate import logits_of
from ml_pipeline.export import ExportReport
from ml_pipeline.promotion.promote import Entrant, Work, frozen_test, promote
from ml_pipeline.promotion.report_html import write_verdict
from ml_pipeline.promotion.rules import RULES
from ml_pipeline.promotion.score import score
from ml_pipeline.promotion.verdict import Verdict

pytestmark = pytest.mark.slow
TINY_RULES = dataclasses.replace(RULES, fewest_lesions=1)


@pytest.fixture
def champion(exported: ExportReport, two_domains: tuple[Record, ...], tmp_path: Path) -> Path:
    """A tiny model with its table beside it, as retraining leaves it."""
    folder = Path(shutil.copytree(exported.folder, tmp_path / "champion"))
    write_lineage(folder, Lineage(two_domains), exported.document.labels)
    return folder


def _altered(champion: Path, name: str, **changes: object) -> Path:
    """A copy whose `model.json` says something else; golden answers follow where calibration is touched."""
    folder = Path(shutil.copytree(champion, champion.with_name(name)))
    document = dataclasses.replace(document_of(folder), name=name, **changes)
    with np.load(folder / artefact.GOLDEN) as stored:
        golden = dict(stored)
    loaded = artefact.Golden(**golden)
    classifier = load_classifier(champion)
    logits = logits_of([classifier.classify(photo) for photo in loaded.photos])
    golden["probabilities"] = np.stack(
        [
            document.probabilities(each, modality=loaded.modality(row), patient=loaded.patient(row))
            for row, each in enumerate(logits)
        ]
    )
    np.savez_compressed(folder / artefact.GOLDEN, **golden)
    files = {file: artefact.file_digest(folder / file) for file in artefact.HASHED_FILES}
    document = dataclasses.replace(document, files=files)
    (folder / artefact.DOCUMENT).write_text(document.to_json(), encoding="utf-8")
    return folder


def _promote(candidate: Path, champion: Path, records: tuple[Record, ...]) -> Verdict:
    seconds = itertools.count()
    work = Work(champion.parent / "cache.sqlite3", clock=lambda: float(next(seconds)))
    entrants = [Entrant(folder, lineage_of(folder)) for folder in (candidate, champion)]
    return promote(*entrants, records, work=work, rules=TINY_RULES)


def _failed(verdict: Verdict) -> set[str]:
    return {finding.rule for finding in verdict.failed}


def test_promote_an_equal_candidate_passes(champion: Path, two_domains: tuple[Record, ...]) -> None:
    verdict = _promote(_altered(champion, "equal"), champion, two_domains)
    assert verdict.passed
    assert verdict.judged.champion_test == sum(verdict.judged.photos.values())
    assert set(verdict.judged.photos) == {"clinical", "dermatoscopic"}


def test_promote_a_miscalibrated_candidate_fails_for_its_calibration(
    champion: Path, two_domains: tuple[Record, ...]
) -> None:
    sharp = {modality: Calibration(0.01) for modality in document_of(champion).calibrations}
    verdict = _promote(_altered(champion, "sharp", calibrations=sharp, prediction_sets={}), champion, two_domains)
    assert _failed(verdict) == {"expected_calibration_error"}


def test_promote_a_candidate_that_trained_on_the_test_fails_for_it(
    champion: Path, two_domains: tuple[Record, ...]
) -> None:
    other = split_records(two_domains, [], plan=SplitPlan(seed=7)).records
    provenance = {**document_of(champion).provenance, "data_sha256": records_digest(other)}
    leaking = _altered(champion, "leaking", provenance=provenance)
    write_lineage(leaking, Lineage(other), document_of(champion).labels)
    verdict = _promote(leaking, champion, two_domains)
    assert _failed(verdict) == {"candidate_unseen_test"}
    assert "the same photo" in verdict.failed[0].said


def test_promote_a_candidate_whose_ancestor_trained_on_the_test_fails_for_it(
    champion: Path, two_domains: tuple[Record, ...]
) -> None:
    tested = dataclasses.replace(of_split(two_domains, Split.TEST)[0], image_id="before", split=Split.TRAIN)
    heir = _altered(champion, "heir")
    write_lineage(heir, Lineage(two_domains, (tested,)), document_of(champion).labels)
    assert _failed(_promote(heir, champion, two_domains)) == {"candidate_unseen_test"}


def test_promote_a_table_of_another_model_is_refused(champion: Path, two_domains: tuple[Record, ...]) -> None:
    other = split_records(two_domains, [], plan=SplitPlan(seed=7)).records
    work = Work(champion.parent / "cache.sqlite3")
    with pytest.raises(LeakageError, match="not those that the model was trained on"):
        promote(Entrant(champion, Lineage(other)), Entrant(champion, None), two_domains, work=work)


def test_promote_without_tables_says_that_training_is_not_known(
    exported: ExportReport, two_domains: tuple[Record, ...], tmp_path: Path
) -> None:
    other = split_records(two_domains, [], plan=SplitPlan(seed=7)).records
    nobody = Entrant(exported.folder, None)
    verdict = promote(nobody, nobody, other, work=Work(tmp_path / "cache.sqlite3"), rules=TINY_RULES)
    assert {"candidate_unseen_test", "champion_unseen_test"} <= _failed(verdict)


def test_frozen_test_is_without_photos_that_only_reviews_brought_in(two_domains: tuple[Record, ...]) -> None:
    test = of_split(two_domains, Split.TEST)
    reviewed = dataclasses.replace(test[0], sources=reviews.SOURCE)
    assert frozen_test([reviewed, *test[1:]]) == test[1:]


def test_promote_on_reviewed_photos_alone_is_refused(champion: Path, two_domains: tuple[Record, ...]) -> None:
    reviewed = tuple(dataclasses.replace(record, sources=reviews.SOURCE) for record in two_domains)
    with pytest.raises(PipelineError, match="chosen by a model"):
        _promote(champion, champion, reviewed)


def test_write_verdict_leaves_a_page_and_what_the_record_keeps(
    champion: Path, two_domains: tuple[Record, ...], tmp_path: Path
) -> None:
    verdict = _promote(_altered(champion, "equal"), champion, two_domains)
    write_verdict(tmp_path / "out", verdict)
    stored = json.loads((tmp_path / "out" / "verdict.json").read_text(encoding="utf-8"))
    assert stored["passed"] is True
    assert stored["candidate"]["name"] == "equal"
    page = (tmp_path / "out" / "verdict.html").read_text(encoding="utf-8")
    assert "No rule speaks against the candidate" in page
    assert "data:image" not in page
    assert str(tmp_path) not in page


def test_promote_command_says_no_with_its_status(
    champion: Path, two_domains: tuple[Record, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_records(two_domains, tmp_path / "records.csv")
    arguments = ["--candidate", champion, "--champion", champion, "--records", tmp_path / "records.csv"]
    status = main(["promote", *map(str, arguments), "--out", str(tmp_path / "out"), "--workers", "1"])
    printed = capsys.readouterr().out
    assert (status, "refused" in printed) == (1, True)  # its test has too few lesions
    assert "The test has lesions" in printed
    assert (tmp_path / "out" / "verdict.json").is_file()


def test_score_leaves_out_what_the_model_has_seen(champion: Path, two_domains: tuple[Record, ...]) -> None:
    other = split_records(two_domains, [], plan=SplitPlan(seed=7)).records
    work = Work(champion.parent / "cache.sqlite3")
    scored = score(Entrant(champion, lineage_of(champion)), other, Split.TEST, name="other.csv", work=work)
    seen = {record.image_id for record in two_domains if record.split is not Split.TEST}
    expected = {record.image_id for record in of_split(other, Split.TEST)} - seen
    assert {record.image_id for record in scored.records} == expected
    assert f"{len(of_split(other, Split.TEST)) - len(expected)} photos" in scored.evaluation.data.held_out


def test_score_without_a_lineage_says_so(champion: Path, two_domains: tuple[Record, ...]) -> None:
    work = Work(champion.parent / "cache.sqlite3")
    scored = score(Entrant(champion, None), two_domains, Split.TEST, name="records.csv", work=work)
    assert "not known" in scored.evaluation.data.held_out
