"""Where the policies and frameworks that come with keyaudit are."""

from __future__ import annotations

from pathlib import Path


def folder(*parts: str) -> Path:
    """Give a place under `keyaudit/policies` in a wheel, or `policies/` beside the package in a checkout."""
    package = Path(__file__).parents[1]
    inside = package / "policies"
    root = inside if inside.is_dir() else package.parent / "policies"
    return root.joinpath(*parts)
