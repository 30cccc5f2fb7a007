"""How Vault refuses: a status and its messages, or a status with `data` (a deleted version is a 404 with it)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Refused(Exception):
    def __init__(
        self,
        status: int,
        *errors: str,
        headers: Mapping[str, str] | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(status)
        self.status, self.errors, self.headers, self.data = status, list(errors), dict(headers or {}), data


EMPTY = Refused(404)
UNSUPPORTED_PATH = Refused(404, "1 error occurred:\n\t* unsupported path\n\n")
UNSUPPORTED = Refused(405, "1 error occurred:\n\t* unsupported operation\n\n")
