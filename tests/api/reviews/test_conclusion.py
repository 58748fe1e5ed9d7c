"""What the answers to a case come to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.reviews.conclusion import Answer, Basis, Conclusion, Finding, Kind, Standing, Verdict, conclude

UNSURE, NOT_A_LESION = Finding(Verdict.UNSURE), Finding(Verdict.NOT_A_LESION)
MEL, NV = Finding(Verdict.CLASS, "mel"), Finding(Verdict.CLASS, "nv")
BY_KNOWLEDGE = (Basis.HISTOLOGY, Basis.CONSENSUS, Basis.FOLLOW_UP)


def opinion(finding: Finding) -> Answer:
    return Answer(finding, Basis.OPINION)


def result(finding: Finding, basis: Basis, kind: Kind = Kind.RESULT) -> Answer:
    return Answer(finding, basis, kind, is_reading=False)


def resolution(finding: Finding, basis: Basis = Basis.OPINION) -> Answer:
    return Answer(finding, basis, Kind.RESOLUTION, is_reading=basis is Basis.OPINION)


def test_conclude_nothing_waits():
    assert conclude([]) == Conclusion(Standing.WAITING, wants_reading=True)


@pytest.mark.parametrize("finding", [MEL, NOT_A_LESION])
def test_conclude_one_opinion_stands_where_one_is_enough(finding: Finding):
    assert conclude([opinion(finding)]) == Conclusion(Standing.CONCLUDED, finding=finding, basis=Basis.OPINION)


def test_conclude_second_opinion_is_waited_for():
    assert conclude([opinion(MEL)], opinions_required=2) == Conclusion(Standing.WAITING, wants_reading=True)
    assert conclude([opinion(MEL), opinion(MEL)], opinions_required=2).finding == MEL


@pytest.mark.parametrize("other", [NV, NOT_A_LESION])
def test_conclude_disagreement_is_no_label_and_wants_a_further_reader(other: Finding):
    assert conclude([opinion(MEL), opinion(other)]) == Conclusion(Standing.DISPUTED, wants_reading=True)


def test_conclude_unsure_asks_the_next_and_does_not_contradict():
    assert conclude([opinion(UNSURE)]).wants_reading
    assert conclude([opinion(UNSURE), opinion(NV)]).finding == NV


def test_conclude_unsure_is_no_second_opinion():
    assert conclude([opinion(NV), opinion(UNSURE)], opinions_required=2).standing is Standing.WAITING


@pytest.mark.parametrize("answers", [[UNSURE] * 3, [MEL, UNSURE, UNSURE]])
def test_conclude_after_three_readers_nobody_is_asked(answers: list[Finding]):
    conclusion = conclude([opinion(finding) for finding in answers], opinions_required=2)
    assert conclusion == Conclusion(Standing.UNDECIDED)


def test_conclude_resolution_ends_a_disagreement():
    conclusion = conclude([opinion(MEL), opinion(NV), resolution(MEL)], opinions_required=2)
    assert conclusion == Conclusion(Standing.CONCLUDED, finding=MEL, basis=Basis.OPINION)


def test_conclude_resolution_may_be_that_nobody_can_tell():
    assert conclude([opinion(MEL), opinion(NV), resolution(UNSURE)]) == Conclusion(Standing.UNDECIDED)


def test_conclude_contradiction_of_a_resolution_is_a_new_disagreement():
    answers = [opinion(MEL), opinion(NV), resolution(MEL), opinion(NV)]
    assert conclude(answers).standing is Standing.DISPUTED
    assert conclude([*answers, resolution(NV)]).finding == NV


@pytest.mark.parametrize("stronger", range(4))
def test_conclude_stronger_basis_beats_weaker_ones_whenever_it_comes(stronger: int):
    strong = result(MEL, tuple(Basis)[stronger])
    weaker = [result(NV, basis) for basis in tuple(Basis)[stronger + 1 :]]
    assert conclude([strong, *weaker]).finding == conclude([*weaker, strong]).finding == MEL


def test_conclude_histology_needs_no_second_opinion():
    assert conclude([opinion(NV), result(MEL, Basis.HISTOLOGY)], opinions_required=2).finding == MEL


def test_conclude_inconclusive_histology_leaves_the_opinion():
    assert conclude([opinion(NV), result(UNSURE, Basis.HISTOLOGY)]).finding == NV


@pytest.mark.parametrize("basis", BY_KNOWLEDGE)
def test_conclude_disagreement_of_results_is_not_for_another_reader(basis: Basis):
    assert conclude([result(MEL, basis), result(NV, basis)]) == Conclusion(Standing.DISPUTED)


def test_conclude_opinion_resolves_no_disagreement_of_histology():
    histology = [result(MEL, Basis.HISTOLOGY), result(NV, Basis.HISTOLOGY)]
    assert conclude([*histology, resolution(NV)]).standing is Standing.DISPUTED
    assert conclude([*histology, resolution(NV, Basis.HISTOLOGY)]).finding == NV


answers = st.lists(
    st.builds(Answer, st.sampled_from([MEL, NV, UNSURE, NOT_A_LESION]), st.sampled_from(Basis), st.sampled_from(Kind)),
    max_size=6,
)


@given(answers, st.integers(1, 2))
def test_conclude_only_a_concluded_case_has_a_definite_finding(given_answers: list[Answer], required: int):
    conclusion = conclude(given_answers, opinions_required=required)
    is_concluded = conclusion.standing is Standing.CONCLUDED
    assert (conclusion.finding is not None) == (conclusion.basis is not None) == is_concluded
    assert conclusion.finding is None or conclusion.finding in {answer.finding for answer in given_answers} - {UNSURE}
    assert not (is_concluded and conclusion.wants_reading)
