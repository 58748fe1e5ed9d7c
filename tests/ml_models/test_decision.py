"""The severity and safety table, row by row, and that no combination can break it."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_models.classification import Decision, Modality, ReasonCode, Severity, Status
from ml_models.decision import DecisionRules, decide
from ml_models.errors import InferenceError
from ml_models.labels import BY_CODE, CATALOGUE, CODES, Label

DERMATOSCOPIC = Modality.DERMATOSCOPIC
SETS = {DERMATOSCOPIC: 0.15}
RULES = DecisionRules(CATALOGUE, {DERMATOSCOPIC: 0.2}, SETS, gated=(DERMATOSCOPIC,))


def rules_of(labels: tuple[Label, ...], threshold: float | None = 0.2) -> DecisionRules:
    """Rules for dermatoscopic photos, all gates chosen."""
    return DecisionRules(labels, {} if threshold is None else {DERMATOSCOPIC: threshold}, SETS, (DERMATOSCOPIC,))


def judged(shares: dict[str, float], rules: DecisionRules = RULES, **more: object) -> Decision:
    """The decision on a photo that passed the gates as dermatoscopic."""
    return decide(shares, rules, modality=DERMATOSCOPIC, **more)


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
    decision = judged(probabilities(nv=0.6, mel=0.19))
    assert (decision.status, decision.possible) == (Status.UNCERTAIN, ("nv", "mel"))
    assert decision.diagnosis.startswith("Unsure")
    assert (decision.severity, decision.is_safe) == (Severity.MODERATE, False)


def test_decide_uncertain_and_suspicious_is_high() -> None:
    decision = judged(probabilities(nv=0.45, mel=0.3))
    assert (decision.status, decision.severity) == (Status.UNCERTAIN, Severity.HIGH)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("share", [0.3, 0.9], ids=["unsure", "sure"])
def test_decide_suspicious_advice_always_sends_to_a_dermatologist(code: str, share: float) -> None:
    assert "dermatologist" in judged(probabilities(**{code: share}), rules_of(CATALOGUE, 0.0)).advice


@pytest.mark.parametrize("code", ["mel", "scc", "bcc"])
def test_decide_malignant_top_is_high(code: str) -> None:
    decision = judged(probabilities(**{code: 0.9}))
    assert (decision.label, decision.severity, decision.is_safe) == (code, Severity.HIGH, False)


def test_decide_akiec_under_the_threshold_is_moderate() -> None:
    decision = judged(probabilities(akiec=0.9), rules_of(CATALOGUE, 0.95))
    assert (decision.severity, decision.is_safe) == (Severity.MODERATE, False)


def test_decide_akiec_suspicious_is_high() -> None:
    assert judged(probabilities(akiec=0.9)).severity is Severity.HIGH


def test_decide_benign_top_over_the_threshold_says_possible_malignancy() -> None:
    decision = judged(probabilities(nv=0.7, mel=0.1, bcc=0.1))
    assert (decision.label, decision.severity, decision.is_safe) == ("nv", Severity.HIGH, False)
    assert "possible malignancy" in decision.diagnosis
    assert "dermatologist" in decision.advice


def test_decide_unknown_malignancy_is_moderate() -> None:
    foreign = (Label("x", "X", None, Severity.LOW, "See a doctor."), BY_CODE["nv"])
    decision = judged({"x": 0.9, "nv": 0.1}, rules_of(foreign, 0.95))
    assert (decision.severity, decision.is_safe) == (Severity.MODERATE, False)


UNKNOWN = Label("x", "X", None, Severity.MODERATE, "See a doctor.")


def test_decide_unknown_malignancy_is_never_called_possible_malignancy() -> None:
    rules = rules_of((UNKNOWN, BY_CODE["nv"], BY_CODE["mel"]))
    decision = judged({"x": 0.9, "nv": 0.05, "mel": 0.05}, rules)
    assert (decision.diagnosis, decision.severity, decision.malignancy.suspicious) == ("X", Severity.MODERATE, False)
    assert decision.malignancy.probability == pytest.approx(0.05)


@pytest.mark.parametrize(("share", "is_safe"), [(0.1, True), (0.1501, False), (0.3, False)])
def test_decide_benign_top_is_safe_only_if_it_were_with_unknown_classes_malignant(
    *, share: float, is_safe: bool
) -> None:
    rules = rules_of((UNKNOWN, BY_CODE["nv"], BY_CODE["mel"]))
    decision = judged({"x": share, "nv": 0.95 - share, "mel": 0.05}, rules)
    assert decision.is_safe is is_safe
    assert decision.severity is (Severity.LOW if is_safe else Severity.MODERATE)
    assert not decision.malignancy.suspicious


@pytest.mark.parametrize("others", [(), (BY_CODE["nv"],)], ids=["nothing known", "some benign"])
def test_decide_without_any_malignant_class_states_no_malignant_probability(others: tuple[Label, ...]) -> None:
    labels = (UNKNOWN, *others)
    shares = {label.code: 1 / len(labels) for label in labels}
    malignancy = judged(shares, rules_of(labels)).malignancy
    assert (malignancy.probability, malignancy.suspicious) == (None, False)


def test_decide_all_benign_has_a_malignant_probability_of_none_at_all() -> None:
    labels = (BY_CODE["nv"], BY_CODE["df"])
    malignancy = decide({"nv": 0.5, "df": 0.5}, DecisionRules(labels, {}, {})).malignancy
    assert (malignancy.probability, malignancy.suspicious) == (0.0, False)


@pytest.mark.parametrize(
    ("rules", "modality"),
    [
        (RULES, None),
        (RULES, Modality.CLINICAL),
        (replace(RULES, gated=()), DERMATOSCOPIC),
        (replace(RULES, malignancy_thresholds={}), DERMATOSCOPIC),
    ],
    ids=["modality not certain", "modality without threshold", "no gates", "no threshold"],
)
def test_decide_unvalidated_photo_is_at_least_moderate(rules: DecisionRules, modality: Modality | None) -> None:
    decision = decide(probabilities(nv=0.97), rules, modality=modality)
    assert (decision.severity, decision.is_safe) == (Severity.MODERATE, False)
    assert ReasonCode.NOT_VALIDATED in [reason.code for reason in decision.reasons]


def test_decide_classes_that_call_for_the_same_care_leave_no_doubt() -> None:
    decision = judged(probabilities(nv=0.4, bkl=0.4))
    assert (decision.status, decision.is_safe) == (Status.OK, True)
    assert set(decision.possible) == {"nv", "bkl"}


def test_decide_no_possible_class_is_uncertain() -> None:
    decision = judged(probabilities(), replace(RULES, prediction_sets={DERMATOSCOPIC: 0.9}))
    assert (decision.status, decision.possible, decision.is_safe) == (Status.UNCERTAIN, (), False)


def test_decide_two_classes_of_unknown_malignancy_are_uncertain_whatever_their_severity() -> None:
    labels = (UNKNOWN, replace(UNKNOWN, code="y"))
    assert judged({"x": 0.5, "y": 0.5}, rules_of(labels)).status is Status.UNCERTAIN


def test_decide_unknown_modality_has_the_largest_set() -> None:
    rules = replace(RULES, prediction_sets={DERMATOSCOPIC: 0.15, Modality.CLINICAL: 0.05})
    shares = probabilities(nv=0.85, mel=0.06)
    assert decide(shares, rules, modality=DERMATOSCOPIC).possible == ("nv",)
    assert decide(shares, rules).possible == ("nv", "mel")


def test_decide_one_suspicious_photo_of_several_forbids_safe() -> None:
    calm, alarmed = probabilities(nv=0.97), probabilities(mel=0.5, nv=0.5)
    together = judged(probabilities(nv=0.9, mel=0.05), photos=(calm, alarmed))
    assert (together.severity, together.is_safe) == (Severity.MODERATE, False)
    assert [reason.code for reason in together.reasons] == [ReasonCode.PHOTOS_DISAGREE]
    assert "dermatologist" in together.advice
    assert judged(probabilities(nv=0.9, mel=0.05), photos=(calm, calm)).is_safe


def test_decide_one_photo_that_leaves_a_melanoma_possible_forbids_safe() -> None:
    doubtful = probabilities(nv=0.83, mel=0.16)
    together = judged(probabilities(nv=0.95, mel=0.04), photos=(doubtful, probabilities(nv=0.985, mel=0.01)))
    assert (together.status, together.is_safe) == (Status.OK, False)
    assert [reason.code for reason in together.reasons] == [ReasonCode.PHOTOS_DISAGREE]


def test_decide_clear_benign_validated_is_low_and_safe() -> None:
    decision = judged(probabilities(nv=0.97))
    assert (decision.status, decision.severity, decision.is_safe) == (Status.OK, Severity.LOW, True)
    assert decision.reasons == ()


def test_decide_at_the_threshold_is_suspicious() -> None:
    assert judged(probabilities(nv=0.7, mel=0.2)).malignancy.suspicious


def test_decide_unknown_modality_uses_the_most_cautious_threshold() -> None:
    rules = DecisionRules(CATALOGUE, {DERMATOSCOPIC: 0.2, Modality.CLINICAL: 0.1}, SETS)
    malignancy = decide(probabilities(nv=0.8, mel=0.15), rules).malignancy
    assert (malignancy.threshold, malignancy.suspicious) == (0.1, True)


def test_decide_without_any_threshold_flags_a_malignant_top() -> None:
    malignancy = decide(probabilities(mel=0.6), DecisionRules(CATALOGUE, {}, {})).malignancy
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


PROBABILITIES = st.lists(st.floats(0, 1), min_size=8, max_size=8).filter(lambda values: sum(values) > 0.01)


def shares_of(raw: list[float]) -> dict[str, float]:
    """The numbers as probabilities of the known classes."""
    return {code: value / sum(raw) for code, value in zip(CODES, raw, strict=True)}


@given(
    raw=PROBABILITIES,
    photos=st.lists(PROBABILITIES, max_size=3),
    thresholds=st.dictionaries(st.sampled_from(Modality), st.floats(0, 1)),
    sets=st.dictionaries(st.sampled_from(Modality), st.floats(0, 1)),
    gated=st.lists(st.sampled_from(Modality), unique=True).map(tuple),
    modality=st.none() | st.sampled_from(Modality),
    rejections=st.lists(st.sampled_from(ReasonCode), max_size=2).map(tuple),
)
def test_decide_safe_only_when_everything_allows_it(
    *,
    raw: list[float],
    photos: list[list[float]],
    thresholds: dict[Modality, float],
    sets: dict[Modality, float],
    gated: tuple[Modality, ...],
    modality: Modality | None,
    rejections: tuple[ReasonCode, ...],
) -> None:
    values, alone = shares_of(raw), [shares_of(each) for each in photos]
    rules = DecisionRules(CATALOGUE, thresholds, sets, gated)
    decision = decide(values, rules, rejections=rejections, modality=modality, photos=alone)
    if decision.is_safe:
        assert not rejections
        assert modality in gated
        for each in (values, *alone):
            assert sum(each[code] for code in ("akiec", "bcc", "mel", "scc")) < thresholds[modality]
            assert {label.severity for label in rules.possible(each, modality)} == {Severity.LOW}
        assert decision.label in ("bkl", "df", "nv", "vasc")
        assert decision.possible
        assert set(decision.possible) <= {"bkl", "df", "nv", "vasc"}
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
    least=st.floats(0, 1),
    gated=st.booleans(),
)
def test_decide_any_label_set_is_safe_only_when_everything_allows_it(
    *, rows: list[tuple[float, bool | None, Severity]], threshold: float | None, least: float, gated: bool
) -> None:
    labels = tuple(Label(f"c{n}", f"C {n}", malignant, each, "") for n, (_, malignant, each) in enumerate(rows))
    total = sum(share for share, _, _ in rows)
    shares = {label.code: share / total for label, (share, _, _) in zip(labels, rows, strict=True)}
    thresholds = {} if threshold is None else {DERMATOSCOPIC: threshold}
    rules = DecisionRules(labels, thresholds, {DERMATOSCOPIC: least}, (DERMATOSCOPIC,) if gated else ())
    decision = decide(shares, rules, modality=DERMATOSCOPIC)
    top = next(label for label in labels if label.code == decision.label)
    not_benign = sum(shares[label.code] for label in labels if label.malignant is not False)
    if top.malignant is None:
        assert decision.severity is not Severity.LOW
    if decision.is_safe:
        assert gated
        assert top.malignant is False
        assert threshold is not None
        assert not_benign < threshold or not_benign == 0
        assert (decision.status, decision.severity) == (Status.OK, Severity.LOW)
