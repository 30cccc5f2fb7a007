"""Answers that nest without end: each costs what it stands in, and never the pull."""

from __future__ import annotations

import msgspec
import pytest

from keyaudit.sources.aws.json_lists import JsonList, told
from keyaudit.sources.aws.metering import BODY
from keyaudit.sources.pulling.decoding import decoded
from keyaudit.sources.pulling.refusals import Kind, RefusedError
from keyaudit.sources.vault.answers import KEYS, read

DEEP = b"[" * 200_000 + b"]" * 200_000


class Named(msgspec.Struct):
    name: str


def test_an_answer_that_is_sound_is_decoded() -> None:
    assert decoded(b'{"name": "a", "other": [[]]}', msgspec.json.Decoder(Named)) == Named("a")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"name": 1}', b'{"name": "\xff"}', b"null", DEEP])
def test_what_is_no_such_answer_is_refused(body) -> None:
    with pytest.raises(RefusedError) as refused:
        decoded(body, msgspec.json.Decoder(Named))
    assert refused.value.refusal.kind is Kind.UNREADABLE


@pytest.mark.parametrize(
    "ask",
    [
        lambda body: JsonList(Named, "all").read(body),
        lambda body: told(lambda: {BODY: body}, Named),
        lambda body: read(body, KEYS),
    ],
    ids=["a list of AWS", "one thing of AWS", "Vault"],
)
def test_nesting_in_a_field_that_nobody_asked_for_is_refused_too(ask) -> None:
    sound = b'"name": "a", "all": [{"name": "a"}], "data": {"keys": []}'
    assert ask(b"{" + sound + b"}")
    with pytest.raises(RefusedError) as refused:
        ask(b"{" + sound + b', "other": ' + DEEP + b"}")
    assert refused.value.refusal.kind is Kind.UNREADABLE
