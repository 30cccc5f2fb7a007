"""What is asked about one key at a time; a pull that goes on does not ask it again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from keyaudit.sources.aws.kms.lists import (
    NOT_ROTATABLE,
    Key,
    Listed,
    Material,
    Status,
    Use,
    described,
    last_use,
    materials,
    rotation_status,
    tags_of,
)
from keyaudit.sources.aws.kms.rows import LEAVING, UNUSABLE, Told
from keyaudit.sources.aws.kms.settings import AwsKmsSettings
from keyaudit.sources.pulling.each import PATIENCE, Each
from keyaudit.sources.pulling.refusals import Kind
from keyaudit.sources.pulling.unfinished import Answers

Answer = TypeVar("Answer")

_PATIENCE = {**PATIENCE, Kind.DENIED: 250}
"""Every key has a policy of its own: many may be closed in a row, and the next one open."""
_GONE = "deleted while it was listed"


class Questions:
    """Asks KMS about keys, several at once, and keeps account of what was refused."""

    def __init__(
        self, client: Any, workers: ThreadPoolExecutor, answers: Answers, settings: AwsKmsSettings
    ) -> None:
        """`workers` bound how many calls are in flight; `answers` are those of the scope."""
        self._client = client
        self._answers = answers
        self._settings = settings

        def each(ask: Callable[[Any], Any], noun: str, gone: Any = None) -> Each[Any, Any]:
            return Each(ask, workers, noun, gone=gone, patience=_PATIENCE)

        self._keys: Each[Listed, Key | str] = each(self._key, "descriptions of keys", _GONE)
        self._statuses: Each[Key, Status] = each(self._status, "rotation settings")
        self._materials: Each[Key, list[Material]] = each(self._material, "lists of rotations")
        self._tags: Each[Key, dict[str, str]] = each(self._tag, "lists of tags")
        self._uses: Each[Key, Use] = each(self._use, "last uses")

    def describe(self, keys: Sequence[Listed]) -> list[Key]:
        """Describe the keys that can be described."""
        return [key for key in self._keys.fetch(keys) if isinstance(key, Key)]

    def about(self, keys: Sequence[Key]) -> list[Told]:
        """Ask everything else about the keys, in the same order."""
        some = self._some
        symmetric = some(self._materials, keys, lambda key: key.symmetric, [])
        statuses = some(
            self._statuses,
            keys,
            lambda key: key.rotates_itself and key.state not in LEAVING,
            NOT_ROTATABLE,
        )
        tags = some(self._tags, keys, lambda _: self._settings.tags, None)
        uses = some(self._uses, keys, lambda _: self._settings.last_use, None)
        return [Told(*each) for each in zip(statuses, symmetric, tags, uses, strict=True)]

    def reasons(self) -> list[str]:
        """Say what is missing; for `ScopePull.miss`."""
        every: Sequence[Each[Any, Any]] = (
            self._keys,
            self._statuses,
            self._materials,
            self._tags,
            self._uses,
        )
        return [reason for each in every if each.wanted for reason in each.reasons()]

    @staticmethod
    def _some(
        each: Each[Key, Answer], keys: Sequence[Key], asked: Callable[[Key], bool], otherwise: Any
    ) -> list[Any]:
        """Ask of some of the keys; the others have their answer already."""
        answers = iter(each.fetch([key for key in keys if asked(key)]))
        return [next(answers) if asked(key) else otherwise for key in keys]

    def _key(self, listed: Listed) -> Key:
        return self._answers.once(f"key {listed.arn}", Key, lambda: described(self._client, listed.arn))

    def _status(self, key: Key) -> Status:
        return self._answers.once(f"status {key.arn}", Status, lambda: rotation_status(self._client, key))

    def _material(self, key: Key) -> list[Material]:
        in_use = key.state not in UNUSABLE
        return self._answers.once(
            f"materials {key.arn}",
            list[Material],
            lambda: materials(self._client, key, in_use=in_use),
        )

    def _tag(self, key: Key) -> dict[str, str]:
        return self._answers.once(f"tags {key.arn}", dict[str, str], lambda: tags_of(self._client, key.arn))

    def _use(self, key: Key) -> Use:
        return self._answers.once(f"use {key.arn}", Use, lambda: last_use(self._client, key.arn))
