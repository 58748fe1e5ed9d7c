"""The rows of classes: from mappings and the catalogue, cautious where nobody says anything, never contradictory."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_models.classification import Severity
from ml_models.labels import BY_CODE, CATALOGUE, CODES, GENERIC_ADVICE, MAX_CODE_CHARACTERS, Label, problem_with
from ml_pipeline.data.label_table import labels_from, labels_of, read_labels, write_labels
from ml_pipeline.data.sources.class_names import label_of
from ml_pipeline.data.sources.source import LabelFacts
from ml_pipeline.errors import SourceError
from tests.ml_pipeline.conftest import make_record

WART = Label("wart", "Wart", malignant=False, severity=Severity.LOW, advice="Leave it.")


def one(facts: LabelFacts, *more: LabelFacts) -> Label:
    """The row made of facts about one class."""
    (label,) = labels_from([facts.code], [facts, *more])
    return label


def test_labels_from_known_codes_are_those_of_the_catalogue() -> None:
    assert labels_from(reversed(CODES), []) == CATALOGUE


def test_labels_from_own_codes_follow_the_known_ones_in_order() -> None:
    labels = labels_from(["wart", "nv", "acne", "bcc"], [])
    assert [label.code for label in labels] == ["bcc", "nv", "acne", "wart"]


@pytest.mark.parametrize(
    ("malignant", "severity"), [(True, Severity.HIGH), (None, Severity.MODERATE), (False, Severity.LOW)]
)
def test_labels_from_severity_that_nobody_gives_follows_from_malignancy(
    *, malignant: bool | None, severity: Severity
) -> None:
    assert one(LabelFacts("own", malignant=malignant)).severity is severity


def test_labels_from_what_nobody_says_is_unknown_and_sends_to_a_doctor() -> None:
    (label,) = labels_from(["own"], [])
    assert (label.malignant, label.severity, label.advice) == (None, Severity.MODERATE, GENERIC_ADVICE)
    assert "doctor" in label.advice


@pytest.mark.parametrize(
    ("called", "name"),
    [
        ("ring_worm", "Ring worm"),
        ("Tinea-Corporis  (arm)", "Tinea Corporis (arm)"),
        ("HPV wart", "HPV wart"),
        ("Ωμέγα", "Ωμέγα"),
        ("", "Own code"),
    ],
)
def test_labels_from_name_that_nobody_gives_is_the_folders_in_words(called: str, name: str) -> None:
    assert one(LabelFacts("own_code", called=called)).name == name


def test_labels_from_two_mappings_complete_each_other() -> None:
    label = one(
        LabelFacts("wart", where="a, row 2", name="Wart", malignant=False),
        LabelFacts("wart", where="b, row 2", malignant=False, advice="Leave it."),
    )
    assert label == WART


@pytest.mark.parametrize(
    ("first", "second", "name"),
    [
        (LabelFacts("own", "a.csv, row 2", malignant=True), LabelFacts("own", "b.csv, row 3", malignant=False), "mal"),
        (LabelFacts("own", "a.csv, row 2", name="A"), LabelFacts("own", "b.csv, row 3", name="B"), "name"),
        (LabelFacts("own", "a.csv, row 2", advice="A"), LabelFacts("own", "b.csv, row 3", advice="B"), "advice"),
    ],
    ids=["malignancy", "name", "advice"],
)
def test_labels_from_mappings_that_contradict_each_other_are_refused(
    first: LabelFacts, second: LabelFacts, name: str
) -> None:
    with pytest.raises(SourceError, match=rf"contradict.*{name}.*a\.csv, row 2.*b\.csv, row 3"):
        labels_from(["own"], [first, second])


def test_labels_from_contradiction_on_a_class_without_photos_does_not_matter() -> None:
    facts = [LabelFacts("own", name="A"), LabelFacts("own", name="B")]
    assert labels_from(["nv"], facts) == (BY_CODE["nv"],)


@pytest.mark.parametrize(
    ("facts", "complaint"),
    [
        (LabelFacts("mel", "m.csv, row 2", malignant=False), "malignant of mel is False, .* known to be True"),
        (LabelFacts("nv", "m.csv, row 2", malignant=True), "malignant of nv is True, .* known to be False"),
        (LabelFacts("bcc", "m.csv, row 2", severity=Severity.MODERATE), "severity of bcc is Moderate, .* High"),
        (LabelFacts("own", "m.csv, row 2", malignant=True, severity=Severity.LOW), "own is malignant, but .* Low"),
        (LabelFacts("x" * (MAX_CODE_CHARACTERS + 1), "m.csv, row 2"), "1 to 64"),
    ],
    ids=["malignant called benign", "benign called malignant", "played down", "malignant but low", "long code"],
)
def test_labels_from_dangerous_row_is_refused(facts: LabelFacts, complaint: str) -> None:
    with pytest.raises(SourceError, match=rf"m\.csv, row 2: .*{complaint}"):
        labels_from([facts.code], [facts])


def test_labels_from_known_class_may_be_worded_otherwise() -> None:
    label = one(LabelFacts("nv", name="Muttermal", malignant=False, advice="Beobachten."))
    assert (label.name, label.advice, label.malignant) == ("Muttermal", "Beobachten.", False)
    assert label.severity is BY_CODE["nv"].severity


def test_write_labels_are_read_again(tmp_path: Path) -> None:
    labels = (*CATALOGUE, Label("own", 'Own, "so" called', None, Severity.HIGH, "Go;\nnow."), WART)
    write_labels(labels, tmp_path / "labels.csv")
    assert set(read_labels(tmp_path / "labels.csv")) == set(labels)


@given(
    name=st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=50),
    malignant=st.sampled_from([True, False, None]),
    severity=st.none() | st.sampled_from(Severity),
)
def test_labels_from_any_folder_is_refused_or_becomes_a_class_that_a_model_may_have(
    *, name: str, malignant: bool | None, severity: Severity | None
) -> None:
    code = label_of(name)
    if not code:
        return
    try:
        label = one(LabelFacts(code, malignant=malignant, severity=severity, called=name))
    except SourceError:
        assert code in CODES or len(code) > MAX_CODE_CHARACTERS or (malignant and severity is Severity.LOW)
    else:
        assert problem_with(label) is None


def test_read_labels_hand_written_file_is_filled_in(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("code;malignant\nring_worm;no\nnv;\n", encoding="utf-8")
    assert read_labels(path) == (
        BY_CODE["nv"],
        Label("ring_worm", "Ring worm", malignant=False, severity=Severity.LOW, advice=GENERIC_ADVICE),
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name\nX\n", r"columns \['code'\] are missing"),
        ("code\nx\nx\n", "row 3: x occurs twice"),
        ("code,malignant\nx,maybe\n", "row 2: malignant 'maybe' is none of yes, no"),
        ("code,severity\nx,awful\n", "row 2: severity 'awful' is none of low, moderate, high"),
        ("code,malignant\nmel,no\n", "row 2: malignant of mel is False"),
    ],
    ids=["no code", "twice", "malignant", "severity", "contradicts the catalogue"],
)
def test_read_labels_wrong_file_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match=rf"labels\.csv.*{complaint}"):
        read_labels(path)


def test_labels_of_takes_the_rows_of_the_table_for_what_occurs(tmp_path: Path) -> None:
    write_labels([WART, Label("rare", "Rare", None, Severity.HIGH, "Go.")], tmp_path / "labels.csv")
    records = [make_record("1", label="wart"), make_record("2", label="nv"), make_record("3", label="wart")]
    assert labels_of(records, tmp_path / "labels.csv") == (BY_CODE["nv"], WART)


@pytest.mark.parametrize("exists", [True, False], ids=["table without the class", "no table"])
def test_labels_of_class_that_no_table_has_is_cautious(*, exists: bool, tmp_path: Path) -> None:
    if exists:
        write_labels([WART], tmp_path / "labels.csv")
    (label,) = labels_of([make_record("1", label="ring_worm")], tmp_path / "labels.csv")
    assert label == Label("ring_worm", "Ring worm", None, Severity.MODERATE, GENERIC_ADVICE)


def test_labels_of_without_a_table_knows_the_catalogue() -> None:
    assert labels_of([make_record("1", label="mel")], None) == (BY_CODE["mel"],)
