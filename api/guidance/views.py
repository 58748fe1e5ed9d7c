"""The guidance chat over HTTP."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.base_views import PublicView
from api.guidance.reply import reply_to
from api.guidance.serializers import ChatRequest, ChatResponse, chat_payload
from api.serializers import ErrorBody


class ChatView(PublicView):
    """Curated guidance about spots on the skin."""

    @extend_schema(tags=["guidance"], request=ChatRequest, responses={200: ChatResponse, 400: ErrorBody})
    def post(self, request: Request) -> Response:
        """Answer one message in the language of `Accept-Language` (English or Spanish); emergencies come first."""
        form = ChatRequest(data=request.data)
        form.is_valid(raise_exception=True)
        asked = {name: form.validated_data.get(name) or "" for name in ("message", "disease", "severity", "trigger")}
        return Response(chat_payload(reply_to(**asked)))
