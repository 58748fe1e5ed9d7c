"""Versions in the admin: who may switch, what is asked, and what is shown."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import User
from api.services.model_versions import activate_version, active_version
from api.switching.models import ModelSwitch, ModelVersion
from api.switching.store import folder_of
from tests.artefacts import spoil

pytestmark = pytest.mark.django_db

LIST = "/admin/api/modelversion/"
SWITCHES = "/admin/api/modelswitch/"
ROLL_BACK = f"{LIST}roll-back/"

Register = Callable[..., ModelVersion]


@pytest.fixture
def viewer(staff: User, logged_in) -> Client:
    """May look at versions and switch none."""
    staff.user_permissions.set(Permission.objects.filter(codename="view_modelversion"))
    return logged_in(staff)


@pytest.fixture
def operator(staff: User, logged_in) -> Client:
    """May look and switch."""
    wanted = ["view_modelversion", "activate_modelversion", "view_modelswitch"]
    staff.user_permissions.set(Permission.objects.filter(codename__in=wanted))
    return logged_in(staff)


def page_of(version: ModelVersion) -> str:
    return f"{LIST}{version.pk}/activate/"


def test_list_says_what_is_active(operator: Client, registered: Register):
    assert "Active is the shipped model." in operator.get(LIST).text
    version = registered("left")
    activate_version(version=version)
    assert f"Active is {version}." in operator.get(LIST).text


@pytest.mark.parametrize("place", ["change", "activate"])
def test_version_is_shown_with_its_report_escaped(operator: Client, registered: Register, place: str):
    version = registered("left", passed=False)
    finding = {
        "rule": "melanoma sensitivity",
        "outcome": "failed",
        "said": "<b>.81</b> is below .90",
        "domain": "clinical",
    }
    ModelVersion.objects.update(report={"findings": [finding], "judged": {"photos": 4711}})
    page = operator.get(f"{LIST}{version.pk}/{place}/").text
    row = "<td>failed</td><td>melanoma sensitivity</td><td>clinical</td><td>&lt;b&gt;.81&lt;/b&gt; is below .90</td>"
    assert row in page
    assert "4711" in page
    assert "<b>.81" not in page


def test_action_leads_to_the_question_and_switches_nothing(operator: Client, registered: Register):
    version = registered("left")
    response = operator.post(LIST, {"action": "activate", "_selected_action": [version.pk]})
    assert (response.status_code, response.url) == (302, page_of(version))
    assert "Activate left" in operator.get(response.url).text
    assert active_version() is None


def test_action_on_two_versions_asks_for_one(operator: Client, registered: Register):
    chosen = [registered(name).pk for name in ("left", "right")]
    response = operator.post(LIST, {"action": "activate", "_selected_action": chosen}, follow=True)
    assert "Select exactly one version." in response.text


def test_confirmed_version_is_active_with_who_and_why(operator: Client, staff: User, registered: Register):
    version = registered("left")
    response = operator.post(page_of(version), {"confirmed": "yes", "why": "Better at clinical photos."}, follow=True)
    assert "is active; every worker follows" in response.text
    switch = ModelSwitch.objects.get()
    assert (active_version(), switch.event.actor, switch.why) == (version, staff, "Better at clinical photos.")
    listed = operator.get(SWITCHES).text
    assert "Better at clinical photos." in listed
    assert staff.email in listed


def test_version_that_failed_needs_tick_and_reason(operator: Client, registered: Register):
    version = registered("left", passed=False)
    for form in ({"confirmed": "yes"}, {"force": "on"}, {"why": "Because."}):
        assert "errorlist" in operator.post(page_of(version), form).text
    assert active_version() is None
    operator.post(page_of(version), {"force": "on", "why": "Because."})
    assert active_version() == version
    assert ModelSwitch.objects.get().forced


def test_version_that_passed_offers_no_force(operator: Client, registered: Register):
    assert 'name="force"' not in operator.get(page_of(registered("left"))).text


def test_broken_version_is_refused_in_words(operator: Client, registered: Register):
    version = registered("left")
    spoil(folder_of(version))
    assert "altered" in operator.post(page_of(version), {"confirmed": "yes"}).text
    assert active_version() is None


def test_roll_back_asks_first(operator: Client, registered: Register):
    version = registered("left")
    activate_version(version=version)
    assert ROLL_BACK in operator.get(LIST).text
    assert "Return to the shipped model?" in operator.get(ROLL_BACK).text
    assert active_version() == version
    assert "The shipped model is active again." in operator.post(ROLL_BACK, {"confirmed": "yes"}, follow=True).text
    assert active_version() is None
    assert ROLL_BACK not in operator.get(LIST).text


def test_roll_back_of_nothing_says_so(operator: Client):
    assert "no switch to undo" in operator.get(ROLL_BACK, follow=True).text


def test_viewer_can_switch_nothing(viewer: Client, registered: Register):
    version = registered("left")
    assert 'value="activate"' not in viewer.get(LIST).text
    assert page_of(version) not in viewer.get(f"{LIST}{version.pk}/change/").text
    for address in (page_of(version), ROLL_BACK):
        assert viewer.get(address).status_code == 403
        assert viewer.post(address, {"confirmed": "yes"}).status_code == 403
    viewer.post(LIST, {"action": "activate", "_selected_action": [version.pk]})
    assert active_version() is None


def test_reviewer_sees_no_versions(reviewer: User, logged_in):
    assert logged_in(reviewer).get(LIST).status_code == 403


def test_nobody_edits_or_deletes_versions_and_switches(superuser: User, logged_in, registered: Register):
    version = registered("left")
    activate_version(version=version)
    client = logged_in(superuser)
    for place, row in ((LIST, version), (SWITCHES, ModelSwitch.objects.get())):
        for address in (f"{place}add/", f"{place}{row.pk}/delete/"):
            assert client.get(address).status_code == 403
        assert client.post(f"{place}{row.pk}/change/", {"name": "x", "why": "x"}).status_code == 403
