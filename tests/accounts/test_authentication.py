"""Public routes: a token attributes, and never refuses."""

from datetime import timedelta

import pytest
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from accounts.authentication import OptionalBearerAuthentication
from accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def person():
    return User.objects.create_user("ada@example.org")


def authenticate(header: str | None):
    headers = {} if header is None else {"Authorization": header}
    request = APIRequestFactory().post("/", headers=headers)
    return OptionalBearerAuthentication().authenticate(Request(request))


def expired(token: AccessToken) -> AccessToken:
    token.set_exp(lifetime=timedelta(seconds=-1))
    return token


def test_optional_bearer_valid_token_attributes(person):
    user, _token = authenticate(f"Bearer {AccessToken.for_user(person)}")
    assert user == person


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer one two", "Bearer not-a-token", "Bearer \xff\xfe", "Basic YTpi", "Token abc"],
    ids=["absent", "empty", "no-token", "two-tokens", "garbage", "not-ascii", "basic", "other-scheme"],
)
def test_optional_bearer_unusable_header_is_anonymous(header):
    assert authenticate(header) is None


def test_optional_bearer_expired_token_is_anonymous(person):
    assert authenticate(f"Bearer {expired(AccessToken.for_user(person))}") is None


def test_optional_bearer_refresh_token_is_anonymous(person):
    assert authenticate(f"Bearer {RefreshToken.for_user(person)}") is None


def test_optional_bearer_foreign_signature_is_anonymous(person):
    token = AccessToken.for_user(person)
    head, _, signature = str(token).rpartition(".")
    assert authenticate(f"Bearer {head}.{signature[::-1]}") is None


def test_optional_bearer_token_without_person_is_anonymous():
    assert authenticate(f"Bearer {AccessToken()}") is None


def test_optional_bearer_inactive_person_is_anonymous(person):
    token = AccessToken.for_user(person)
    User.objects.update(is_active=False)
    assert authenticate(f"Bearer {token}") is None


def test_optional_bearer_deleted_person_is_anonymous(person):
    token = AccessToken.for_user(person)
    person.delete()
    assert authenticate(f"Bearer {token}") is None


def test_optional_bearer_in_the_schema_is_a_bearer_token():
    scheme = OpenApiAuthenticationExtension.get_match(OptionalBearerAuthentication())
    assert scheme.get_security_definition(auto_schema=None)["scheme"] == "bearer"
