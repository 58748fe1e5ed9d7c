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
from ml_models.classification import Decision, Modality, Severity
from ml_models.classifier import Classifier
from ml_models.decision import decide
from ml_models.gates import measure
from ml_models.labels import CODES, Label
from ml_models.patient import AgeBand, PatientEffects, PatientFacts, Sex, Site
from ml_models.preprocess import preprocess
from ml_pipeline.synthetic import Scene, draw
from tests.typescript.conftest import FOLDER, ROOT, run

pytestmark = pytest.mark.slow

# Shrunk by odd, whole and equal factors; enlarged; one side enlarged; cut because wide or tall; halved for the gates.
SIZES = [
    (600, 450), (531, 397), (640, 480), (400, 400), (160, 160), (161, 240), (121, 97), (90, 300), (150, 400),
    (977, 201), (213, 1003), (1200, 900), (65, 64), (320, 320), (480, 160),
]  # fmt: skip
SHARE = 1 / 64  # sums of such shares are exact, so thresholds are met exactly
WORDS = [
    "", "left forearm", "LEFT FOREARM", "back of the hand", "back", "espalda", "dorso de la mano", "dedo del pie",
    "dedo de la mano", "Muñeca", "sole of the left foot", "palms", "arm and leg", "upper extremity", "nowhere",
    "scalp,", "(chest)", "backß", "ßback", "shoulderblade", "mentón", "PÁRPADO", "knee\u2013calf",
    "parte trasera del muslo", "\uff42\uff41\uff43\uff4b", "手 hand", "手hand", "toes", "noses", "torso_2",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Known:
    """A model document, and what its description is changed to; `language` of its texts."""

    document: ModelDocument
    gates_judged: bool = False
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Compared:
    """The cases, and what the reference implementation answered."""

    folder: Path
    knowns: list[Known]
    photos: list[NDArray[np.uint8]]
    cases: dict[str, Any]
    answers: dict[str, Any]


def foreign(code: str, severity: Severity, *, malignant: bool | None) -> Label:
    return Label(code, f"{code} of a clinic", malignant, severity, f"Ask about {code}.")


def knowns_from(document: ModelDocument) -> list[Known]:
    """The shipped model, one that has learnt from facts and is validated throughout, and foreign ones."""
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
        minimum_confidence=24 * SHARE,
    )
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
    mixed = dataclasses.replace(learnt, labels=some_unknown, calibrations=plain, patient_effects=PatientEffects())
    unmeasured = dataclasses.replace(mixed, malignancy_thresholds={})
    unjudging = dataclasses.replace(mixed, labels=unknown_and_benign)
    return [
        Known(document),
        Known(learnt),
        Known(learnt, gates_judged=True),
        Known(learnt, gates_judged=True, language="es"),
        Known(mixed, gates_judged=True),
        Known(unmeasured, gates_judged=True),
        Known(unjudging, gates_judged=True),
    ]


def description_of(known: Known, classifier: Classifier) -> dict[str, Any]:
    with translation.override(known.language):
        description = describe(known.document, classifier.identity, size_bytes=1)
    decision = {**description["decision"], "gates_judged": known.gates_judged}
    return {**description, "decision": decision}


def write_photos(folder: Path, classifier: Classifier, photos: list[NDArray[np.uint8]]) -> list[dict[str, Any]]:
    cases = []
    for index, rgb in enumerate(photos):
        file = folder / f"{index}.rgb"
        file.write_bytes(rgb.tobytes())
        cases.append(
            {
                "description": 0,
                "modality": None,
                "file": str(file),
                "width": rgb.shape[1],
                "height": rgb.shape[0],
                "logits": classifier.logits(rgb).tolist(),
                "patient": {},
            }
        )
    return cases


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
        cases.append({"description": known, "modality": modality, "probabilities": (counts * SHARE).tolist()})
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

    photos = [
        draw(Scene(lesion="nv" if seed % 2 else "mel"), width_px=width, height_px=height, seed=seed)
        for seed, (width, height) in enumerate(SIZES)
    ]
    photos.append(np.full((300, 400, 3), 190, np.uint8))  # rejected
    knowns = knowns_from(shipped_classifier.document)
    cases = {
        "descriptions": [description_of(known, shipped_classifier) for known in knowns],
        "photos": write_photos(folder, shipped_classifier, photos),
        "logits": logits_cases(knowns),
        "tables": table_cases(knowns),
    }
    (folder / "cases.json").write_text(json.dumps(cases))
    run(node, "answers.js", "cases.json", "answers.json", folder=folder)
    return Compared(folder, knowns, photos, cases, json.loads((folder / "answers.json").read_text()))


def tensor(compared: Compared, index: int, size_px: int) -> NDArray[np.float32]:
    return np.fromfile(compared.folder / f"{index}.rgb.tensor", np.float32).reshape(size_px, size_px, 3)


def as_typescript(decision: Decision, language: str) -> dict[str, Any]:
    with translation.override(language):
        return {
            "status": decision.status,
            "label": decision.label,
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
    difference = np.abs(tensor(compared, index, spec.size_px) - preprocess(compared.photos[index], spec))
    assert difference.max() <= 1e-3


def test_gate_scores_are_the_servers(compared: Compared):
    for photo, answer in zip(compared.photos, compared.answers["photos"], strict=True):
        assert answer["gateScores"] == pytest.approx(measure(photo), rel=1e-3, abs=1e-3)


def test_photo_is_answered_as_by_the_server(compared: Compared, shipped_classifier: Classifier):
    for photo, answer in zip(compared.photos, compared.answers["photos"], strict=True):
        expected = shipped_classifier.classify(photo)
        assert answer["probabilities"] == (expected.probabilities and pytest.approx(expected.probabilities, abs=1e-9))
        seen, wanted = answer["decision"], as_typescript(expected.decision, "en")
        assert seen.pop("malignancy") == pytest.approx(wanted.pop("malignancy"), abs=1e-9)
        assert seen == wanted


def test_photo_of_a_plain_colour_is_rejected_without_running_the_network(compared: Compared):
    assert compared.answers["photos"][-1]["decision"]["status"] == "rejected"
    assert not (compared.folder / f"{len(SIZES)}.rgb.tensor").exists()


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
        expected = decide(by_code, known.document.rules, modality=modality, gates_judged=known.gates_judged)
        assert answer == as_typescript(expected, known.language)


def test_tables_reach_every_kind_of_answer(compared: Compared):
    """Or equality would be shown for the easy ones alone."""
    seen = compared.answers["tables"]
    assert {answer["isSafe"] for answer in seen} == {True, False}
    assert {answer["severity"] for answer in seen} == set(Severity)
    assert {reason["code"] for answer in seen for reason in answer["reasons"]} == {
        "low_confidence", "suspicious", "unknown_malignancy", "not_validated",
    }  # fmt: skip
    assert any(answer["malignancy"]["probability"] == answer["malignancy"]["threshold"] for answer in seen)


def test_downloaded_file_gives_the_servers_probabilities(compared: Compared, shipped_classifier: Classifier):
    """The whole way of a phone: the address in the description, its bytes, its own input, probabilities to 1e-3."""
    description = Client().get("/api/model/on-device/").json()
    file = description["file"]
    content = Client().get(file["url"]).getvalue()
    network = Interpreter(model_content=content, num_threads=1).get_signature_runner(file["signature"])
    for index, photo in enumerate(compared.photos[: len(SIZES)]):
        image = tensor(compared, index, description["input"]["size_px"])[np.newaxis]
        logits = network(**{file["input"]: image})[file["output"]][0]
        seen = shipped_classifier.document.probabilities(logits)
        expected = list((shipped_classifier.classify(photo).probabilities or {}).values())
        np.testing.assert_allclose(seen, expected, atol=1e-3, rtol=0)
