"""GET and PATCH of the profile."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEvent, User
from accounts.services import delete_person
from accounts.tokens import issue_tokens
from tests.accounts.conftest import PASSWORD, Send

pytestmark = pytest.mark.django_db

PROFILE, UPDATE = "/api/auth/profile/", "/api/auth/profile/update/"
APP_FORM = {"full_name": "Ada King", "phone": "+352 621 123 456", "gender": "Female", "blood_group": "O+"}


@pytest.fixture
def verified(person: User) -> User:
    User.objects.update(email_verified=True, phone_verified=True)
    person.refresh_from_db()
    return person


def test_profile_has_what_the_app_reads(send: Send, person: User):
    answer = send("get", PROFILE, user=person).json()
    read = {"id", "full_name", "email", "phone", "email_verified", "phone_verified"}
    assert {name: answer[name] for name in read} == {name: getattr(person, name) for name in read - {"id"}} | {
        "id": person.pk
    }


def test_profile_of_a_person_with_nothing_has_no_null_text(send: Send):
    answer = send("get", PROFILE, user=User.objects.create_user("grace@example.org")).json()
    assert [name for name, value in answer.items() if value is None] == ["training_consent_at"]


def test_profile_shows_no_secret(send: Send, person: User):
    assert "password" not in send("get", PROFILE, user=person).text


@pytest.mark.parametrize("token", ["", "not-a-token"], ids=["none", "garbage"])
@pytest.mark.parametrize(("method", "path"), [("get", PROFILE), ("patch", UPDATE)])
def test_profile_without_a_valid_token_is_401(send: Send, method: str, path: str, token: str):
    response = send(method, path, token=token)
    assert response.status_code == 401
    assert isinstance(response.json()["error"], str)


def test_profile_without_final_slash_is_served(send: Send, person: User):
    assert send("get", "/api/auth/profile", user=person).status_code == 200


def test_profile_accept_header_of_an_image_is_answered_in_json(send: Send, person: User):
    assert send("get", PROFILE, user=person, Accept="image/png").json()["id"] == person.pk


# Changing


def test_update_as_the_app_sends_it_changes_all(send: Send, person: User):
    response = send("patch", UPDATE, APP_FORM, user=person)
    person.refresh_from_db()
    assert response.status_code == 200
    assert (person.full_name, person.phone, person.gender, person.blood_group) == (
        "Ada King", "+352621123456", "Female", "O+",
    )  # fmt: skip


@pytest.mark.parametrize("body", [None, {}], ids=["empty", "nothing"])
def test_update_with_nothing_changes_nothing(send: Send, person: User, body: Any):
    before = send("get", PROFILE, user=person).json()
    assert send("patch", UPDATE, body, user=person).json() == before


@pytest.mark.parametrize("name", ["full_name", "phone", "gender", "blood_group"])
@pytest.mark.parametrize("nothing", ["", None, "   "], ids=["empty", "null", "blank"])
def test_update_empty_clears(send: Send, person: User, name: str, nothing: str | None):
    assert send("patch", UPDATE, APP_FORM, user=person).status_code == 200
    assert send("patch", UPDATE, {name: nothing}, user=person).json()[name] == ""


def test_update_name_becomes_one_line(send: Send, person: User):
    assert send("patch", UPDATE, {"full_name": " Ada \n\t King "}, user=person).json()["full_name"] == "Ada King"


@pytest.mark.parametrize(
    "values", [{"id": 7}, {"is_staff": True}, {"email_verified": True}, {"phone_verified": True}, {"password": "x"}]
)
def test_update_ignores_what_is_not_the_persons_to_change(send: Send, person: User, values: dict[str, Any]):
    before = User.objects.values().get()
    assert send("patch", UPDATE, values, user=person).status_code == 200
    assert User.objects.values().get() == before


def test_update_new_phone_is_unverified(send: Send, verified: User):
    answer = send("patch", UPDATE, {"phone": "+352621000000"}, user=verified).json()
    assert (answer["phone_verified"], answer["email_verified"]) == (False, True)


@pytest.mark.parametrize("phone", ["+352621123456", "00352 621-123-456"], ids=["same", "other-spelling"])
def test_update_same_phone_stays_verified(send: Send, verified: User, phone: str):
    assert send("patch", UPDATE, {"phone": phone}, user=verified).json()["phone_verified"] is True


def test_update_cleared_phone_is_unverified(send: Send, verified: User):
    assert send("patch", UPDATE, {"phone": ""}, user=verified).json()["phone_verified"] is False


def test_update_without_phone_is_still_without_and_unverified(send: Send):
    person = User.objects.create_user("grace@example.org")
    answer = send("patch", UPDATE, {"phone": ""}, user=person).json()
    assert (answer["phone"], answer["phone_verified"]) == ("", False)


@pytest.mark.parametrize("name", ["phone", "email"])
def test_update_to_what_a_stranger_has_is_refused(
    send: Send, assert_error: Any, person: User, stranger: User, name: str
):
    form = {name: getattr(stranger, name), "current_password": PASSWORD}
    body = assert_error(send("patch", UPDATE, form, user=person), 400, "invalid")
    assert body["fields"][name] == [body["error"]]


# E-mail


def test_update_new_email_is_unverified_and_audited(send: Send, verified: User):
    form = {"email": "Ada@Elsewhere.org", "current_password": PASSWORD}
    answer = send("patch", UPDATE, form, user=verified).json()
    assert (answer["email"], answer["email_verified"], answer["phone_verified"]) == ("ada@elsewhere.org", False, True)
    assert AuditEvent.objects.get().kind == "email_changed"


@pytest.mark.parametrize("proof", [{}, {"current_password": "wrong"}], ids=["none", "wrong"])
def test_update_new_email_without_the_password_is_refused(
    send: Send, assert_error: Any, verified: User, proof: dict[str, str]
):
    body = assert_error(send("patch", UPDATE, {"email": "eve@example.org", **proof}, user=verified), 400, "invalid")
    assert "current_password" in body["fields"]
    assert User.objects.get().email == "ada@example.org"


def test_update_same_email_needs_no_password(send: Send, verified: User):
    assert send("patch", UPDATE, {"email": "ADA@example.org"}, user=verified).json()["email_verified"] is True


# Consent


def test_consent_is_off_until_it_is_given(send: Send, person: User):
    answer = send("get", PROFILE, user=person).json()
    assert (answer["training_consent"], answer["training_consent_at"]) == (False, None)


def test_consent_given_has_its_date(send: Send, person: User):
    answer = send("patch", UPDATE, {"training_consent": True}, user=person).json()
    assert answer["training_consent"] is True
    assert answer["training_consent_at"]


def test_consent_given_twice_keeps_the_first_date(send: Send, person: User):
    first = send("patch", UPDATE, {"training_consent": True}, user=person).json()
    assert send("patch", UPDATE, {"training_consent": True}, user=person).json() == first


def test_consent_withdrawn_is_off(send: Send, person: User):
    send("patch", UPDATE, {"training_consent": True}, user=person)
    assert send("patch", UPDATE, {"training_consent": False}, user=person).json()["training_consent_at"] is None


def test_consent_is_untouched_by_the_apps_form(send: Send, person: User):
    given = send("patch", UPDATE, {"training_consent": True}, user=person).json()["training_consent_at"]
    assert send("patch", UPDATE, APP_FORM, user=person).json()["training_consent_at"] == given


def test_consent_changes_are_audited_once_each(send: Send, person: User):
    for consent in (True, True, False, False):
        send("patch", UPDATE, {"training_consent": consent}, user=person)
    kinds = AuditEvent.objects.order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["consent_given", "consent_withdrawn"]


# The end


def test_delete_person_leaves_nothing_that_names_them(person: User):
    issue_tokens(user=person)
    delete_person(user=person)
    event = AuditEvent.objects.get()
    assert (event.kind, event.actor, User.objects.count()) == ("account_deleted", None, 0)
    assert event.actor_pseudonym


def test_delete_person_ends_their_tokens(person: User):
    access = issue_tokens(user=person).access
    delete_person(user=person)
    response = Client().get(PROFILE, headers={"Authorization": f"Bearer {access}"})
    assert response.status_code == 401
