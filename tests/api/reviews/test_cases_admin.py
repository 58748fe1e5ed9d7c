"""The list of cases for who manages reviews, and who may do what."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, AuditKind, User
from api.reviews import selectors
from api.reviews.csv_table import COLUMNS, safe_cell
from api.reviews.models import ControlDraw, Review, ReviewCase
from tests.api.reviews.conftest import address, case_of, read

pytestmark = pytest.mark.django_db

LIST = "/admin/api/reviewcase/"


@pytest.fixture
def manager(db) -> User:
    user = User.objects.create_user("manager@example.org", "correct horse", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="manage_reviews"))
    return user


@pytest.fixture
def client_of_manager(logged_in: Callable[[User], Client], manager: User) -> Client:
    return logged_in(manager)


def act(client: Client, action: str, *cases: ReviewCase) -> Any:
    return client.post(LIST, {"action": action, "_selected_action": [str(case.pk) for case in cases]})


def rows_of(response: Any) -> list[dict[str, str]]:
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(response.getvalue().decode())))


# Permissions

KINDS = ("anonymous", "user", "staff", "reviewer", "reader", "manager", "superuser")
READERS = dict(zip(KINDS, (302, 302, 403, 403, 200, 403, 200), strict=True))
MANAGERS = dict(zip(KINDS, (302, 302, 403, 403, 403, 200, 200), strict=True))
# `reviewer` may read the prediction log and nothing of reviews; `reader` is in the group.
ROUTES: dict[str, tuple[str, dict[str, int]]] = {
    "queue": ("get", READERS),
    "next": ("get", READERS | {"reader": 302, "superuser": 302}),
    "read": ("get", READERS),
    "reveal": ("get", READERS | {"reader": 302}),
    "photo": ("get", READERS | {"reader": 404, "superuser": 404}),
    "heat_map": ("get", READERS | {"reader": 404, "superuser": 404}),
    "remark": ("post", READERS | {"reader": 404, "superuser": 404}),
    "result": ("post", READERS | {"reader": 404, "superuser": 302}),
    "second_opinion": ("post", READERS | {"reader": 404, "superuser": 302}),
    "take_back_skipped": ("post", READERS | {"reader": 302, "superuser": 302}),
    "changelist": ("get", MANAGERS | {"reader": 302}),
    "change": ("get", MANAGERS),
    "policy": ("post", MANAGERS | {"manager": 302, "superuser": 302}),
    "draw": ("post", MANAGERS | {"manager": 302, "superuser": 302}),
}
FORM = {"text": "x", "finding": "class:mel", "basis": "histology", "policy": "margin", "size": "1"}


@pytest.mark.parametrize(
    ("route", "kind"), [pytest.param(route, kind, id=f"{kind}-{route}") for route in ROUTES for kind in KINDS]
)
def test_page_answers_by_kind(request, logged_in, anonymous: Client, make_prediction, route: str, kind: str):
    prediction = make_prediction()
    case_of(prediction)
    names = {"user": "person", "reader": "anna"}
    client = anonymous if kind == "anonymous" else logged_in(request.getfixturevalue(names.get(kind, kind)))
    of_a_case = route not in {"queue", "next", "take_back_skipped", "changelist", "policy", "draw"}
    more = {"photo": [prediction.images.get().pk, 96], "heat_map": [prediction.images.get().pk]}.get(route, [])
    page = reverse(f"admin:api_reviewcase_{route}", args=[prediction.pk, *more] if of_a_case else [])
    method, statuses = ROUTES[route]
    response = client.get(page) if method == "get" else client.post(page, FORM)
    assert response.status_code == statuses[kind]
    if statuses[kind] == 302 and kind in ("anonymous", "user"):
        assert response.headers["Location"].startswith("/admin/login/")
    if statuses[kind] in (403, 404) or kind in ("anonymous", "user"):
        assert (Review.objects.count(), ControlDraw.objects.count()) == (0, 0)
        assert selectors.current_policy() == "priority"


def test_matrix_names_every_page_of_cases():
    names = {pattern.name for pattern in _admin_patterns() if pattern.name}
    assert names == {f"api_reviewcase_{route}" for route in ROUTES} | {
        f"api_reviewcase_{name}" for name in ("add", "delete", "history")
    }


def _admin_patterns() -> list[Any]:
    from django.contrib import admin

    return admin.site._registry[ReviewCase].get_urls()


def test_reviewers_group_has_one_permission():
    group = Group.objects.get(name="Reviewers")
    assert [str(permission.codename) for permission in group.permissions.all()] == ["review"]


@pytest.mark.parametrize("page", ["policy", "draw"])
def test_deed_of_a_manager_is_no_link(client_of_manager: Client, page: str):
    assert client_of_manager.get(address(page)).status_code == 403


@pytest.mark.parametrize("page", ["add", "delete"])
def test_cases_are_neither_made_nor_removed_by_hand(logged_in, superuser, make_prediction, page: str):
    arguments = [case_of(make_prediction()).pk] if page == "delete" else []
    assert logged_in(superuser).get(reverse(f"admin:api_reviewcase_{page}", args=arguments)).status_code == 403


# The list


def test_list_shows_and_filters_cases(client_of_manager: Client, anna, superuser, make_prediction):
    concluded, waiting = make_prediction(), make_prediction()
    read(concluded, anna, "bcc")
    case_of(waiting)
    assert "bcc (opinion)" in client_of_manager.get(LIST).text
    for query, expected in (
        ("standing__exact=waiting", waiting),
        ("label=bcc", concluded),
        (f"q={waiting.pk}", waiting),
    ):
        shown = client_of_manager.get(f"{LIST}?{query}").context["cl"].result_list
        assert [case.pk for case in shown] == [expected.pk], query


def test_list_search_for_something_else_finds_nothing(client_of_manager: Client, make_prediction):
    case_of(make_prediction())
    assert not client_of_manager.get(f"{LIST}?q=69d4").context["cl"].result_list


def test_list_filters_the_control_sample(client_of_manager: Client, make_prediction):
    for _ in range(3):
        case_of(make_prediction())
    client_of_manager.post(address("draw"), {"size": "1"})
    for value, count in (("yes", 1), ("no", 2)):
        assert len(client_of_manager.get(f"{LIST}?control={value}").context["cl"].result_list) == count


def test_list_costs_the_same_queries_for_many_rows(
    client_of_manager: Client, anna, make_prediction, django_assert_max_num_queries
):
    for _ in range(12):
        read(make_prediction(), anna)
    with django_assert_max_num_queries(14):
        client_of_manager.get(LIST)


def test_draw_and_policy_are_set_by_form(client_of_manager: Client, manager, make_prediction):
    for _ in range(3):
        make_prediction()
    page = client_of_manager.post(address("draw"), {"size": "2", "since": ""}, follow=True).text
    assert "2 of 3 answers were drawn" in page
    assert ControlDraw.objects.get().drawn_by == manager
    client_of_manager.post(address("policy"), {"policy": "diversity"})
    assert '<option value="diversity" selected>' in client_of_manager.get(LIST).text


@pytest.mark.parametrize("form", [{"size": "0"}, {"size": "x"}, {"size": "1", "since": "then"}, {}])
def test_draw_that_is_not_valid_draws_nothing(client_of_manager: Client, make_prediction, form: dict[str, str]):
    make_prediction()
    client_of_manager.post(address("draw"), form)
    assert not ControlDraw.objects.exists()


def test_action_requires_second_opinions(client_of_manager: Client, anna, make_prediction):
    cases = [case_of(make_prediction()) for _ in range(3)]
    act(client_of_manager, "require_second_opinion", *cases[:2])
    assert sorted(ReviewCase.objects.values_list("opinions_required", flat=True)) == [1, 2, 2]


# CSV


def test_csv_has_the_selected_cases_with_their_answers(client_of_manager: Client, anna, bert, make_prediction):
    prediction, _other = make_prediction(age_years=47, site="left forearm"), make_prediction()
    read(prediction, anna, "unsure")
    read(prediction, bert, "mel")
    (row,) = rows_of(act(client_of_manager, "export_csv", case_of(prediction)))
    assert tuple(row) == COLUMNS
    assert (row["case"], row["standing"], row["label"], row["model_label"]) == (
        str(prediction.pk),
        "concluded",
        "mel",
        "nv",
    )
    assert row["answers"] == "unsure (opinion, opinion); mel (opinion, opinion)"
    assert (row["age_years"], row["site"]) == ("47", "upper extremity")


def test_csv_names_nobody(client_of_manager: Client, anna, person, make_prediction):
    free_text = {"history": "Call Ada Lovelace", "site": "on the arm of Ada"}
    prediction = make_prediction(user=person, **free_text)
    read(prediction, anna).remarks.create(text="Ada, as last year")
    content = act(client_of_manager, "export_csv", case_of(prediction)).getvalue().decode()
    assert not [word for word in ("Ada", "ada@", "anna", "example.org") if word in content]


def test_csv_cannot_run_formulas(client_of_manager: Client, anna, make_prediction):
    prediction = make_prediction(model_name="=HYPERLINK(1)", label="@x", probabilities={"@x": 1.0})
    read(prediction, anna, "@x")
    (row,) = rows_of(act(client_of_manager, "export_csv", case_of(prediction)))
    assert (row["model"], row["model_label"], row["label"]) == ("'=HYPERLINK(1)", "'@x", "'@x")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_safe_cell_quotes_what_a_spreadsheet_runs(start: str):
    assert safe_cell(f"{start}1") == f"'{start}1"
    assert safe_cell(f"1{start}") == f"1{start}"


def test_csv_export_is_recorded(client_of_manager: Client, manager, make_prediction):
    act(client_of_manager, "export_csv", case_of(make_prediction()))
    assert AuditEvent.objects.get(kind=AuditKind.EXPORT).actor == manager


@pytest.mark.parametrize("action", ["export_csv", "require_second_opinion"])
def test_actions_are_closed_to_reviewers(logged_in, anna, make_prediction, action: str):
    case = case_of(make_prediction())
    response = act(logged_in(anna), action, case)
    assert response.headers.get("Location") == address("queue")
    case.refresh_from_db()
    assert case.opinions_required == 1
