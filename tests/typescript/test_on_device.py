"""The reference implementation in `on_device/` against the server's own values: from the same pixels, the same answers.

One run of Node answers all cases. Tolerances: 1e-3 grey levels of 0-255 for the model's input, 1e-3 for probabilities
through the network, 1e-3 of the value for gate scores, 1e-9 for probabilities from the same logits; words exactly.
"""

import dataclasses
import itertools
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from django.test import Client
from django.utils import translation
from numpy.typing import NDArray

from api.i18n import translated
from api.on_device import describe
from ml_models.artefact import ModelDocument
from ml_models.calibration import Calibration
from ml_models.classification import Classification, Decision, Modality, ReasonCode, SeenPhoto, Severity
from ml_models.classifier import FEATURE_MAP, Classifier
from ml_models.decision import decide
from ml_models.heads import KINDS
from ml_models.labels import CODES, Label
from ml_models.patient import AgeBand, PatientEffects, PatientFacts, Sex, Site
from ml_models.preprocess import preprocess
from tests.typescript.conftest import FOLDER, ROOT, run
from tests.typescript.lesions import (
    GATES,
    SIZES,
    WORDS,
    GivenRuntime,
    Known,
    Lesion,
    drawn_lesions,
    lesion_cases,
    photographed,
    small_photos,
)

pytestmark = pytest.mark.slow

SHARE = 1 / 64  # sums of such shares are exact, so thresholds are met exactly


@dataclass(frozen=True, slots=True)
class Compared:
    """The cases, and what the reference implementation answered; one photo after the other, then drawn lesions."""

    folder: Path
    knowns: list[Known]
    lesions: list[Lesion]
    cases: dict[str, Any]
    answers: dict[str, Any]


def foreign(code: str, severity: Severity, *, malignant: bool | None) -> Label:
    return Label(code, f"{code} of a clinic", malignant, severity, f"Ask about {code}.")


def knowns_from(document: ModelDocument, *, has_heads: bool) -> list[Known]:
    """The shipped model, ones that have learnt from facts and are validated throughout, and foreign ones."""
    rng = np.random.default_rng(5)

    def row() -> dict[str, float]:
        return dict(zip(CODES, rng.normal(size=len(CODES)).tolist(), strict=True))

    learnt = dataclasses.replace(
        document,
        calibrations={
            Modality.DERMATOSCOPIC: Calibration(0.8, row()),
            Modality.CLINICAL: Calibration(1.7),
        },
        patient_effects=PatientEffects(
            age={band: row() for band in AgeBand},
            sex={sex: row() for sex in Sex},
            site={site: row() for site in tuple(Site)[:4]},
        ),
        malignancy_thresholds={Modality.DERMATOSCOPIC: 16 * SHARE, Modality.CLINICAL: 8 * SHARE},
        prediction_sets={Modality.DERMATOSCOPIC: 12 * SHARE, Modality.CLINICAL: 6 * SHARE},
        modality_certainty=0.7,
        gates=GATES,
        gated=(),
    )
    gated = dataclasses.replace(learnt, gated=tuple(Modality))
    half_gated = dataclasses.replace(gated, gated=(Modality.CLINICAL,), prediction_sets={})
    some_unknown = (
        foreign("kaposi", Severity.HIGH, malignant=True),
        foreign("tinea", Severity.MODERATE, malignant=None),
        foreign("wart", Severity.LOW, malignant=False),
    )
    unknown_and_benign = (
        foreign("a", Severity.LOW, malignant=None),
        foreign("b", Severity.LOW, malignant=False),
    )
    plain = {kind: Calibration(1.0) for kind in Modality}
    mixed = dataclasses.replace(gated, labels=some_unknown, calibrations=plain, patient_effects=PatientEffects())
    unmeasured = dataclasses.replace(mixed, malignancy_thresholds={})
    unjudging = dataclasses.replace(mixed, labels=unknown_and_benign)
    return [
        Known(document, has_heads),
        Known(learnt),
        Known(gated),
        Known(gated, language="es"),
        Known(half_gated),
        Known(mixed),
        Known(unmeasured),
        Known(unjudging),
    ]


def description_of(known: Known, classifier: Classifier) -> dict[str, Any]:
    with translation.override(known.language):
        return describe(known.document, classifier.identity, size_bytes=1, has_heads=known.has_heads)


def expected_answer(compared: Compared, lesion: Lesion, classifier: Classifier) -> Classification:
    """The server's own, from the same pixels and the same outputs of the network."""
    artefact = dataclasses.replace(classifier._artefact, document=compared.knowns[lesion.known].document)
    words = lesion.patient
    facts = PatientFacts.from_words(
        age_years=words.get("ageYears"), sex=words.get("sex", ""), site=words.get("site", "")
    )
    return Classifier(artefact, GivenRuntime(lesion.outputs)).classify(*lesion.photos, patient=facts)  # type: ignore[arg-type]


def refused_cases(descriptions: list[dict[str, Any]], lesion: dict[str, Any]) -> list[dict[str, Any]]:
    """An answer by half of the rules would not be the server's: what the reference implementation must refuse."""
    plain, full = lesion["photos"][0], descriptions[2]
    without_heads = {**full, "file": {**full["file"], "outputs": {"logits": "logits"}}}
    newer = {**full, "format": full["format"] + 1}
    descriptions += [without_heads, newer]
    not_asked_for = {**plain, "outputs": {"logits": plain["outputs"]["logits"]}}
    misfit = {**plain, "outputs": {**plain["outputs"], KINDS: [0, 1]}}
    return [
        {"description": len(descriptions) - 2, "photos": [plain], "patient": {}},
        {"description": len(descriptions) - 1, "photos": [plain], "patient": {}},
        {"description": 2, "photos": [not_asked_for], "patient": {}},
        {"description": 2, "photos": [misfit], "patient": {}},
        {"description": 2, "photos": [], "patient": {}},
    ]


def logits_cases(knowns: list[Known]) -> list[dict[str, Any]]:
    rng = np.random.default_rng(6)
    ages = [None, 0, 9.5, 19.99, 20, 35, 79, 80, 120, 120.5, 121, -1, -0.5]
    sexes = ["", "female", "male", "other", "Male"]
    cases = []
    for index, known in itertools.product(range(60), range(len(knowns))):
        words = {"sex": sexes[index % len(sexes)], "site": WORDS[index % len(WORDS)]}
        age = ages[index % len(ages)]
        cases.append(
            {
                "description": known,
                "modality": (None, *Modality)[index % 3],
                "logits": (rng.normal(size=len(knowns[known].document.labels)) * rng.choice([1, 5, 400])).tolist(),
                "patient": words if age is None else {**words, "ageYears": age},
            }
        )
    return cases


def table_cases(knowns: list[Known]) -> list[dict[str, Any]]:
    rng = np.random.default_rng(7)
    cases = []
    for index, known in itertools.product(range(150), range(len(knowns))):
        classes = len(knowns[known].document.labels)
        counts = rng.multinomial(round(1 / SHARE), rng.dirichlet(np.full(classes, 0.4)))
        modality = (None, *Modality)[index % 3]
        several = rng.multinomial(round(1 / SHARE), np.full(classes, 1 / classes), size=2 * (index % 2))
        tables = {"probabilities": (counts * SHARE).tolist(), "photos": (several * SHARE).tolist()}
        cases.append({"description": known, "modality": modality, **tables})
    return cases


@pytest.fixture(scope="module")
def compared(node: str, shipped_classifier: Classifier, tmp_path_factory: pytest.TempPathFactory) -> Compared:
    """Compile the reference implementation strictly, and let it answer everything."""
    folder = tmp_path_factory.mktemp("on_device")
    run(node, str(FOLDER / "node_modules/typescript/bin/tsc"), "-p", "on_device", "--outDir", str(folder / "on_device"),
        folder=ROOT)  # fmt: skip
    shutil.copy(FOLDER / "answers.ts", folder)
    options = {"extends": str(FOLDER / "tsconfig.json"), "files": ["answers.ts"]}
    options["compilerOptions"] = {"outDir": ".", "typeRoots": [str(FOLDER / "node_modules" / "@types")]}
    (folder / "tsconfig.json").write_text(json.dumps(options))
    (folder / "package.json").write_text('{"type": "module"}')
    run(node, str(FOLDER / "node_modules/typescript/bin/tsc"), folder=folder)

    lesions = photographed(shipped_classifier)
    knowns = knowns_from(shipped_classifier.document, has_heads=KINDS in lesions[0].outputs[0])
    lesions += drawn_lesions(knowns, small_photos(), lesions[0].outputs[0][FEATURE_MAP])
    descriptions = [description_of(known, shipped_classifier) for known in knowns]
    given = lesion_cases(folder, lesions)
    cases = {
        "lesions": given,
        "refused": refused_cases(descriptions, next(case for case in given if case["description"] == 2)),
        "descriptions": descriptions,
        "logits": logits_cases(knowns),
        "tables": table_cases(knowns),
    }
    (folder / "cases.json").write_text(json.dumps(cases))
    run(node, "answers.js", "cases.json", "answers.json", folder=folder)
    return Compared(folder, knowns, lesions, cases, json.loads((folder / "answers.json").read_text()))


def tensor(compared: Compared, index: int, size_px: int) -> NDArray[np.float32]:
    return np.fromfile(compared.folder / f"{index}.tensor", np.float32).reshape(size_px, size_px, 3)


def as_typescript(decision: Decision, language: str) -> dict[str, Any]:
    with translation.override(language):
        return {
            "status": decision.status,
            "label": decision.label,
            "possible": list(decision.possible),
            "diagnosis": translated(decision.diagnosis),
            "confidencePercent": decision.confidence_percent,
            "severity": decision.severity,
            "advice": translated(decision.advice),
            "isSafe": decision.is_safe,
            "malignancy": dataclasses.asdict(decision.malignancy),
            "reasons": [{"code": reason.code, "text": translated(reason.text)} for reason in decision.reasons],
        }


@pytest.mark.parametrize("index", range(len(SIZES)), ids=[f"{width}x{height}" for width, height in SIZES])
def test_input_of_the_model_is_the_servers(compared: Compared, shipped_classifier: Classifier, index: int):
    spec = shipped_classifier.document.input
    photo = compared.lesions[index].photos[0]
    difference = np.abs(tensor(compared, index, spec.size_px) - preprocess(photo, spec))
    assert difference.max() <= 1e-3


def assert_same_photo(seen: dict[str, Any], expected: SeenPhoto) -> None:
    assert seen["gateScores"] == pytest.approx(dict(expected.gate_scores), rel=1e-3, abs=1e-3)
    assert seen["rejections"] == list(expected.rejections)
    assert seen["modality"] == expected.modality
    assert seen["probabilities"] == (expected.probabilities and pytest.approx(expected.probabilities, abs=1e-9))


def test_lesion_is_answered_as_by_the_server(compared: Compared, shipped_classifier: Classifier):
    for lesion, answer in zip(compared.lesions, compared.answers["lesions"], strict=True):
        expected = expected_answer(compared, lesion, shipped_classifier)
        assert answer["modality"] == expected.modality
        assert answer["probabilities"] == (expected.probabilities and pytest.approx(expected.probabilities, abs=1e-9))
        seen, wanted = answer["decision"], as_typescript(expected.decision, compared.knowns[lesion.known].language)
        assert seen.pop("malignancy") == pytest.approx(wanted.pop("malignancy"), abs=1e-9)
        assert seen == wanted
        for photo, expected_photo in zip(answer["photos"], expected.photos, strict=True):
            assert_same_photo(photo, expected_photo)


def test_lesions_reach_every_kind_of_answer(compared: Compared):
    """Or equality would be shown for the easy ones alone."""
    answers = compared.answers["lesions"][len(SIZES) :]
    photos = [photo for answer in answers for photo in answer["photos"]]
    assert {answer["modality"] for answer in answers} == {None, *Modality}
    assert {answer["decision"]["status"] for answer in answers} == {"ok", "uncertain", "rejected"}
    assert {answer["decision"]["isSafe"] for answer in answers} == {True, False}
    assert {code for photo in photos for code in photo["rejections"]} >= set(list(ReasonCode)[:7])
    partly = [
        answer for answer in answers if answer["probabilities"] and any(p["rejections"] for p in answer["photos"])
    ]
    assert any(sum(not photo["rejections"] for photo in answer["photos"]) > 1 for answer in partly)


def test_what_is_not_understood_is_refused(compared: Compared):
    no_heads, newer, not_asked_for, misfit, no_photo = compared.answers["refused"]
    assert "which this code cannot measure" in no_heads
    assert "Update the app" in newer
    assert "Ask for it by its name" in not_asked_for
    assert "Download its file again" in misfit
    assert "give at least one" in no_photo


def test_logits_become_the_servers_probabilities(compared: Compared):
    for case, answer in zip(compared.cases["logits"], compared.answers["logits"], strict=True):
        words, document = case["patient"], compared.knowns[case["description"]].document
        facts = PatientFacts.from_words(age_years=words.get("ageYears"), sex=words["sex"], site=words["site"])
        assert answer["facts"] == {"ageBand": facts.age_band, "sex": facts.sex, "site": facts.site}, words
        expected = document.probabilities(np.array(case["logits"]), modality=case["modality"], patient=facts)
        np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-9, rtol=0)


def test_probabilities_become_the_servers_decision_in_every_word(compared: Compared):
    for case, answer in zip(compared.cases["tables"], compared.answers["tables"], strict=True):
        known = compared.knowns[case["description"]]
        by_code = dict(zip(known.document.codes, case["probabilities"], strict=True))
        modality = case["modality"]
        photos = [dict(zip(known.document.codes, each, strict=True)) for each in case["photos"]]
        expected = decide(by_code, known.document.rules, modality=modality, photos=photos)
        assert answer == as_typescript(expected, known.language)


def test_tables_reach_every_kind_of_answer(compared: Compared):
    """Or equality would be shown for the easy ones alone."""
    seen = compared.answers["tables"]
    assert {answer["isSafe"] for answer in seen} == {True, False}
    assert {answer["severity"] for answer in seen} == set(Severity)
    assert {reason["code"] for answer in seen for reason in answer["reasons"]} == {
        "low_confidence", "suspicious", "unknown_malignancy", "not_validated", "photos_disagree",
    }  # fmt: skip
    assert any(answer["malignancy"]["probability"] == answer["malignancy"]["threshold"] for answer in seen)


def test_downloaded_file_gives_the_servers_probabilities(compared: Compared, shipped_classifier: Classifier):
    """The whole way of a phone: the address in the description, its bytes, its own input, probabilities to 1e-3."""
    description = Client().get("/api/model/on-device/").json()
    file = description["file"]
    content = Client().get(file["url"]).getvalue()
    network = Interpreter(model_content=content, num_threads=1).get_signature_runner(file["signature"])
    for index, lesion in enumerate(compared.lesions[: len(SIZES)]):
        image = tensor(compared, index, description["input"]["size_px"])[np.newaxis]
        outputs = network(**{file["input"]: image})
        assert set(outputs) >= set(file["outputs"].values())
        given = {name: value[0] for name, value in outputs.items()}
        seen = expected_answer(compared, dataclasses.replace(lesion, outputs=[given]), shipped_classifier)
        expected = shipped_classifier.classify(*lesion.photos)
        assert seen.probabilities == (expected.probabilities and pytest.approx(expected.probabilities, abs=1e-3))
