"""Where Google's service accounts get access tokens: a signed JWT goes in, a token comes out.

    google = GoogleIam("acme-prod")
    with TokenEndpoint(google) as tokens:      # credentials files made from now on point here
        ...

Signatures are verified against the public keys that `GoogleIam` made. A key that is disabled, deleted or
not yet known here is `invalid_grant`, "Invalid JWT Signature.", all alike. Each token given is an event
of the metric by key. A token outlives its key: it is good for an hour, whatever becomes of the key.
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from google.auth import exceptions, jwt

from keyaudit.times import SECOND
from servers.breakages import ANYWHERE, answers
from servers.fault_proxy import Asked, Breakage
from servers.loopback import Loopback

if TYPE_CHECKING:
    from servers.google_iam import GoogleIam

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
AUDIENCE = "https://oauth2.googleapis.com/token"
"""What google-auth always signs for, wherever the endpoint is."""
LIFETIME = 3599


class OAuthError(Exception):
    def __init__(self, error: str, description: str) -> None:
        super().__init__(error)
        self.content = {"error": error, "error_description": description}


@dataclass(frozen=True)
class Token:
    email: str
    key: str
    until: int


class TokenEndpoint(Loopback):
    """`calls` has the key's id of each request, in order, and `refused` those that got no token."""

    def __init__(self, google: GoogleIam) -> None:
        self._google = google
        self.calls: list[str] = []
        self.refused: list[str] = []
        self._tokens: dict[str, Token] = {}
        super().__init__()
        google.token_uri = self.uri

    @property
    def uri(self) -> str:
        return f"{self.url}/token"

    def exchange(self, form: dict[str, list[str]]) -> dict[str, Any]:
        """Give a token for an assertion. One without `kid` is refused; google-auth always names the key."""
        if form.get("grant_type") != [JWT_BEARER]:
            raise OAuthError("unsupported_grant_type", "Invalid grant_type")
        assertion = form.get("assertion", [""])[0]
        try:
            key = str(jwt.decode_header(assertion)["kid"])
            issuer = jwt.decode(assertion, verify=False)["iss"]
        except (exceptions.GoogleAuthError, KeyError, ValueError) as error:
            raise OAuthError("invalid_grant", "Bad JWT") from error
        self.calls.append(key)
        account = self._google.by_email(issuer)
        if account is None:
            self.refused.append(key)
            raise OAuthError("invalid_grant", "Invalid grant: account not found")
        certificates = self._google.honoured(account.name)
        try:
            jwt.decode(assertion, certificates, audience=[AUDIENCE, self.uri])
        except (exceptions.GoogleAuthError, ValueError) as error:
            self.refused.append(key)
            raise OAuthError("invalid_grant", "Invalid JWT Signature.") from error
        now = self._google.clock()
        self._google.sign_in(account.name, key, now)
        token = f"ya29.CANARY-{secrets.token_urlsafe(32)}"
        self._tokens[token] = Token(account.email, key, now + LIFETIME * SECOND)
        return {"access_token": token, "expires_in": LIFETIME, "token_type": "Bearer"}

    def info(self, query: dict[str, list[str]]) -> dict[str, Any]:
        found = self._tokens.get(query.get("access_token", [""])[0])
        left = (found.until - self._google.clock()) // SECOND if found else 0
        if found is None or left <= 0:
            raise OAuthError("invalid_token", "Invalid Value")
        return {"email": found.email, "expires_in": str(left), "exp": str(found.until // SECOND)}

    def handler(self) -> type[BaseHTTPRequestHandler]:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = 65536

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
                self.say(endpoint.exchange, parse_qs(body))

            def do_GET(self):
                self.say(endpoint.info, parse_qs(urlsplit(self.path).query))

            def say(self, answer, asked):
                try:
                    status, content = 200, answer(asked)
                except OAuthError as error:
                    status, content = 400, error.content
                sent = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json; charset=utf-8")
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            def log_message(self, *_):
                pass

        return Handler


class GoogleOAuth:
    """The endpoint's protocol for the fault proxy; point `google.token_uri` at the proxy then."""

    breakages: dict[str, Breakage] = {
        **ANYWHERE,
        "server-error": answers(500, json.dumps({"error": "internal_failure"})),
        "throttled": answers(429, json.dumps({"error": "rate_limit_exceeded"})),
        "refused": answers(400, json.dumps(OAuthError("invalid_grant", "Invalid JWT Signature.").content)),
    }

    def asked(self, handler: BaseHTTPRequestHandler, body: bytes) -> Asked:
        operation = "Token" if handler.command == "POST" else "TokenInfo"
        return Asked("oauth2", operation, "", "", body, time.monotonic())

    def forwarded(self, path: str, body: bytes) -> tuple[str, bytes]:
        return path, body
