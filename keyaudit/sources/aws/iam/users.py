"""What is asked about one user, or one key, at a time; a pull that goes on does not ask it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from keyaudit.sources.aws.iam.lists import Key, Use, access_keys, last_use, tags_of
from keyaudit.sources.aws.iam.report import User
from keyaudit.sources.pulling.each import Each
from keyaudit.sources.pulling.unfinished import Answers


class Questions:
    """Asks IAM about users, several at once, and keeps account of what was refused."""

    def __init__(self, client: Any, workers: ThreadPoolExecutor, answers: Answers) -> None:
        """`workers` bound how many calls are in flight; `answers` are those of the scope."""
        self._client = client
        self._answers = answers
        self._keys: Each[User, list[Key]] = Each(self._keys_of, workers, "lists of access keys", gone=[])
        self._uses: Each[Key, Use] = Each(self._use_of, workers, "last uses of access keys")
        self._tags: Each[User, dict[str, str]] = Each(self._tags_of, workers, "lists of tags", gone={})

    def keys(self, users: Sequence[User]) -> list[list[Key] | None]:
        """Give the access keys of each user, None where they could not be listed."""
        return self._keys.fetch(users)

    def uses(self, keys: Sequence[Key]) -> list[Use | None]:
        """Give the last use of each key, None where it is not known."""
        return self._uses.fetch(keys)

    def tags(self, users: Sequence[User]) -> list[Mapping[str, str] | None]:
        """Give the tags of each user, None where they are not known."""
        return list(self._tags.fetch(users))

    def reasons(self) -> list[str]:
        """Say what is missing; for `ScopePull.miss`."""
        return [
            reason
            for each in (self._keys, self._uses, self._tags)
            if each.wanted
            for reason in each.reasons()
        ]

    def _keys_of(self, user: User) -> list[Key]:
        return self._answers.once(f"keys {user.arn}", list[Key], lambda: access_keys(self._client, user.name))

    def _use_of(self, key: Key) -> Use:
        return self._answers.once(f"use {key.id}", Use, lambda: last_use(self._client, key.id))

    def _tags_of(self, user: User) -> dict[str, str]:
        return self._answers.once(
            f"tags {user.arn}", dict[str, str], lambda: tags_of(self._client, user.name)
        )
