"""The wire format of the guidance chat."""

from typing import Any

from rest_framework import serializers

from api.guidance.reply import Reply
from api.guidance.topics import Topic


class ChatRequest(serializers.Serializer[Any]):
    """A message, and what the app knows about the last result. All may be null or absent."""

    message = serializers.CharField(required=False, allow_null=True, allow_blank=True, max_length=2000)
    disease = serializers.CharField(
        required=False, allow_null=True, allow_blank=True, max_length=300, help_text="the last diagnosis, as shown"
    )
    severity = serializers.CharField(
        required=False, allow_null=True, allow_blank=True, max_length=100, help_text="Low, Moderate or High"
    )
    trigger = serializers.CharField(
        required=False,
        allow_null=True,
        allow_blank=True,
        max_length=100,
        help_text="`scan_result` explains the result; anything else answers the message",
    )


class ChatResponse(serializers.Serializer[Any]):
    """The answer to one message; nothing of the chat is kept."""

    reply = serializers.CharField(help_text="plain text with line breaks")
    quick_replies = serializers.ListField(child=serializers.CharField(), help_text="messages that may be sent next")
    topic = serializers.ChoiceField(choices=[each.value for each in Topic])
    is_emergency = serializers.BooleanField()


def chat_payload(reply: Reply) -> dict[str, Any]:
    """What `ChatResponse` describes."""
    return {
        "reply": reply.text,
        "quick_replies": list(reply.quick_replies),
        "topic": reply.topic.value,
        "is_emergency": reply.is_emergency,
    }
