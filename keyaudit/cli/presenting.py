"""How reports for people are to be presented, as keyaudit.yaml and the options say it.

report:
  entity: Acme Inc.
  marking: Confidential
  shape: soc2                        # general soc2 pci-dss hipaa iso27001
  logo: brand/logo.svg               # paths count from the file
  templates: audit/templates/
  responses: audit/responses.yaml
  distribution: [Acme management, Example Auditors LLP]
  prepared_by: {name: Ada Example, role: platform security, date: 2026-05-04}
  reviewed_by: {name: Ben Example, role: internal audit}
  security_hub: 111122223333/eu-west-1
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keyaudit.cli import options
from keyaudit.errors import Problem, UsageError, did_you_mean

if TYPE_CHECKING:
    from keyaudit.formats.presentation import Person, Presentation
    from keyaudit.strict_yaml import Node

TEXTS = ("entity", "marking", "security_hub", "shape", "logo", "templates", "responses")
PATHS = ("logo", "templates", "responses")
PEOPLE = ("prepared_by", "reviewed_by")
KEYS = (*TEXTS, "distribution", *PEOPLE)
PERSON = ("name", "role", "date")
LARGEST = 4 * 1024 * 1024
"""Bytes of any file that is read for a report; what each may have is checked again where it is used."""
_DAY = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", re.ASCII)


def problems(node: Node, file: str) -> Iterator[Problem]:
    """Say what is wrong with `report:` of keyaudit.yaml."""
    if not isinstance(node.content, dict):
        yield Problem(file, node.line, node.column, "report", f"expected some of {', '.join(KEYS)}")
        return
    for name, entry in node.items():
        field, value = f"report.{name}", entry.node.value()
        if name not in KEYS:
            hint = did_you_mean(name, KEYS)
            yield Problem(file, entry.line, entry.column, field, f"unknown setting{hint}")
        elif name in PEOPLE:
            yield from _person(entry.node, file, field)
        elif complaint := _complaint(name, value):
            yield Problem(file, entry.node.line, entry.node.column, field, complaint)


def _complaint(name: str, value: Any) -> str | None:
    if name == "distribution":
        fits = (
            isinstance(value, list)
            and value
            and all(isinstance(each, str) and each.strip() for each in value)
        )
        return None if fits else "expected a list of names, such as [Acme management]"
    if not isinstance(value, str) or not value.strip():
        return "expected text"
    if name == "security_hub" and not options.is_place(value):
        return f"expected {options.A_PLACE}"
    if name == "shape" and value not in options.SHAPES:
        return f"expected one of {', '.join(options.SHAPES)}{did_you_mean(value, options.SHAPES)}"
    return None


def _person(node: Node, file: str, field: str) -> Iterator[Problem]:
    if not isinstance(node.content, dict):
        yield Problem(file, node.line, node.column, field, "expected name, role and date")
        return
    if "name" not in node.content:
        yield Problem(file, node.line, node.column, f"{field}.name", "missing")
    for name, entry in node.items():
        value = entry.node.value()
        place = (file, entry.node.line, entry.node.column, f"{field}.{name}")
        if name not in PERSON:
            hint = did_you_mean(name, PERSON)
            yield Problem(file, entry.line, entry.column, f"{field}.{name}", f"unknown setting{hint}")
        elif not isinstance(value, str) or not value.strip():
            yield Problem(*place, "expected text")
        elif name == "date" and not _DAY.fullmatch(value):
            yield Problem(*place, "expected a day such as 2026-05-04")


def configured(file: Path, said: Mapping[str, Any]) -> dict[str, Any]:
    """Give the settings with their paths counted from the file."""
    return {name: options.beside(file, value) if name in PATHS else value for name, value in said.items()}


def presentation(said: Mapping[str, Any]) -> Presentation:
    """Read everything that a report is to be presented with.

    Raises UsageError for a file that cannot be read or is refused, PolicyError for responses.
    """
    from keyaudit.formats import logo, own_templates, responses
    from keyaudit.formats.presentation import Presentation

    given: dict[str, Any] = {}
    if said.get("logo"):
        given["logo"] = logo.read(_bytes(Path(said["logo"])), said["logo"])
    if said.get("responses"):
        given["responses"] = responses.read(_bytes(Path(said["responses"])), said["responses"])
    if said.get("templates"):
        given["templates"] = own_templates.read(_folder(Path(said["templates"])), said["templates"])
    return Presentation(
        shape=said.get("shape") or "general",
        distribution=tuple(said.get("distribution") or ()),
        prepared_by=_somebody(said.get("prepared_by")),
        reviewed_by=_somebody(said.get("reviewed_by")),
        **given,
    )


def _somebody(said: Mapping[str, str] | None) -> Person | None:
    from keyaudit.formats.presentation import Person

    return None if said is None else Person(**said)


def _folder(folder: Path) -> dict[str, bytes]:
    """Read the templates of a folder; links are not followed, and hidden files are nobody's templates."""
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder", hint="--templates names the folder they lie in")
    files = (each for each in sorted(folder.rglob("*")) if each.is_file() and not each.is_symlink())
    names = {each.relative_to(folder).as_posix(): each for each in files}
    shown = {
        name: file for name, file in names.items() if not any(p.startswith(".") for p in name.split("/"))
    }
    if not shown:
        raise UsageError(f"{folder}: there is no template in it")
    return {name: _bytes(file) for name, file in shown.items()}


def _bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from None
    if len(content) > LARGEST:
        raise UsageError(f"{file}: more than {LARGEST:,} bytes")
    return content
