"""The one door to botocore: it is imported when first needed, and a missing one is said plainly."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any

from keyaudit.errors import MissingExtraError


def botocore(module: str) -> Any:
    """Import `botocore.MODULE`; raises MissingExtraError. Untyped, so everything from it is Any."""
    try:
        return importlib.import_module(f"botocore.{module}")
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.split(".")[0] == "botocore":
            raise MissingExtraError("aws", "listing AWS credentials") from None
        raise


@cache
def api_models() -> Any:
    """Give the loader of API models that all sessions share: reading them is most of a client's cost."""
    return botocore("loaders").create_loader()


def knows(service: str, operation: str) -> bool:
    """Say whether the botocore that is installed has an operation of a service: the newest are not in all."""
    model = api_models().load_service_model(service, "service-2")
    return operation in model["operations"]
