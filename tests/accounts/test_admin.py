"""People in the administration: the forms know no user name."""

import pytest
from django.urls import reverse

from accounts.models import User


def test_user_admin_add_form_creates_a_person(admin_client):
    admin_client.post(
        reverse("admin:accounts_user_add"),
        {
            "email": "Ada@Example.org",
            "usable_password": "true",
            "password1": "vK3!plum-tree",
            "password2": "vK3!plum-tree",
        },
    )
    assert User.objects.get(email="ada@example.org").check_password("vK3!plum-tree")


def test_user_admin_change_form_keeps_a_missing_phone_missing(admin_client, django_user_model):
    person = django_user_model.objects.create_user("ada@example.org")
    response = admin_client.post(
        reverse("admin:accounts_user_change", args=[person.pk]),
        {"email": person.email, "full_name": "Ada", "phone": ""},
    )
    person.refresh_from_db()
    assert (response.status_code, person.full_name, person.phone) == (302, "Ada", None)


@pytest.mark.parametrize("page", ["changelist", "add"])
def test_user_admin_page_opens(admin_client, page):
    assert admin_client.get(reverse(f"admin:accounts_user_{page}")).status_code == 200


def test_user_admin_change_page_opens(admin_client, admin_user):
    assert admin_client.get(reverse("admin:accounts_user_change", args=[admin_user.pk])).status_code == 200


def test_user_admin_search_by_phone_finds_the_person(admin_client):
    User.objects.create_user("ada@example.org", phone="+3520001")
    assert "ada@example.org" in admin_client.get(reverse("admin:accounts_user_changelist"), {"q": "+3520001"}).text


def test_user_admin_deletes_nobody_whose_photos_it_would_leave_behind(admin_client):
    person = User.objects.create_user("ada@example.org")
    selected = {"action": "delete_selected", "_selected_action": [str(person.pk)], "post": "yes"}
    admin_client.post(reverse("admin:accounts_user_changelist"), selected)
    response = admin_client.post(reverse("admin:accounts_user_delete", args=[person.pk]), {"post": "yes"})
    assert response.status_code == 403
    assert User.objects.filter(pk=person.pk).exists()
