"""The class table that everything else relies on."""

from ml_models.labels import BY_ALIAS, CATALOGUE, CODES
from ml_pipeline.synthetic import LESION_CODES


def test_codes_order_and_spelling_are_fixed() -> None:
    assert CODES == ("akiec", "bcc", "bkl", "df", "mel", "nv", "scc", "vasc")


def test_malignant_classes_are_the_four() -> None:
    assert {label.code for label in CATALOGUE if label.malignant} == {"akiec", "bcc", "mel", "scc"}


def test_aliases_are_distinct() -> None:
    assert len(BY_ALIAS) == sum(1 + len(set(label.aliases) - {label.code}) for label in CATALOGUE)


def test_advice_never_says_healthy() -> None:
    assert not [label.code for label in CATALOGUE if "healthy" in label.advice.lower()]


def test_generator_draws_every_class() -> None:
    assert set(LESION_CODES) == set(CODES)
