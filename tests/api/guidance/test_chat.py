"""The chat over HTTP."""

from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

PATH = "/api/chatbot/"

pytestmark = pytest.mark.django_db


def post(client: Client, body: Any, **headers: str) -> Any:
    return client.post(PATH, body, content_type="application/json", headers=headers)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"message": "hi"}, id="message"),
        pytest.param({"message": None, "disease": None, "severity": None, "trigger": None}, id="nulls"),
        pytest.param({}, id="empty-object"),
        pytest.param("", id="no-body"),
        pytest.param({"message": ""}, id="empty-message"),
        pytest.param({"message": "x" * 2000, "disease": "Melanoma", "severity": "High", "trigger": "chat"}, id="long"),
        pytest.param({"message": "hi", "history": [1, 2]}, id="unknown-field"),
        pytest.param({"message": 5}, id="number"),
    ],
)
def test_chat_answers_every_valid_body(anonymous: Client, body: Any):
    response = post(anonymous, body)
    answer = response.json()
    assert response.status_code == 200
    assert isinstance(answer["reply"], str)
    assert answer["reply"]
    assert all(isinstance(text, str) for text in answer["quick_replies"])
    assert len(set(answer["quick_replies"])) == len(answer["quick_replies"])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"message": "x" * 2001}, "message"),
        ({"message": ["hi"]}, "message"),
        ({"message": True}, "message"),
        ({"message": "a\x00b"}, "message"),
        ({"disease": {}}, "disease"),
    ],
)
def test_chat_refuses_what_is_no_text(anonymous: Client, assert_error, body: Any, field: str):
    assert set(assert_error(post(anonymous, body), 400, "invalid")["fields"]) == {field}


def test_chat_with_an_expired_token_answers(anonymous: Client):
    assert post(anonymous, {"message": "hi"}, Authorization="Bearer expired").status_code == 200


def test_chat_says_when_it_is_an_emergency(anonymous: Client):
    answer = post(anonymous, {"message": "no puedo respirar"}).json()
    assert (answer["is_emergency"], answer["topic"]) == (True, "breathing")


@pytest.mark.parametrize(("language", "part"), [("es-MX,es;q=0.9", "melanoma"), ("en", "melanoma")])
def test_chat_answers_in_the_language_asked_for(anonymous: Client, language: str, part: str):
    body = {"message": "", "disease": "Melanoma", "severity": "High", "trigger": "scan_result"}
    answer = post(anonymous, body, **{"Accept-Language": language})
    assert answer.headers["Content-Language"] == language[:2]
    assert ("médico" in answer.json()["reply"]) is (language[:2] == "es")
    assert part in answer.json()["reply"].lower()


@given(st.text(max_size=200), st.text(max_size=50), st.sampled_from(["Low", "Moderate", "High", "", "x"]))
def test_chat_reply_to_any_text_is_some_text(message: str, disease: str, severity: str):
    from api.guidance.reply import reply_to

    assert reply_to(message=message, disease=disease, severity=severity).text
