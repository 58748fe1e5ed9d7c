"""Reviewers of the group, cases as a model left them, and answers in one call."""

from collections.abc import Callable
from typing import Any

import cv2
import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from accounts.models import User
from api.models import Prediction
from api.reviews import services
from api.reviews.conclusion import Basis, Finding, Verdict
from api.reviews.models import Review, ReviewCase
from api.reviews.services import Reading
from ml_models.classification import Modality
from ml_models.labels import CODES
from ml_pipeline.synthetic import Scene, draw


def make_reader(name: str) -> User:
    user = User.objects.create_user(f"{name}@example.org", "correct horse", full_name=f"Dr {name}", is_staff=True)
    user.groups.add(Group.objects.get(name="Reviewers"))
    return user


@pytest.fixture
def anna(db) -> User:
    return make_reader("anna")


@pytest.fixture
def bert(db) -> User:
    return make_reader("bert")


@pytest.fixture
def cleo(db) -> User:
    return make_reader("cleo")


@pytest.fixture(autouse=True)
def one_reader_is_enough(settings) -> None:
    """Rules for second opinions have tests of their own."""
    settings.REVIEW_SECOND_OPINION = frozenset()


@pytest.fixture
def page_of(logged_in: Callable[[User], Client]) -> Callable[[User, str], str]:
    """A page's text as somebody sees it."""
    return lambda user, address: logged_in(user).get(address, follow=True).text


def probabilities(**shares: float) -> dict[str, float]:
    """Of all classes; what is not named gets the rest in equal parts."""
    others = [code for code in CODES if code not in shares]
    rest = (1 - sum(shares.values())) / len(others)
    return {code: shares.get(code, rest) for code in CODES}


def case_of(prediction: Prediction) -> ReviewCase:
    return ReviewCase.objects.get_or_create(prediction=prediction)[0]


def reading(answer: str = "nv", basis: Basis = Basis.OPINION) -> Reading:
    """A class by its code, or `unsure`, or `not_a_lesion`."""
    is_class = answer not in {"unsure", "not_a_lesion"}
    finding = Finding(Verdict.CLASS, answer) if is_class else Finding(Verdict(answer))
    return Reading(finding, basis, Modality.CLINICAL)


def read(prediction: Prediction, reader: User, answer: str = "nv", basis: Basis = Basis.OPINION) -> Review:
    return services.read_case(case=case_of(prediction), reader=reader, reading=reading(answer, basis))[0]


def address(name: str, prediction: Prediction | None = None, *more: Any) -> str:
    """Of a page; of a case where a prediction is named, which becomes one."""
    return reverse(f"admin:api_reviewcase_{name}", args=[case_of(prediction).pk, *more] if prediction else [])


@pytest.fixture
def draw_photo() -> Callable[[int], bytes]:
    """A JPEG of a drawn lesion, another one for each number."""

    def drawn(number: int) -> bytes:
        rgb = draw(Scene(lesion=CODES[number % len(CODES)]), width_px=300, height_px=225, seed=number)
        return bytes(cv2.imencode(".jpg", rgb[..., ::-1])[1])

    return drawn
