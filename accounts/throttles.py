"""How often one may ask: per person, per address and per e-mail tried. Must not know what a route does.

A view names its limit in `throttle_scope`. THROTTLE_RATES[scope] is the limit of one person, THROTTLE_RATES[scope +
"_address"] that of everybody behind one address, which is larger: a carrier puts many phones behind one. Each counts
in fixed windows; only keyed digests of persons, addresses and e-mails are stored, and not longer than a window.
"""

import ipaddress
import time
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.hits import count_hit
from accounts.models import User, UserManager

DEFAULT_SCOPE = "api"
_IPV6_SITE_BITS = 64  # one subscriber has at least this much: single addresses of it are free to change


class Throttle(BaseThrottle):
    """Limits the person whose token came, and the address it came from."""

    _wait_s: int | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        scope = _scope(view)
        person = {scope: f"person {request.user.pk}"} if isinstance(request.user, User) else {}
        self._wait_s = seconds_to_wait(person | address_counted(request, scope))
        return self._wait_s is None

    def wait(self) -> float | None:
        return self._wait_s


class EmailThrottle(Throttle):
    """Limits also the e-mail tried: from one address, and from anywhere where a rate says so.

    The limit for one address comes first, so a stranger who tries somebody's e-mail does not lock that person out.
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        if not super().allow_request(request, view):
            return False  # before the body is read, which may be of any kind
        email = request.data.get("email") if isinstance(request.data, Mapping) else None
        self._wait_s = seconds_to_wait(email_counted(request, _scope(view), email))
        return self._wait_s is None


def address_counted(request: HttpRequest | Request, scope: str) -> dict[str, str]:
    """Name of a rate to whom it limits: everybody behind the request's address."""
    address = address_of(request)
    return {f"{scope}_address": address} if address else {}


def email_counted(request: HttpRequest | Request, scope: str, email: Any) -> dict[str, str]:
    """Name of a rate to whom it limits: whoever tries this e-mail, from this address and from anywhere."""
    if not isinstance(email, str):
        return {}
    email = UserManager.normalize_email(email)
    return {scope: f"{email} from {address_of(request)}", f"{scope}_email": email}


def seconds_to_wait(counted: Mapping[str, str]) -> int | None:
    """Count one hit of each in turn; the seconds until the first exhausted window ends, or None with room in all.

    What comes after an exhausted one is not counted: who is over a small limit uses up no larger one of others.
    """
    now = int(time.time())
    for name, who in counted.items():
        rate = settings.THROTTLE_RATES.get(name)
        if rate is not None:
            allowed, window_s = rate
            until = (now // window_s + 1) * window_s
            if count_hit(_key(name, who), now=now, until=until) > allowed:
                return until - now
    return None


def address_of(request: HttpRequest | Request) -> str:
    """The client's address: of IPv6 its network; empty when the server does not know, as behind a Unix socket."""
    text = BaseThrottle().get_ident(request) or ""  # type: ignore[arg-type]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return str(text)
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((int(address), _IPV6_SITE_BITS), strict=False))
    return str(address)


def _scope(view: Any) -> str:
    return getattr(view, "throttle_scope", None) or DEFAULT_SCOPE


def _key(name: str, who: str) -> str:
    return salted_hmac("accounts.throttles", f"{name} {who}", algorithm="sha256").hexdigest()
