"""What is said: urgent things first, nothing that calms at the wrong moment, and always a way out."""

import re
from itertools import pairwise

import pytest
from django.utils import translation

from api.guidance import content
from api.guidance.classes import BY_LABEL, SENTENCES, Urgency
from api.guidance.matcher import match
from api.guidance.reply import reply_to
from api.guidance.result import read_result
from api.guidance.topics import EMERGENCIES, Topic
from ml_models import labels
from ml_models.classification import Modality, Severity
from ml_models.decision import DecisionRules, decide

LANGUAGES = ("en", "es")
# Sent as they are, these have the topic in English.
MESSAGES = {topic: str(question) for topic, question in content.QUESTIONS.items()}
CALMING = re.compile(
    r"healthy|harmless|nothing to worry|don't worry|no need to|all clear|you are fine|not dangerous"
    r"|\bsan[oa]s?\b|inofensiv|no te preocupes|no se preocupe|tranquil|no es peligros",
    re.IGNORECASE,
)


def all_texts() -> list[str]:
    classes = [text for each in BY_LABEL.values() for text in (each.name, each.what, each.watch)]
    single = [content.ABCDE, content.UNUSABLE, content.SUSPICIOUS, content.LEANING, content.CONTRADICTED]
    tables = (content.EMERGENCY_REPLIES, content.REPLIES, content.QUESTIONS, SENTENCES)
    return [
        str(text)
        for text in (*classes, *single, content.WAY_OUT, *(text for table in tables for text in table.values()))
    ]


# Results


@pytest.mark.parametrize(
    ("disease", "severity", "urgency"),
    [
        ("Melanoma", "High", Urgency.DAYS),
        ("Melanoma", "Low", Urgency.DAYS),
        ("Squamous cell carcinoma", "", Urgency.DAYS),
        ("Basal cell carcinoma", "High", Urgency.TWO_WEEKS),
        ("Basal cell carcinoma", "", Urgency.TWO_WEEKS),
        ("Unsure, possibly: Basal cell carcinoma", "High", Urgency.DAYS),
        ("Actinic keratosis or intraepithelial carcinoma (Bowen's disease)", "Moderate", Urgency.WEEKS),
        ("Actinic keratosis", "High", Urgency.DAYS),
        ("Melanocytic nevus (mole)", "Low", Urgency.WATCH),
        ("Melanocytic nevus (mole)", "moderate", Urgency.WEEKS),
        ("Melanocytic nevus (mole); possible malignancy", "High", Urgency.DAYS),
        ("Eczema", "High", Urgency.DAYS),
        ("Eczema", "whatever", None),
        ("Photo not usable", "Moderate", Urgency.WEEKS),
        ("", "", None),
    ],
)
def test_result_is_as_urgent_as_the_sooner_of_class_and_severity(disease: str, severity: str, urgency: Urgency | None):
    assert read_result(disease=disease, severity=severity).urgency is urgency


@pytest.mark.parametrize("label", labels.CATALOGUE, ids=lambda label: label.code)
@pytest.mark.parametrize("modality", [None, *Modality])
@pytest.mark.parametrize("share", [0.3, 0.95])
def test_result_of_whatever_the_server_decides_is_understood(label, modality: Modality | None, share: float):
    """The chat must not be calmer than the prediction it is asked about."""
    rest = (1 - share) / (len(labels.CATALOGUE) - 1)
    probabilities = {each.code: share if each is label else rest for each in labels.CATALOGUE}
    limits = {Modality.DERMATOSCOPIC: 0.2}
    rules = DecisionRules(labels.CATALOGUE, limits, prediction_sets=limits)
    decision = decide(probabilities, rules, modality=modality)
    result = read_result(disease=decision.diagnosis, severity=decision.severity.value)
    assert result.label == label.code
    is_high = decision.malignancy.suspicious or decision.severity is Severity.HIGH
    assert result.is_suspicious is (is_high or bool(label.malignant))
    if decision.severity is Severity.HIGH:
        assert result.urgency <= Urgency.TWO_WEEKS


@pytest.mark.parametrize("label", labels.CATALOGUE, ids=lambda label: label.code)
@pytest.mark.parametrize("language", LANGUAGES)
def test_result_is_understood_in_the_language_it_was_shown_in(label, language: str):
    with translation.override(language):
        shown = translation.gettext(label.name)
        assert read_result(disease=shown, severity="").label == label.code
        assert read_result(disease=translation.gettext("Photo not usable"), severity="").is_unusable


# Replies


@pytest.mark.parametrize("code", labels.CODES)
def test_reply_to_a_shown_result_says_what_it_is_and_what_to_watch_for(code: str):
    reply = reply_to(message="", disease=labels.BY_CODE[code].name, trigger="scan_result").text
    assert str(BY_LABEL[code].what) in reply
    assert str(BY_LABEL[code].watch) in reply
    assert str(SENTENCES[BY_LABEL[code].urgency]) in reply


@pytest.mark.parametrize("topic", [topic for topic in MESSAGES if topic not in EMERGENCIES])
@pytest.mark.parametrize("disease", ["Melanoma", "Basal cell carcinoma", "Dermatofibroma; possible malignancy"])
def test_reply_after_a_suspicious_result_begins_with_it(topic: Topic, disease: str):
    reply = reply_to(message=MESSAGES[topic], disease=disease, severity="High")
    assert reply.text.startswith(str(content.SUSPICIOUS))


@pytest.mark.parametrize("message", ["it is not bleeding", "no pain at all", "thanks", "hi", "blub", "is it harmless?"])
def test_reply_after_a_suspicious_result_is_not_calmed_by_what_is_said(message: str):
    reply = reply_to(message=message, disease="Melanoma", severity="High").text
    assert reply.startswith(str(content.SUSPICIOUS))
    assert not CALMING.search(reply)


def test_reply_to_a_contradicted_result_does_not_say_what_is_true_of_its_name():
    disease = "Melanocytic nevus (mole); possible malignancy"
    reply = reply_to(message="What is it?", disease=disease, severity="High").text
    assert str(content.CONTRADICTED) in reply
    assert str(BY_LABEL["nv"].what) not in reply


@pytest.mark.parametrize("topic", sorted(EMERGENCIES))
@pytest.mark.parametrize("trigger", ["chat", "scan_result", ""])
def test_reply_to_an_emergency_is_about_it_alone(topic: Topic, trigger: str):
    message = {
        Topic.SELF_HARM: "I want to kill myself",
        Topic.BREATHING: "I can't breathe",
        Topic.HEAVY_BLEEDING: "it won't stop bleeding",
        Topic.SPREADING_INFECTION: "fever and spreading redness",
    }[topic]
    reply = reply_to(message=message, disease="Melanoma", severity="High", trigger=trigger)
    assert reply.is_emergency
    assert reply.text == str(content.EMERGENCY_REPLIES[topic])


@pytest.mark.parametrize("topic", sorted(EMERGENCIES))
@pytest.mark.parametrize("language", LANGUAGES)
def test_emergency_reply_names_the_numbers(topic: Topic, language: str):
    with translation.override(language):
        assert {"112", "911"} <= set(re.findall(r"\d{3}", str(content.EMERGENCY_REPLIES[topic])))


@pytest.mark.parametrize("topic", [topic for topic in Topic if topic not in EMERGENCIES])
def test_reply_ends_with_a_way_out(topic: Topic):
    message = MESSAGES.get(topic, "")
    assert reply_to(message=message).text.endswith(str(content.WAY_OUT))


def test_reply_to_the_incomprehensible_names_what_can_be_asked_and_emergencies():
    reply = reply_to(message="blub")
    assert reply.topic is Topic.UNKNOWN
    assert "explain a result" in reply.text
    assert "112" in reply.text


def test_reply_about_a_class_named_in_the_message_is_about_that_class():
    reply = reply_to(message="What is a basal cell carcinoma?", disease="Melanocytic nevus (mole)", severity="Low")
    assert str(BY_LABEL["bcc"].what) in reply.text


def test_reply_about_my_mole_is_about_the_result():
    reply = reply_to(message="explain my mole", disease="Dermatofibroma", severity="Low")
    assert str(BY_LABEL["df"].what) in reply.text


def test_reply_to_an_unusable_photo_says_how_to_take_another():
    reply = reply_to(message="", disease="Photo not usable", severity="Moderate", trigger="scan_result")
    assert str(content.REPLIES[Topic.PHOTO]) in reply.text


@pytest.mark.parametrize("arguments", [{}, {"disease": "Eczema"}, {"severity": "High"}, {"trigger": "scan_result"}])
@pytest.mark.parametrize("message", ["", "hello", "What is it?"])
def test_reply_is_given_whatever_is_missing(message: str, arguments: dict[str, str]):
    reply = reply_to(message=message, **arguments)
    assert reply.text
    assert reply.quick_replies


# Quick replies


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("topic", content.QUESTIONS)
def test_question_leads_to_its_topic(topic: Topic, language: str):
    with translation.override(language):
        assert match(str(content.QUESTIONS[topic])).topic is topic


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("topic", Topic)
def test_quick_replies_are_distinct_and_lead_on(topic: Topic, language: str):
    following = content.next_topics(topic)
    assert topic not in following
    with translation.override(language):
        questions = [str(content.QUESTIONS[each]) for each in following]
    assert len(set(questions)) == len(questions) >= 2


# Words


def test_content_covers_every_topic_once():
    assert set(content.EMERGENCY_REPLIES) == EMERGENCIES
    assert set(content.REPLIES) == set(Topic) - EMERGENCIES


def test_content_covers_every_class():
    assert set(BY_LABEL) == set(labels.CODES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_content_never_calms_or_diagnoses(language: str):
    with translation.override(language):
        texts = all_texts()
    assert not [text for text in texts if CALMING.search(text)]
    diagnosing = re.compile(r"\byou have (a )?(cancer|melanoma)|\btiene (un )?(cáncer|melanoma)", re.IGNORECASE)
    assert not [text for text in texts if diagnosing.search(text)]


@pytest.mark.parametrize("code", labels.CODES)
def test_content_is_no_slower_than_the_prediction(code: str):
    """`ml_models` says the same in its own words: severity High is a matter of days or two weeks, Moderate of weeks."""
    soonest = {Severity.HIGH: Urgency.TWO_WEEKS, Severity.MODERATE: Urgency.WEEKS, Severity.LOW: Urgency.WATCH}
    assert BY_LABEL[code].urgency <= soonest[labels.BY_CODE[code].severity]


def test_urgencies_are_ordered():
    assert all(sooner < later for sooner, later in pairwise(Urgency))
