"""A bearer token attributes a prediction, and never refuses one."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from accounts.models import User
from api.models import Prediction

pytestmark = pytest.mark.django_db


def expired(user: User) -> str:
    token = AccessToken.for_user(user)
    token.set_exp(lifetime=timedelta(seconds=-1))
    return str(token)


UNUSABLE: dict[str, Callable[[User], str]] = {
    "expired": lambda user: f"Bearer {expired(user)}",
    "garbage": lambda _user: "Bearer not-a-token",
    "not-ascii": lambda _user: "Bearer \xff\xfe",
    "empty": lambda _user: "",
    "without-token": lambda _user: "Bearer",
    "wrong-scheme": lambda user: f"Token {AccessToken.for_user(user)}",
    "basic": lambda _user: "Basic YTpi",
    "refresh-token": lambda user: f"Bearer {RefreshToken.for_user(user)}",
}


def test_predict_valid_bearer_attributes(bearer: Callable[..., Client], predict: Callable[..., Any], person: User):
    assert predict(bearer(person)).status_code == 200
    assert Prediction.objects.get().user == person


def test_predict_without_token_is_anonymous(anonymous: Client, predict: Callable[..., Any]):
    assert predict(anonymous).status_code == 200
    assert Prediction.objects.get().user is None


@pytest.mark.parametrize("header", UNUSABLE.values(), ids=UNUSABLE)
def test_predict_unusable_token_is_anonymous(predict: Callable[..., Any], person: User, header: Callable[[User], str]):
    assert predict(Client(headers={"Authorization": header(person)})).status_code == 200
    assert Prediction.objects.get().user is None


def test_predict_inactive_person_is_anonymous(bearer: Callable[..., Client], predict: Callable[..., Any], person: User):
    client = bearer(person)
    User.objects.update(is_active=False)
    assert predict(client).status_code == 200
    assert Prediction.objects.get().user is None


def test_predict_session_of_the_administration_attributes_nothing(
    logged_in: Callable[..., Client], predict: Callable[..., Any], superuser: User
):
    """Or a page elsewhere could post photos in an administrator's name."""
    assert predict(logged_in(superuser)).status_code == 200
    assert Prediction.objects.get().user is None


@pytest.mark.parametrize("path", ["/api/model/", "/api/schema/", "/api/docs/", "/api/redoc/", "/healthz/", "/readyz/"])
def test_public_page_with_an_unusable_token_opens(path: str):
    assert Client(headers={"Authorization": "Bearer not-a-token"}).get(path).status_code == 200
