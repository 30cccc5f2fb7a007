"""Options that belong together, declared in one place and handed to a command as one object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from typing import Any

from keyaudit.cli.options import Decorator


def grouped(name: str, made_by: Callable[..., Any], *declared: Decorator) -> Decorator:
    """Give a command the options `declared` as one argument `name`: the dataclass `made_by`, made of them.

    Its fields are called as click calls the options.
    """
    taken = [field.name for field in fields(made_by)]  # type: ignore[arg-type]

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def run(*arguments: Any, **options: Any) -> Any:
            made = made_by(**{field: options.pop(field) for field in taken})
            return command(*arguments, **options, **{name: made})

        decorated: Callable[..., Any] = run
        for option in reversed(declared):
            decorated = option(decorated)
        return decorated

    return decorate
