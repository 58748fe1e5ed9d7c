"""The API's limits on the pages' forms. Owns no numbers."""

from django.http import HttpRequest
from rest_framework.exceptions import Throttled

from accounts.models import User
from accounts.throttles import address_counted, seconds_to_wait


def check_throttle(request: HttpRequest, *, scope: str) -> None:
    """Count this request as the API counts its own. Raises Throttled."""
    person = {scope: f"person {request.user.pk}"} if isinstance(request.user, User) else {}
    wait_s = seconds_to_wait(person | address_counted(request, scope))
    if wait_s is not None:
        raise Throttled(wait_s)
