"""The report document, `keyaudit/report/1`: a Report as plain data and back again.

One table a noun says which key carries which field in which form, and both directions read it.
Instants are RFC 3339, durations are text such as `90d` (exact, so an age may come as
`121d4h12s`), enumerations are their value, `None` is null. `sha256` comes last and is
the SHA-256 of the canonical JSON (sorted keys, no spaces, UTF-8) of everything before it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from keyaudit import model
from keyaudit.errors import InputError, Problem
from keyaudit.report_document.consistency import check
from keyaudit.report_document.kinds import Refused
from keyaudit.report_document.shapes import REPORT

SCHEMA = "keyaudit/report/1"


def to_document(report: model.Report) -> dict[str, Any]:
    """Turn a report into `keyaudit/report/1`, keys in the order of the contract, `sha256` last."""
    assert REPORT.write is not None
    document = {"schema": SCHEMA, **REPORT.write(report)}
    document["sha256"] = digest(document)
    return document


def digest(document: Mapping[str, Any]) -> str:
    """SHA-256 of a document's canonical JSON without its `sha256` key, in hexadecimal.

    Canonical is sorted keys, no spaces, UTF-8: what
    `json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)` prints.
    """
    content = {key: value for key, value in document.items() if key != "sha256"}
    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()


def from_document(document: Any, *, file: str = "report.json") -> model.Report:
    """Turn `keyaudit/report/1` back into a report.

    Nothing is guessed: another schema, a digest that does not fit, a key too many or too few,
    a value of another form and counts that contradict each other each raise InputError, naming
    `file` and the field. The digest detects accidents. It is no signature: whoever rewrites a
    document whole, digest included, is not found out by reading it.
    """
    if not isinstance(document, Mapping) or document.get("schema") != SCHEMA:
        raise _input_error(
            file, "schema", f"expected {SCHEMA}", "only a report written by --format json can be read"
        )
    try:
        intact = document.get("sha256") == digest(document)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise _input_error(
            file, None, f"not a JSON document: {error}", "write it again with --format json"
        ) from None
    if not intact:
        hint = "it was changed after it was written; make it again with keyaudit scan --format json"
        raise _input_error(file, "sha256", "does not fit the document", hint)
    body = {key: value for key, value in document.items() if key not in ("schema", "sha256")}
    try:
        report: model.Report = REPORT.read(body)
        check(report)
    except Refused as refused:
        field = "".join(reversed(refused.path)).lstrip(".")
        hint = "another version of keyaudit or another hand wrote it; make it again with this one"
        raise _input_error(file, field or None, str(refused), hint) from None
    return report


def read(content: bytes, *, file: str = "report.json") -> model.Report:
    """Read the bytes of a report document; raises InputError as `from_document` does."""
    try:
        document = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _input_error(
            file, None, f"not JSON: {error}", "give the file that --format json wrote"
        ) from None
    return from_document(document, file=file)


def _input_error(file: str, field: str | None, message: str, hint: str) -> InputError:
    return InputError([Problem(file, None, None, field, message)], hint=hint)
