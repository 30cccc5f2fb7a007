"""The small parts of OSCAL that every other part is made of: tokens, props, who says it, and when.

OSCAL is strict about text: no empty string, no outer space, no line end where one line is
meant. Its titles, descriptions and remarks are Markdown, the values of its props are not. Names
come from strangers, so all text goes through `markup` or `line`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from keyaudit import times
from keyaudit.formats.identifiers import identifier
from keyaudit.formats.visible import bounded
from keyaudit.model import ControlResult, Report

NAMESPACE = "urn:keyaudit:oscal:1"
"""The namespace of all props here: none of them has the meaning that OSCAL gives to a name."""

LONGEST = 4000

_MARKED = re.compile(r"[\\`*~^<>\[\]{}&#|]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|^[-+](?=\s)|(?<=\d)[.)](?=\s)")
_NIST = re.compile(r"([A-Z]{2})-([1-9]\d*)(?:\(([1-9]\d*)\))?", re.ASCII)
_NOT_IN_A_TOKEN = re.compile(r"[^A-Za-z0-9._-]")

Part = dict[str, Any]


def line(text: str, most: int = LONGEST) -> str:
    """Give text that fits wherever OSCAL wants a string."""
    return bounded(text, most)


def markup(text: str, most: int = LONGEST) -> str:
    """Give text for a title, a description or remarks, in which nothing is Markdown, HTML or an insert."""
    return _MARKED.sub(r"\\\g<0>", bounded(text, most))


def prop(name: str, value: object) -> Part:
    """Give one property; numbers and booleans are printed as JSON prints them."""
    text = value if isinstance(value, str) else json.dumps(value)
    return {"name": token(name), "ns": NAMESPACE, "value": line(text)}


def props(known: Mapping[str, object] | Iterable[tuple[str, object]]) -> list[Part]:
    """Give the properties that have a value."""
    pairs = known.items() if isinstance(known, Mapping) else known
    return [prop(name, value) for name, value in pairs if value is not None]


def token(text: str) -> str:
    """Give an OSCAL token: begins with a letter or `_`, then letters, digits, `.`, `-`, `_`."""
    plain = _NOT_IN_A_TOKEN.sub("_", text)
    return plain if plain[:1].isalpha() or plain[:1] == "_" else f"_{plain}"


def control_ids(controls: Iterable[ControlResult]) -> dict[tuple[str, str], str]:
    """Give each control a token of its own: `ia-5.1`, `pci-dss_8.6.3`, `hipaa_164.308_a__5__ii__D_`.

    Those of NIST SP 800-53 are the ids of NIST's catalog. No other framework here has an official
    OSCAL catalog, so their ids are keyaudit's; the id as printed is in the prop `control`. Ids
    that would share a token get a digest at its end.
    """
    given: dict[tuple[str, str], str] = {}
    for control in controls:
        wanted = _in_catalog(control) or token(f"{control.framework}_{control.id}")
        if wanted in given.values():
            wanted += "_" + sha256(json.dumps([control.framework, control.id]).encode()).hexdigest()[:12]
        given[control.framework, control.id] = wanted
    return given


def objective_id(control: ControlResult, control_id: str) -> str:
    """Name what a result is about: NIST's catalog has objectives of its own, others only the control."""
    return f"{control_id}_obj" if _in_catalog(control) else control_id


def _in_catalog(control: ControlResult) -> str | None:
    match = _NIST.fullmatch(control.id) if control.framework == "nist-800-53" else None
    if match is None:
        return None
    base = f"{match[1].lower()}-{match[2]}"
    return f"{base}.{match[3]}" if match[3] else base


def tool(report: Report) -> Part:
    """Describe keyaudit as the component that made every observation."""
    return {
        "uuid": identifier("oscal-tool", report.version),
        "type": "software",
        "title": f"keyaudit {line(report.version)}",
        "description": "Evaluates metadata of credentials against a policy. It reads no secret value.",
        "props": props({"version": report.version}),
        "status": {"state": "operational"},
    }


def origins(report: Report) -> list[Part]:
    """Say that keyaudit observed it."""
    return [{"actors": [{"type": "tool", "actor-uuid": tool(report)["uuid"]}]}]


def collected(report: Report) -> str:
    """Say when what is judged was listed; where the inventory does not say, the audit's instant."""
    at = report.inventory.collected_at
    return times.format_instant(report.as_of if at is None else at)


def observation(report: Report, uuid: str, title: str, description: str) -> Part:
    """Begin an observation of an audit: somebody looked at documents, and this is what they showed."""
    return {
        "uuid": uuid,
        "title": markup(title),
        "description": markup(description),
        "methods": ["EXAMINE"],
        "types": ["control-objective"],
        "origins": origins(report),
        "collected": collected(report),
    }
