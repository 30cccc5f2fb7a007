"""The one door to Google's packages: imported when first needed, and a missing one is said plainly."""

from __future__ import annotations

import importlib
from typing import Any

from keyaudit.errors import MissingExtraError

_OURS = ("google", "grpc", "proto", "requests")


def library(module: str) -> Any:
    """Import a module of Google's; raises MissingExtraError. Untyped, so everything from it is Any."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.split(".")[0] in _OURS:
            raise MissingExtraError("gcp", "listing Google Cloud credentials") from None
        raise
