"""The severity and safety table, row by row, and that no combination can break it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_models.classification import Modality, ReasonCode, Severity, Status
from ml_models.decision import DecisionRules, decide
from ml_models.errors import InferenceError
from ml_models.labels import BY_CODE, CATALOGUE, CODES, Label

DERMATOSCOPIC = Modality.DERMATOSCOPIC
RULES = DecisionRules(CATALOGUE, {DERMATOSCOPIC: 0.2}, minimum_confidence=0.4)
JUDGED = {"modality": DERMATOSCOPIC, "gates_judged": True}


def probabilities(**given_ones: float) -> dict[str, float]:
    """The given probabilities; what is left goes to the other benign classes in equal parts."""
    rest = [code for code in ("bkl", "df", "nv", "vasc") if code not in given_ones]
    left = (1 - sum(given_ones.values())) / len(rest)
    return {code: given_ones.get(code, left if code in rest else 0.0) for code in CODES}


def test_decide_rejected_has_no_label_and_is_moderate() -> None:
    decision = decide(None, RULES, rejections=(ReasonCode.NO_DETAIL,))
    assert (decision.status, decision.label, decision.diagnosis) == (Status.REJECTED, None, "Photo not usable")
    assert (decision.severity, decision.is_safe, decision.confidence_percent) == (Severity.MODERATE, False, 0.0)


def test_decide_uncertain_is_named_as_unsure() -> None:
    decision = decide(probabilities(nv=0.35), RULES, **JUDGED)
    assert decision.status is Status.UNCERTAIN
    assert decision.diagnosis.startswith("Unsure")
    assert (decision.severity, decision.is_safe) == (Severity.MODERATE, False)


def test_decide_uncertain_and_suspicious_is_high() -> None:
    decision = decide(probabilities(nv=0.35, mel=0.3), RULES, **JUDGED)
    assert (decision.status, decision.severity) == (Status.UNCERTAIN, Severity.HIGH)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("share", [0.3, 0.9], ids=["unsure", "sure"])
def test_decide_suspicious_advice_always_sends_to_a_dermatologist(code: str, share: float) -> None:
    rules = DecisionRules(CATALOGUE, {DERMATOSCOPIC: 0.0}, minimum_confidence=0.4)
    assert "dermatologist" in decide(probabilities(**{code: share}), rules, **JUDGED).advice


@pytest.mark.parametrize("code", ["mel", "scc", "bcc"])
def test_decide_malignant_top_is_high(code: str) -> None:
    decision = decide(probabilities(**{code: 0.9}), RULES, **JUDGED)
    assert (decision.label, decision.severity, decision.is_safe) == (code, Severity.HIGH, False)


def test_decide_akiec_under_the_threshold_is_moderate() -> None:
    rules = DecisionRules(CATALOGUE, {DERMATOSCOPIC: 0.95}, minimum_confidence=0.4)
    decision = decide(probabilities(akiec=0.9), rules, **JUDGED)
    assert (decision.severity, decision.is_safe) == (Severity.MODERATE, False)


def test_decide_akiec_suspicious_is_high() -> None:
    assert decide(probabilities(akiec=0.9), RULES, **JUDGED).severity is Severity.HIGH


def test_decide_benign_top_over_the_threshold_says_possible_malignancy() -> None:
    decision = decide(probabilities(nv=0.7, mel=0.1, bcc=0.1), RULES, **JUDGED)
    assert (decision.label, decision.severity, decision.is_safe) == ("nv", Severity.HIGH, False)
    assert "possible malignancy" in decision.diagnosis
    assert "dermatologist" in decision.advice


def test_decide_unknown_malignancy_is_moderate() -> None:
    foreign = (Label("x", "X", None, Severity.LOW, "See a doctor."), BY_CODE["nv"])
    decision = decide({"x": 0.9, "nv": 0.1}, DecisionRules(foreign, {DERMATOSCOPIC: 0.95}, 0.4), **JUDGED)
    assert (decision.severity, decision.is_safe) == (Severity.MODERATE, False)


UNKNOWN = Label("x", "X", None, Severity.MODERATE, "See a doctor.")


def test_decide_unknown_malignancy_is_never_called_possible_malignancy() -> None:
    rules = DecisionRules((UNKNOWN, BY_CODE["nv"], BY_CODE["mel"]), {DERMATOSCOPIC: 0.2}, 0.4)
    decision = decide({"x": 0.9, "nv": 0.05, "mel": 0.05}, rules, **JUDGED)
    assert (decision.diagnosis, decision.severity, decision.malignancy.suspicious) == ("X", Severity.MODERATE, False)
    assert decision.malignancy.probability == pytest.approx(0.05)


@pytest.mark.parametrize(("share", "is_safe"), [(0.1, True), (0.15, False), (0.3, False)])
def test_decide_benign_top_is_safe_only_if_it_were_with_unknown_classes_malignant(
    *, share: float, is_safe: bool
) -> None:
    rules = DecisionRules((UNKNOWN, BY_CODE["nv"], BY_CODE["mel"]), {DERMATOSCOPIC: 0.2}, 0.4)
    decision = decide({"x": share, "nv": 0.95 - share, "mel": 0.05}, rules, **JUDGED)
    assert decision.is_safe is is_safe
    assert decision.severity is (Severity.LOW if is_safe else Severity.MODERATE)
    assert not decision.malignancy.suspicious


@pytest.mark.parametrize("others", [(), (BY_CODE["nv"],)], ids=["nothing known", "some benign"])
def test_decide_without_any_malignant_class_states_no_malignant_probability(others: tuple[Label, ...]) -> None:
    labels = (UNKNOWN, *others)
    shares = {label.code: 1 / len(labels) for label in labels}
    malignancy = decide(shares, DecisionRules(labels, {DERMATOSCOPIC: 0.2}, 0.4), **JUDGED).malignancy
    assert (malignancy.probability, malignancy.suspicious) == (None, False)


def test_decide_all_benign_has_a_malignant_probability_of_none_at_all() -> None:
    labels = (BY_CODE["nv"], BY_CODE["df"])
    malignancy = decide({"nv": 0.5, "df": 0.5}, DecisionRules(labels, {}, 0.4)).malignancy
    assert (malignancy.probability, malignancy.suspicious) == (0.0, False)


@pytest.mark.parametrize(
    "unjudged",
    [{}, {"modality": DERMATOSCOPIC}, {"gates_judged": True}, {"modality": Modality.CLINICAL, "gates_judged": True}],
    ids=["nothing", "no gates", "no modality", "modality without threshold"],
)
def test_decide_unvalidated_photo_is_at_least_moderate(unjudged: dict[str, object]) -> None:
    decision = decide(probabilities(nv=0.97), RULES, **unjudged)
    assert (decision.severity, decision.is_safe) == (Severity.MODERATE, False)
    assert ReasonCode.NOT_VALIDATED in [reason.code for reason in decision.reasons]


def test_decide_clear_benign_validated_is_low_and_safe() -> None:
    decision = decide(probabilities(nv=0.97), RULES, **JUDGED)
    assert (decision.status, decision.severity, decision.is_safe) == (Status.OK, Severity.LOW, True)
    assert decision.reasons == ()


def test_decide_at_the_threshold_is_suspicious() -> None:
    assert decide(probabilities(nv=0.7, mel=0.2), RULES, **JUDGED).malignancy.suspicious


def test_decide_unknown_modality_uses_the_most_cautious_threshold() -> None:
    rules = DecisionRules(CATALOGUE, {DERMATOSCOPIC: 0.2, Modality.CLINICAL: 0.1}, 0.4)
    malignancy = decide(probabilities(nv=0.8, mel=0.15), rules).malignancy
    assert (malignancy.threshold, malignancy.suspicious) == (0.1, True)


def test_decide_without_any_threshold_flags_a_malignant_top() -> None:
    malignancy = decide(probabilities(mel=0.6), DecisionRules(CATALOGUE, {}, 0.4)).malignancy
    assert (malignancy.threshold, malignancy.suspicious) == (None, True)


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -0.1], ids=str)
def test_decide_impossible_probability_is_refused(wrong: float) -> None:
    with pytest.raises(InferenceError):
        decide({**probabilities(nv=0.9), "mel": wrong}, RULES)


def test_decide_probabilities_of_other_labels_are_refused() -> None:
    with pytest.raises(InferenceError):
        decide({"nv": 1.0}, RULES)


def test_decide_nothing_at_all_is_refused() -> None:
    with pytest.raises(InferenceError):
        decide(None, RULES)


@given(
    raw=st.lists(st.floats(0, 1), min_size=8, max_size=8).filter(lambda values: sum(values) > 0.01),
    threshold=st.none() | st.floats(0, 1),
    minimum_confidence=st.floats(0, 1),
    modality=st.none() | st.sampled_from(Modality),
    gates_judged=st.booleans(),
    rejected=st.booleans(),
)
def test_decide_safe_only_when_everything_allows_it(
    *,
    raw: list[float],
    threshold: float | None,
    minimum_confidence: float,
    modality: Modality | None,
    gates_judged: bool,
    rejected: bool,
) -> None:
    values = {code: value / sum(raw) for code, value in zip(CODES, raw, strict=True)}
    thresholds = {} if threshold is None else {DERMATOSCOPIC: threshold}
    decision = decide(
        values,
        DecisionRules(CATALOGUE, thresholds, minimum_confidence),
        rejections=(ReasonCode.NO_DETAIL,) if rejected else (),
        modality=modality,
        gates_judged=gates_judged,
    )
    malignant = sum(values[code] for code in ("akiec", "bcc", "mel", "scc"))
    if decision.is_safe:
        assert not rejected
        assert gates_judged
        assert modality is DERMATOSCOPIC
        assert threshold is not None
        assert malignant < threshold
        assert decision.label in ("bkl", "df", "nv", "vasc")
        assert (decision.status, decision.severity) == (Status.OK, Severity.LOW)
    if decision.severity is Severity.LOW:
        assert decision.is_safe
    assert "healthy" not in decision.advice.lower()


@given(
    rows=st.lists(
        st.tuples(st.floats(0.001, 1), st.sampled_from([True, False, None]), st.sampled_from(Severity)),
        min_size=1,
        max_size=20,
    ),
    threshold=st.none() | st.floats(0, 1),
    minimum_confidence=st.floats(0, 1),
    gates_judged=st.booleans(),
)
def test_decide_any_label_set_is_safe_only_when_everything_allows_it(
    *,
    rows: list[tuple[float, bool | None, Severity]],
    threshold: float | None,
    minimum_confidence: float,
    gates_judged: bool,
) -> None:
    labels = tuple(Label(f"c{n}", f"C {n}", malignant, each, "") for n, (_, malignant, each) in enumerate(rows))
    total = sum(share for share, _, _ in rows)
    shares = {label.code: share / total for label, (share, _, _) in zip(labels, rows, strict=True)}
    thresholds = {} if threshold is None else {DERMATOSCOPIC: threshold}
    rules = DecisionRules(labels, thresholds, minimum_confidence)
    decision = decide(shares, rules, modality=DERMATOSCOPIC, gates_judged=gates_judged)
    top = next(label for label in labels if label.code == decision.label)
    not_benign = sum(shares[label.code] for label in labels if label.malignant is not False)
    if top.malignant is None:
        assert decision.severity is not Severity.LOW
    if decision.is_safe:
        assert gates_judged
        assert top.malignant is False
        assert threshold is not None
        assert not_benign < threshold or not_benign == 0
        assert (decision.status, decision.severity) == (Status.OK, Severity.LOW)
