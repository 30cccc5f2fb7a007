"""Arguments → one library call → bytes and an exit code; one file a command."""

from __future__ import annotations

from keyaudit.cli.program import run

__all__ = ["run"]
