"""The JSON Schema of a policy, for editors: names to complete, descriptions, mistakes underlined."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyaudit.columns import CHOICES
from keyaudit.match import FLAG_FIELDS, NUMBER_FIELDS, TEXT_FIELDS
from keyaudit.model import Param, Severity
from keyaudit.policy import document
from keyaudit.policy.checking import CLASSIFIABLE, Controls, Rules
from keyaudit.policy.matching import LABEL

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_TEXT: dict[str, Any] = {"type": "string"}
_COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}
_DURATION = document.DURATION_SCHEMA
_KINDS: Mapping[str, dict[str, Any]] = {
    "duration": _DURATION,
    "integer": _COUNT,
    "boolean": {"type": "boolean"},
    "names": {"type": "array", "items": {"type": "string", "minLength": 1}},
}


def schema(rules: Rules, frameworks: Controls) -> dict[str, Any]:
    """Give the schema (2020-12) of a policy; `rules` and `frameworks` as `reading.load` takes them.

    What it accepts an audit may still refuse: a schema cannot tell that a schedule is never
    reached. What it refuses, an audit refuses too.
    """
    found = _referring(document.Policy.model_json_schema(by_alias=True))
    definitions = found.setdefault("$defs", {})
    definitions["Match"] = _match()
    definitions["Facts"] = _facts()
    definitions["Waiver"]["properties"]["rules"]["items"] = {"enum": sorted(rules)}
    properties = found["properties"]
    properties["rules"] = {
        "type": "object",
        "description": properties["rules"]["description"],
        "properties": {name: _rule(params) for name, params in sorted(rules.items())},
        "additionalProperties": False,
    }
    # Names to complete; frameworks of one's own may be mentioned as well.
    properties["frameworks"]["properties"] = {name: {"$ref": "#/$defs/Demand"} for name in sorted(frameworks)}
    return {"$schema": DIALECT, **found}


def _referring(node: Any) -> Any:
    """Put references where `document` left marks, and leave out what tells an editor nothing."""
    if isinstance(node, list):
        return [_referring(item) for item in node]
    if not isinstance(node, dict):
        return node
    if document.DEFINED in node:
        kept = {key: value for key, value in node.items() if key == "description"}
        return {"$ref": f"#/$defs/{node[document.DEFINED]}", **kept}
    return {key: _referring(value) for key, value in node.items() if key not in {"title", "default"}}


def _rule(params: Mapping[str, Param]) -> dict[str, Any]:
    own = {name: {**_KINDS[param.kind], "description": param.help} for name, param in params.items()}
    general = {
        "severity": {"enum": [severity.value for severity in Severity]},
        "enabled": {"type": "boolean"},
    }
    return {"type": "object", "properties": {**general, **own}, "additionalProperties": False}


def _match() -> dict[str, Any]:
    number = {
        "anyOf": [{"type": "integer"}, {"type": "string", "pattern": r"^\s*(>=|<=|>|<)\s*-?\d{1,15}\s*$"}]
    }
    several = {"type": "array", "items": {"$ref": "#/$defs/Match"}, "minItems": 1}
    fields: dict[str, Any] = {name: _one_or_more(_matched_text(name)) for name in TEXT_FIELDS}
    fields |= {
        name: {"anyOf": [number, {"type": "array", "items": {"type": "integer"}, "minItems": 1}]}
        for name in NUMBER_FIELDS
    }
    fields |= {name: _one_or_more({"type": "boolean"}) for name in FLAG_FIELDS}
    return {
        "type": "object",
        "description": "Fields side by side all have to hold; a list means any of its values.",
        "properties": {**fields, "all": several, "any": several, "not": {"$ref": "#/$defs/Match"}},
        "patternProperties": {rf"^{LABEL.replace('.', chr(92) + '.')}.": _one_or_more(_TEXT)},
        "additionalProperties": False,
    }


def _matched_text(name: str) -> dict[str, Any]:
    if name not in CHOICES:
        return _TEXT
    return {"anyOf": [{"enum": list(CHOICES[name])}, {"type": "string", "pattern": r"[*?]"}]}


def _one_or_more(value: Mapping[str, Any]) -> dict[str, Any]:
    return {"anyOf": [value, {"type": "array", "items": value, "minItems": 1}]}


def _facts() -> dict[str, Any]:
    kinds: dict[str, Any] = {name: {"type": "string", "pattern": r"\S"} for name in CLASSIFIABLE}
    kinds |= {name: {"enum": list(choices)} for name, choices in CHOICES.items() if name in kinds}
    kinds |= dict.fromkeys(NUMBER_FIELDS, _COUNT) | {name: {"type": "boolean"} for name in FLAG_FIELDS}
    return {"type": "object", "properties": kinds, "minProperties": 1, "additionalProperties": False}
