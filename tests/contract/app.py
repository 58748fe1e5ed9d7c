"""The React Native app, as far as it talks to a server: its calls, byte for byte, and what it makes of the answers.

Written from the contract with the app (what it sends and reads) and from React Native's networking code, never from
our serializers. `Phone` is how a platform writes HTTP; `App` is what the app does with it, token included.
"""

import json
import secrets
import string
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP response. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """What JavaScript's `response.ok` says."""
        return 200 <= self.status <= 299

    def json(self) -> Any:
        """What `response.json()` gives: raises ValueError for an empty body, as the app would crash."""
        return json.loads(self.body)


Send = Callable[[str, str, dict[str, str], bytes], Answer]


@dataclass(frozen=True, slots=True)
class Photo:
    """What the app appends as a file: always named skin.jpg and declared as JPEG, whatever its bytes are."""

    content: bytes
    name: str = "skin.jpg"
    type: str = "image/jpeg"


Form = Mapping[str, str | Photo]


class Phone(Protocol):
    """How one platform's network stack writes requests."""

    headers: dict[str, str]

    def multipart(self, form: Form) -> tuple[str, bytes]:
        """Content type with its boundary, and body."""


class Ios:
    """React Native on iOS: RCTNetworking's RCTHTTPFormDataHelper, sent by NSURLSession."""

    headers = {
        "Accept": "*/*",
        "Accept-Language": "en-US,en;q=0.9",
        "Accept-Encoding": "gzip, deflate",
        "User-Agent": "SkinApp/1 CFNetwork/1410.0.3 Darwin/22.6.0",
    }
    boundary_letters = string.ascii_letters + string.digits + "-_."
    ending = "\r\n"

    def multipart(self, form: Form) -> tuple[str, bytes]:
        boundary = "".join(secrets.choice(self.boundary_letters) for _ in range(70))
        body = b""
        for name, value in form.items():
            # JavaScript's FormData makes the headers, an NSDictionary gives them in an order of its own.
            headers = {"content-disposition": f'form-data; name="{name}"'}
            content = value.encode() if isinstance(value, str) else value.content
            if isinstance(value, Photo):
                headers = {"content-type": value.type, **headers}
                headers["content-disposition"] += f'; filename="{value.name}"'
            lines = "".join(f"{key}: {text}\r\n" for key, text in headers.items())
            body += f"--{boundary}\r\n{lines}\r\n".encode() + content + b"\r\n"
        return f"multipart/form-data; boundary={boundary}", body + f"--{boundary}--{self.ending}".encode()


class OldIos(Ios):
    """The same before React Native 0.70: slashes in the boundary, which no parser may trip over."""

    boundary_letters = string.ascii_letters + string.digits + "-_./"


class Android:
    """React Native on Android: NetworkingModule on OkHttp 4, whose parts say their length."""

    headers = {"Accept-Encoding": "gzip", "User-Agent": "okhttp/4.9.2"}

    def multipart(self, form: Form) -> tuple[str, bytes]:
        boundary = str(uuid.uuid4())
        body = b""
        for name, value in form.items():
            disposition = f'form-data; name="{name}"'
            content, declared = (value.encode(), "") if isinstance(value, str) else (value.content, value.type)
            if isinstance(value, Photo):
                # Newer versions say the name twice (RFC 8187).
                disposition += f"; filename=\"{value.name}\"; filename*=utf-8''{value.name}"
            lines = f"content-disposition: {disposition}\r\n" + (f"Content-Type: {declared}\r\n" if declared else "")
            body += f"--{boundary}\r\n{lines}Content-Length: {len(content)}\r\n\r\n".encode() + content + b"\r\n"
        return f"multipart/form-data; boundary={boundary}", body + f"--{boundary}--\r\n".encode()


class Web:
    """The web build in Chrome, on another origin."""

    origin = "https://app.example.org"
    headers = {
        "Accept": "*/*",
        "Accept-Language": "en-GB,en;q=0.9",
        "Accept-Encoding": "gzip, deflate, br, zstd",
        "Origin": origin,
        "Referer": f"{origin}/",
        "Sec-Fetch-Mode": "cors",
        "Sec-Fetch-Site": "cross-site",
    }

    def multipart(self, form: Form) -> tuple[str, bytes]:
        boundary = "----WebKitFormBoundary" + "".join(
            secrets.choice(string.ascii_letters + string.digits) for _ in range(16)
        )
        body = b""
        for name, value in form.items():
            lines = f'Content-Disposition: form-data; name="{name}"'
            if isinstance(value, Photo):
                lines += f'; filename="{value.name}"\r\nContent-Type: {value.type}'
            content = value.encode() if isinstance(value, str) else value.content
            body += f"--{boundary}\r\n{lines}\r\n\r\n".encode() + content + b"\r\n"
        return f"multipart/form-data; boundary={boundary}", body + f"--{boundary}--\r\n".encode()


PHONES: dict[str, type[Phone]] = {"ios": Ios, "old-ios": OldIos, "android": Android, "web": Web}


@dataclass(slots=True)
class App:
    """The app on one phone. It keeps what the app keeps: the tokens of the last login."""

    send: Send
    phone: Phone
    access: str = ""
    refresh: str = field(default="", repr=False)

    # Predicting: no token, even when logged in

    def predict(self, photo: bytes, *, token: str = "") -> Answer:
        return self._multipart("/api/predict/skin-disease/", {"image": Photo(photo)}, token=token)

    # People

    def register(self, **person: Any) -> Answer:
        return self._json("POST", "/api/auth/register/", person)

    def login(self, email: str, password: str) -> Answer:
        answer = self._json("POST", "/api/auth/login/", {"email": email, "password": password})
        if answer.ok:
            self.access, self.refresh = answer.json()["access"], answer.json()["refresh"]
        return answer

    def profile(self) -> Answer:
        return self._json("GET", "/api/auth/profile/", token=self.access)

    def update_profile(self, **changes: Any) -> Answer:
        return self._json("PATCH", "/api/auth/profile/update/", changes, token=self.access)

    def send_code(self, channel: str) -> Answer:
        return self._json("POST", f"/api/auth/otp/{channel}/send/", token=self.access)

    def verify_code(self, channel: str, otp: str) -> Answer:
        return self._json("POST", f"/api/auth/otp/{channel}/verify/", {"otp": otp}, token=self.access)

    def logout(self) -> None:
        """No call: the app forgets its tokens."""
        self.access = self.refresh = ""

    # Scans

    def save_scan(self, photo: bytes, shown: Mapping[str, Any]) -> Answer:
        """Save what the app has shown for a prediction, the confidence as the text that it made of it."""
        form: dict[str, str | Photo] = {
            "diagnosis": shown["diagnosis"],
            "confidence": confidence_text(shown["confidence"]),
            "severity": shown["severity"],
            "advice": shown["advice"],
            "is_safe": "true" if shown["isSafe"] else "false",
            "image": Photo(photo),
        }
        return self._multipart("/api/scans/", form, token=self.access)

    def scans(self) -> Answer:
        return self._json("GET", "/api/scans/", token=self.access)

    def delete_scan(self, scan_id: str) -> Answer:
        return self._json("DELETE", f"/api/scans/{scan_id}/", token=self.access)

    def scan_pdf(self, scan_id: str) -> Answer:
        return self._json("GET", f"/api/scans/{scan_id}/pdf/", token=self.access)

    def open_image(self, url: str) -> Answer:
        """As an <Image source={{uri}}> does: no header of ours, the absolute address as it came."""
        parts = urlsplit(url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        return self.send("GET", path, {"Accept": "image/*,*/*;q=0.8", "Host": parts.netloc}, b"")

    # Guidance

    def chat(self, **body: Any) -> Answer:
        return self._json("POST", "/api/chatbot/", body)

    def nearby(self, **body: Any) -> Answer:
        return self._json("POST", "/api/nearby-hospitals/", body, token=self.access)

    # How it sends

    def _json(self, method: str, path: str, body: Any = None, *, token: str = "") -> Answer:
        """`Content-Type: application/json` on everything that is not multipart, with or without a body."""
        headers = {**self.phone.headers, "Content-Type": "application/json", **_bearer(token)}
        return self.send(method, path, headers, b"" if body is None else json.dumps(body, ensure_ascii=False).encode())

    def _multipart(self, path: str, form: Form, *, token: str) -> Answer:
        content_type, body = self.phone.multipart(form)
        return self.send("POST", path, {**self.phone.headers, "Content-Type": content_type, **_bearer(token)}, body)


def confidence_text(confidence: float) -> str:
    """What the app shows and saves: a number of at most 1 is taken for a share and would become "1%"."""
    return f"{round(confidence)}%"


def shown_severity(severity: Any) -> str:
    """What the result screen makes of a severity: anything that it does not know is shown as low risk."""
    return severity if severity in ("Low", "Moderate", "High") else "Low"


def register_message(body: Mapping[str, Any]) -> str:
    """What the register screen shows on failure; raises AssertionError where it would crash or show nothing."""
    for key in ("email", "phone", "confirm_password", "error"):
        value = body.get(key)
        if value:
            text = value[0] if isinstance(value, list) else value
            assert isinstance(text, str), f"the register screen renders {key} as text, but it is {value!r}"
            return text
    raise AssertionError(f"the register screen shows nothing of {body}")


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}
