"""A value that must not be seen: nothing prints, pickles or compares it by accident."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import NoReturn


class Secret:
    """The text of a credential, as its store keeps it.

    Only `reveal()` gives the text; `str`, `repr` and formatting do not.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Give the text: to a store, a provider or a probe, and to nobody else."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._text.encode(), other._text.encode())

    __hash__ = None  # type: ignore[assignment]  # a hash of a value is a value's fingerprint

    def __reduce__(self) -> NoReturn:
        msg = "a secret is not written down"
        raise TypeError(msg)


Parts = Mapping[str, str]
"""What a provider gave as one credential, by the provider's own names of the parts.

An API key has one, `key`. An AWS access key has `access_key_id` and `secret_access_key`, a Google
service-account key has `json`, a database user has `username` and `password`.
"""
