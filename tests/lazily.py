"""Packages that take seconds to import, imported when a test first uses them: every worker collects all tests."""

from __future__ import annotations

from importlib import import_module
from typing import Any


class Lazily:
    def __init__(self, package: str) -> None:
        self._package = package

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self._package), name)
