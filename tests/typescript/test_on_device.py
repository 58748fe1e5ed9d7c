"""The reference implementation in `on_device/` against the server's own values: from the same pixels, the same answers.

One run of Node answers all cases. Tolerances: 1e-3 grey levels of 0-255 for the model's input, 1e-3 for probabilities
through the network, 1e-3 of the value for gate scores, 1e-9 for probabilities from the same logits; words exactly.
"""

import dataclasses
import itertools
import json
import shutil
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
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
from ml_models.gates import Gate
from ml_models.heads import COVERAGE, KIND_ORDER, KINDS
from ml_models.labels import CODES, Label
from ml_models.patient import AgeBand, PatientEffects, PatientFacts, Sex, Site
from ml_models.preprocess import preprocess
from ml_models.runtime import LiteRtRuntime
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


GRID = 6
HEADS = {KINDS: (len(KIND_ORDER),), COVERAGE: (GRID, GRID, 1)}
LESIONS = 96  # with drawn outputs


GATES = (
    Gate("brightness", 60.0, ReasonCode.TOO_DARK),
    Gate("contrast", 2.0, ReasonCode.NO_DETAIL),
    Gate("sharpness", 20.0, ReasonCode.TOO_BLURRED, Modality.DERMATOSCOPIC),
    Gate("sharpness", 5.0, ReasonCode.TOO_BLURRED, Modality.CLINICAL),
    Gate("unclipped", 0.6, ReasonCode.WASHED_OUT),
    Gate("detail_px", 100.0, ReasonCode.NO_DETAIL, Modality.CLINICAL),
    Gate("lesion_photo", 0.05, ReasonCode.NOT_A_LESION),
    Gate("lesion_share", 0.2, ReasonCode.LESION_TOO_SMALL),
    Gate("lesion_inside", 0.4, ReasonCode.LESION_CUT_OFF, Modality.DERMATOSCOPIC),
    Gate("lesion_inside", 0.25, ReasonCode.LESION_CUT_OFF, Modality.CLINICAL),
    Gate("modality_certainty", 0.55, ReasonCode.NOT_A_LESION),
)


@dataclass(frozen=True, slots=True)
class Known:
    """A model document, whether its network has heads, and the language of its texts."""

    document: ModelDocument
    has_heads: bool = True
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Lesion:
    """Photos of one lesion, what a network gave for each, of whom, and under which of the known documents."""

    known: int
    photos: list[NDArray[np.uint8]]
    outputs: list[dict[str, NDArray[np.float32]]]
    patient: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Compared:
    """The cases, and what the reference implementation answered; one photo after the other, then drawn lesions."""

    folder: Path
    knowns: list[Known]
    lesions: list[Lesion]
    cases: dict[str, Any]
    answers: dict[str, Any]


class GivenRuntime:
    """A network whose outputs are known, one photo after the other."""

    def __init__(self, outputs: list[dict[str, NDArray[np.float32]]]) -> None:
        self._waiting = deque(outputs)

    def run(self, _images: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        return {name: value[np.newaxis] for name, value in self._waiting.popleft().items()}


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


def photographed(classifier: Classifier) -> list[Lesion]:
    """A photo of every size, and one that is rejected, with what the shipped network gives for them."""
    runtime, spec = LiteRtRuntime(classifier.litert_model), classifier.document.input
    photos = [
        draw(Scene(lesion="nv" if seed % 2 else "mel"), width_px=width, height_px=height, seed=seed)
        for seed, (width, height) in enumerate(SIZES)
    ]
    photos.append(np.full((300, 400, 3), 190, np.uint8))
    outputs = [runtime.run(preprocess(rgb, spec)[np.newaxis]) for rgb in photos]
    return [
        Lesion(0, [rgb], [{name: value[0] for name, value in given.items()}], {})
        for rgb, given in zip(photos, outputs, strict=True)
    ]


def small_photos() -> list[NDArray[np.uint8]]:
    """Good ones, and one for each way of taking a bad one."""
    good = [draw(Scene(lesion="nv"), width_px=160, height_px=120, seed=seed) for seed in range(8)]
    bad = [
        good[0] // 4,
        np.maximum(good[1], 252),
        cv2.GaussianBlur(good[2], (0, 0), 6),
        np.ascontiguousarray(good[3][:80, :90]),
    ]
    return [*good, *(np.asarray(each, np.uint8) for each in bad), np.full((90, 120, 3), 190, np.uint8)]


def drawn_lesions(
    knowns: list[Known], photos: list[NDArray[np.uint8]], feature_map: NDArray[np.float32]
) -> list[Lesion]:
    """One to five photos each, with outputs as a network might give them."""
    rng = np.random.default_rng(8)
    lesions = []
    for index in range(LESIONS):
        known = index % len(knowns)
        count = 1 + index % 5
        classes = len(knowns[known].document.labels)
        towards = rng.normal(size=classes) * 2  # several photos of one lesion are alike
        outputs = []
        for _ in range(count):
            given = {"logits": towards + rng.normal(size=classes), FEATURE_MAP: feature_map}
            if knowns[known].has_heads:
                given |= {name: rng.normal(rng.uniform(-0.1, 0.5), 0.5, size=shape) for name, shape in HEADS.items()}
                given[KINDS] = (given[KINDS] + rng.permutation([4, 0, 0])).astype(np.float32)
            outputs.append({name: np.asarray(value, np.float32) for name, value in given.items()})
        chosen = [photos[each] for each in rng.integers(len(photos), size=count)]
        words = {"sex": "female", "site": WORDS[index % len(WORDS)], "ageYears": 10 + index % 70}
        lesions.append(Lesion(known, chosen, outputs, words))
    return lesions


def lesion_cases(folder: Path, lesions: list[Lesion]) -> list[dict[str, Any]]:
    """The lesions as JSON; the input of the model is written for the first photos, one of every size."""
    files: dict[int, Path] = {}
    cases = []
    for index, lesion in enumerate(lesions):
        rows = []
        for rgb, outputs in zip(lesion.photos, lesion.outputs, strict=True):
            file = files.setdefault(id(rgb), folder / f"{len(files)}.rgb")
            if not file.exists():
                file.write_bytes(rgb.tobytes())
            given = {name: value.ravel().tolist() for name, value in outputs.items() if name != FEATURE_MAP}
            tensor = str(folder / f"{index}.tensor") if index < len(SIZES) else None
            size = {"width": rgb.shape[1], "height": rgb.shape[0]}
            rows.append({"file": str(file), **size, "outputs": given, "tensor": tensor})
        cases.append({"description": lesion.known, "photos": rows, "patient": lesion.patient})
    return cases


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
