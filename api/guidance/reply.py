"""The reply: what is urgent first, then what was asked, and always a way out. Deterministic, in the active language."""

from dataclasses import dataclass

from api.guidance import content, matcher
from api.guidance.classes import BY_LABEL, SENTENCES
from api.guidance.result import Result, read_result
from api.guidance.topics import EMERGENCIES, Topic

SCAN_RESULT = "scan_result"


@dataclass(frozen=True, slots=True)
class Reply:
    """Plain text with line breaks, and messages that may be sent next."""

    topic: Topic
    text: str
    quick_replies: tuple[str, ...]

    @property
    def is_emergency(self) -> bool:
        """Whether somebody may need help at this moment."""
        return self.topic in EMERGENCIES


def reply_to(*, message: str, disease: str = "", severity: str = "", trigger: str = "") -> Reply:
    """Answer a message, or explain a result that the app has just shown (`trigger` is "scan_result")."""
    found = matcher.match(message)
    result = read_result(disease=disease, severity=severity)
    if found.topic in EMERGENCIES:
        return _reply(found.topic, [str(content.EMERGENCY_REPLIES[found.topic])])
    has_result = result.is_known or result.is_unusable
    if has_result and (trigger == SCAN_RESULT or not message.strip()):
        return _reply(Topic.EXPLAIN, [*_lead(result), *_explained(result), str(content.WAY_OUT)])
    topic = Topic.GREETING if not message.strip() else found.topic
    return _reply(topic, [*_lead(result), *_answered(topic, found.label, result), str(content.WAY_OUT)])


def _reply(topic: Topic, paragraphs: list[str]) -> Reply:
    questions = tuple(str(content.QUESTIONS[each]) for each in content.next_topics(topic))
    return Reply(topic, "\n\n".join(paragraphs), questions)


def _lead(result: Result) -> list[str]:
    """What comes before everything else while a result must not be played down."""
    if result.is_suspicious and result.urgency is not None:
        return [f"{content.SUSPICIOUS} {SENTENCES[result.urgency]}"]
    return []


def _answered(topic: Topic, named: str | None, result: Result) -> list[str]:
    if topic is Topic.EXPLAIN:
        # "Mole" is what people call any spot: their result's class is meant, if there is one.
        if named and not (named == "nv" and result.label):
            return _class_texts(named)
        if result.is_known or result.is_unusable:
            return _explained(result)
    paragraphs = [str(content.REPLIES[topic])]
    if topic is Topic.WATCH:
        paragraphs.append(str(content.ABCDE))
        if result.label:
            paragraphs.append(str(BY_LABEL[result.label].watch))
    if topic in {Topic.URGENCY, Topic.CANCER} and result.urgency is not None and not result.is_suspicious:
        paragraphs.append(str(SENTENCES[result.urgency]))
    return paragraphs


def _explained(result: Result) -> list[str]:
    """What is known of the result, without what `_lead` has said."""
    if result.is_unusable:
        return [str(content.UNUSABLE), str(content.REPLIES[Topic.PHOTO])]
    paragraphs = []
    if result.label:
        guidance = BY_LABEL[result.label]
        leaning = str(content.LEANING) % {"name": guidance.name}
        about = content.CONTRADICTED if result.is_contradicted else guidance.what
        watch = f"{guidance.watch}\n{content.ABCDE}" if guidance.is_pigmented else str(guidance.watch)
        paragraphs += [f"{leaning} {about}", watch]
    else:
        paragraphs += [f"{content.REPLIES[Topic.WATCH]}\n{content.ABCDE}"]
    if result.urgency is not None and not result.is_suspicious:
        paragraphs.append(str(SENTENCES[result.urgency]))
    return paragraphs


def _class_texts(label: str) -> list[str]:
    guidance = BY_LABEL[label]
    return [f"{guidance.name}: {guidance.what}", f"{guidance.watch} {SENTENCES[guidance.urgency]}"]
