"""A database, as far as its passwords go: `GET /whoami` with a name and a password, 200 or 401.

    with DatabaseServer({"svc-billing": "first"}) as database:
        requests.get(f"{database.url}/whoami", auth=("svc-billing", "first"))

A password that was replaced is dead at once.
"""

from __future__ import annotations

import base64
import binascii
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler

from servers.loopback import Loopback


class DatabaseDown(Exception):
    pass


@dataclass(frozen=True)
class Login:
    user: str
    accepted: bool


class DatabaseServer(Loopback):
    def __init__(self, users: Mapping[str, str]) -> None:
        self._passwords = dict(users)
        self._lock = threading.Lock()
        self.down = False
        self.logins: list[Login] = []
        """Who tried to log in, in order."""
        super().__init__()

    def set_password(self, user: str, password: str) -> None:
        """Replace a password; a user that is not there is as wrong as a database that is down."""
        with self._lock:
            if self.down or user not in self._passwords:
                raise DatabaseDown
            self._passwords[user] = password

    def log_in(self, authorization: str) -> str | None:
        """Give the user whose name and password these are, or None."""
        try:
            user, _, password = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            user, password = "", ""
        with self._lock:
            accepted = bool(user) and self._passwords.get(user) == password
            self.logins.append(Login(user, accepted))
        return user if accepted else None

    def handler(self) -> type[BaseHTTPRequestHandler]:
        database = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = 65536

            def do_GET(self):
                if database.down:
                    return self.say(503, {})
                user = database.log_in(self.headers.get("Authorization", ""))
                return self.say(200, {"user": user}) if user else self.say(401, {})

            def say(self, status, content):
                sent = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            def log_message(self, *_):
                pass

        return Handler
