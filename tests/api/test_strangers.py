"""Every route and method of the whole site, tried by a stranger and by nobody: nothing of a person's comes out.

The routes are read from the URL resolver. A new one fails here until it is named, which is the moment to think of it.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import User
from api.models import Prediction, PredictionImage, PredictionRemark, Scan

pytestmark = pytest.mark.django_db

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# Of one row of a person: does not exist for others.
ONE_ROW = {"api:scan", "api:scan-pdf", "api:history-entry", "api:feedback"}
# Of whoever asks: nobody is refused.
OWN = {
    "api:scans", "api:history", "api:account", "api:account-export", "api:nearby-hospitals",
    "accounts:logout", "accounts:profile", "accounts:profile-update", "accounts:password-change",
    "accounts:email-code-send", "accounts:email-code-verify", "accounts:phone-code-send", "accounts:phone-code-verify",
}  # fmt: skip
# For everyone, and says nothing of anybody.
PUBLIC = {
    "api:predict", "api:predict-skin-disease", "api:predict-short", "api:model", "api:chatbot",
    "api:on-device", "api:on-device-file",
    "api:schema", "api:docs", "api:redoc", "api:healthz", "api:readyz",
    "accounts:register", "accounts:login", "accounts:refresh", "accounts:password-forgot", "accounts:password-reset",
    "accounts:privacy",
    "web:analyse", "web:dermatologists", "web:model", "web:plot", "web:privacy", "web:language", "web:favicon",
}  # fmt: skip
# For whoever holds a signed address, which a stranger does not.
SIGNED = {"api:photo", "api:explanation", "api:explanation-grid"}
SECRETS = ("ada@example.org", "Ada Lovelace", "+49170", "left shoulder", "My mother", "A remark", "Claimed by Ada")


def routes(resolver: URLResolver, namespace: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every named route below, with its namespace."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from routes(entry, inner)
        else:
            yield f"{namespace}{entry.name}", entry


ALL = dict(routes(get_resolver()))
OF_THE_API = sorted(name for name in ALL if not name.startswith("admin:"))
ADMIN = set(ALL) - set(OF_THE_API) - {"admin:None"}  # its redirects from old addresses and its 404


@pytest.fixture
def victim(bearer, predict: Callable[..., Any], save: Callable[..., Any]) -> User:
    """A person with something of everything."""
    person = User.objects.create_user("ada@example.org", "correct horse", full_name="Ada Lovelace", phone="+491701234")
    client = bearer(person)
    answer = predict(client, explain="true", site="left shoulder", history="My mother had one.").json()
    client.post(f"/api/predictions/{answer['id']}/feedback/", {"remark": "A remark"}, "application/json")
    save(client, diagnosis="Claimed by Ada")
    return person


def arguments(pattern: URLPattern) -> dict[str, Any]:
    """The victim's own keys for what a route asks for; forged tokens where it asks for a signed one."""
    person = User.objects.get(email="ada@example.org")
    image = PredictionImage.objects.get(prediction__user=person)
    values: dict[str, Any] = {
        "scan_id": Scan.objects.get(user=person).pk,
        "prediction_id": image.prediction_id,
        "image_id": image.pk,
        "token": f"p{image.prediction_id.hex}.999999:forged",
        "side_px": 96,
        "version_id": 1,
        "object_id": image.prediction_id,
        "app_label": "api",
        "content_type_id": 1,
        "id": person.pk,
        "url": "nowhere",
        "digest": "0" * 64,
        "name": "reliability",
    }
    return {name: values[name] for name in pattern.pattern.converters} | {
        name: values[name] for name in re.findall(r"\?P<(\w+)>", str(pattern.pattern))
    }


def ask(client: Client, method: str, name: str, photo: bytes) -> Any:
    """Use a route with the victim's keys and everything that might be accepted in a body."""
    address = reverse(name, kwargs=arguments(ALL[name]))
    if method in ("GET", "HEAD", "OPTIONS"):
        return client.generic(method, address)
    if method == "POST" and name in {"api:scans", "api:predict", "api:predict-skin-disease", "api:predict-short"}:
        claims = {"diagnosis": "x", "confidence": "1%", "severity": "Low", "is_safe": "true"}
        return client.post(address, {"image": SimpleUploadedFile("skin.jpg", photo), **claims})
    body = {
        "email": "ada@example.org", "password": "wrong horse battery", "confirm_password": "wrong horse battery",
        "full_name": "Eve", "refresh": "x", "otp": "123456", "remark": "Eve was here", "message": "hello",
        "current_password": "correct horse", "diagnosis": "Healthy", "user": "1",
    }  # fmt: skip
    return client.generic(method, address, json.dumps(body), "application/json")


def everything_of(person: User) -> dict[str, Any]:
    """All rows of a person as they stand."""
    querysets = {
        "person": User.objects.filter(pk=person.pk),
        "predictions": Prediction.objects.filter(user=person),
        "images": PredictionImage.objects.filter(prediction__user=person),
        "remarks": PredictionRemark.objects.filter(prediction__user=person),
        "scans": Scan.objects.filter(user=person),
    }
    return {name: list(rows.order_by("pk").values()) for name, rows in querysets.items()}


def content_of(response: Any) -> str:
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return content.decode("utf-8", "replace") + repr(response.headers)


def answers(name: str, method: str, *, with_token: bool) -> set[int] | range:
    """The statuses that a route may answer a stranger or nobody with; never a 5xx."""
    without_row = {404, 405, *({200} if method == "OPTIONS" else ())}
    if name in ONE_ROW:
        return without_row if with_token else {401}
    if name in SIGNED:
        return without_row
    if name in OWN and not with_token and name != "accounts:logout":  # which a refresh token alone can call
        return {401}
    return range(200, 500)


@pytest.mark.parametrize("name", OF_THE_API)
@pytest.mark.parametrize("with_token", [True, False], ids=["stranger", "nobody"])
def test_stranger_gets_nothing_of_a_person_and_changes_nothing(
    bearer,
    anonymous: Client,
    stranger: User,
    victim: User,
    lesion_jpeg: bytes,
    name: str,
    with_token: bool,  # noqa: FBT001
):
    before = everything_of(victim)
    answer, scan = Prediction.objects.get(user=victim), Scan.objects.get(user=victim)
    ids = () if name in ONE_ROW | SIGNED else (str(answer.pk), answer.pk.hex, str(scan.pk), scan.pk.hex)
    for method in METHODS:
        response = ask(bearer(stranger) if with_token else anonymous, method, name, lesion_jpeg)
        assert response.status_code in answers(name, method, with_token=with_token), (method, response.status_code)
        text = content_of(response)
        sent_back = {"ada@example.org"} if name.startswith("accounts:") else set()
        assert not [secret for secret in (*SECRETS, *ids) if secret in text and secret not in sent_back], method
        assert everything_of(victim) == before, method


@pytest.mark.parametrize("name", sorted(ADMIN - {"admin:login", "admin:logout"}))
@pytest.mark.parametrize("with_token", [True, False], ids=["stranger", "nobody"])
def test_stranger_finds_every_page_of_the_administration_closed(
    bearer,
    anonymous: Client,
    stranger: User,
    victim: User,
    lesion_jpeg: bytes,
    name: str,
    with_token: bool,  # noqa: FBT001
):
    before = everything_of(victim)
    for method in METHODS:
        response = ask(bearer(stranger) if with_token else anonymous, method, name, lesion_jpeg)
        assert response.status_code in {302, 403, 404, 405}, (method, response.status_code)
        if response.status_code == 302:
            assert response.headers["Location"].startswith("/admin/login/")
        assert not [secret for secret in SECRETS if secret in content_of(response)]
    assert everything_of(victim) == before


def test_matrix_names_every_route_once():
    kinds = [ONE_ROW, OWN, PUBLIC, SIGNED]
    assert sum(len(kind) for kind in kinds) == len(set().union(*kinds))
    assert set(OF_THE_API) == set().union(*kinds)


def test_matrix_asks_with_keys_that_the_owner_can_use(victim: User, bearer, lesion_jpeg: bytes):
    """Otherwise the 404s above would say nothing."""
    client = bearer(victim)
    for name in sorted(ONE_ROW):
        method = "POST" if name == "api:feedback" else "GET"
        assert ask(client, method, name, lesion_jpeg).status_code == 200
