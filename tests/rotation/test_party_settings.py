"""What the documentation of a party shows of its settings: all of them, and such that they are taken."""

from __future__ import annotations

import sys

import pytest
import yaml

from keyaudit.rotation.settings import _class, check_settings

WRITTEN = [
    ("issuer", "openai"),
    ("issuer", "openrouter"),
    ("issuer", "manual"),
    ("issuer", "command"),
    ("probe", "command"),
    ("probe", "http"),
    ("probe", "openai"),
    ("probe", "anthropic"),
    ("probe", "gemini"),
    ("probe", "groq"),
    ("probe", "mistral"),
    ("probe", "openrouter"),
    ("silence", "openai"),
    ("silence", "anthropic"),
    ("silence", "openrouter"),
    ("silence", "access-log"),
]
EITHER = {"access-log": "pattern"}
"""Settings that exclude others which are shown beside them."""
ASKS_NOBODY = {"access-log"}
"""Every party takes `timeout`; for these it has no meaning, so it is not shown."""


def shown(role: str, kind: str) -> dict:
    """Give the settings as the module's docstring has them."""
    text = sys.modules[_class(role, kind).__module__].__doc__
    lines = text.partition(f"    {role}:\n")[2].partition("\n\n")[0]
    return {**yaml.safe_load(f"    {role}:\n{lines}")[role], "kind": kind}


@pytest.mark.parametrize(("role", "kind"), WRITTEN, ids=lambda each: each)
def test_every_setting_is_shown_and_can_be_written_as_it_is_shown(role: str, kind: str) -> None:
    settings = shown(role, kind)
    model = _class(role, kind).Settings
    unused = {"timeout"} if kind in ASKS_NOBODY else set()
    assert set(settings) == set(model.model_fields) - unused
    settings.pop(EITHER.get(kind, ""), None)
    assert model.model_validate(settings).kind == kind


@pytest.mark.parametrize(("role", "kind"), WRITTEN, ids=lambda each: each)
def test_a_setting_that_is_no_setting_is_refused_where_it_stands(role: str, kind: str) -> None:
    settings = {**shown(role, kind), "no_such_setting": 1}
    settings.pop(EITHER.get(kind, ""), None)
    others = {
        "store": {"kind": "dotenv", "path": ".env", "variable": "KEY"},
        "issuer": {"kind": "openai", "project": "p", "service_account": "s"},
        "probe": {"kind": "openai"},
    }
    problems = check_settings({"name": "tested", **others, role: settings})
    assert [(problem.path, problem.message) for problem in problems] == [
        ((role, "no_such_setting"), "unknown setting")
    ]
