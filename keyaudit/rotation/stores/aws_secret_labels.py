"""What the labels of a secret of AWS Secrets Manager say of its rotation: pure, no network.

    AWSCURRENT, AWSPENDING, AWSPREVIOUS   the places
    keyaudit-key-KEY       on a version of a rotation: which of the provider's keys its value is
    keyaudit-base-KEY      on a new version: which key the one is that was in use before it
    keyaudit-forward-ID    on version ID: promote it; on any other: abandon it
    keyaudit-final-ID      on version ID: it stays; on any other: it is taken back
    keyaudit-closed        on the last version that was given up: AWS keeps what has a label, so its
                           id, and with it the token, never comes back

A token is a version's id, made of the secret, the version in use, and a number: whoever sees the same
version in use opens the same token, and once AWSCURRENT moved none of them opens again. A label is on
one version at a time, and AWS attaches one that is elsewhere only for who says where it is: that is
the compare-and-swap. Some twelve of the twenty labels that a secret may have are taken at most.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from keyaudit.rotation.sight import Place, Question, Shelf
from keyaudit.sources.aws.secrets_manager.given_up import CLOSED, MOST_TRIES, tokens
from keyaudit.sources.aws.secrets_manager.restored import restored_by

CURRENT, PENDING, PREVIOUS = "AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"
KEY, BASE = "keyaudit-key-", "keyaudit-base-"
MOST_LABEL = 256


def decision(question: Question, token: str) -> str:
    """Name the label that settles a question."""
    return f"keyaudit-{question}-{token}"


def _is_token(version: str) -> bool:
    try:
        return UUID(version).version == 5 and str(UUID(version)) == version
    except ValueError:
        return False


@dataclass(frozen=True)
class Labels:
    """What DescribeSecret and ListSecretVersionIds say; instants in microseconds.

    `at` maps a label to its version, `versions` each version to its creation. `changed` is the last
    change of the secret, whatever it was; `foreign` says who else rotates it, in words.
    """

    arn: str
    at: Mapping[str, str]
    versions: Mapping[str, int | None]
    changed: int | None
    foreign: str | None = None

    @cached_property
    def current(self) -> str | None:
        """The version that applications are given."""
        return self.at.get(CURRENT)

    @cached_property
    def previous(self) -> str | None:
        """The version that AWSCURRENT was moved from."""
        return self.at.get(PREVIOUS)

    @cached_property
    def promoted(self) -> bool:
        """Whether the version in use was staged beside the one that AWSPREVIOUS is on."""
        return bool(self.previous and self.current in tokens(self.arn, self.previous))

    @cached_property
    def restored(self) -> bool:
        """Whether the version in use takes back the one that AWSPREVIOUS is on."""
        return self.previous is not None and restored_by(self.current) == self.previous

    @cached_property
    def pending(self) -> str | None:
        """The version that is staged, also where AWS took its label off because of a change by hand."""
        found = self.at.get(PENDING)
        if found is not None and found not in {self.current, self.previous}:
            return found if self._is_ours(found) else None
        if self.previous is None or self.promoted or self.restored:
            return None
        staged = [each for each in tokens(self.arn, self.previous) if self._is_staged(each)]
        return next(iter(staged), None)

    def _is_ours(self, version: str) -> bool:
        return self.key_on(version) is not None or decision("forward", version) in self.at

    def _is_staged(self, version: str) -> bool:
        return self.key_on(version) is not None and not self._labelled_by_aws(version)

    def _labelled_by_aws(self, version: str) -> bool:
        return version in {self.at.get(label) for label in (CURRENT, PENDING, PREVIOUS)}

    def labels_on(self, version: str, prefix: str) -> Iterator[str]:
        """Give what stands behind a prefix in the labels of a version."""
        for label, holder in sorted(self.at.items()):
            if holder == version and label.startswith(prefix):
                yield label.removeprefix(prefix)

    def key_on(self, version: str) -> str | None:
        """Give the key that a version is by its own label."""
        return next(self.labels_on(version, KEY), None)

    def key_before(self, token: str) -> str | None:
        """Give the key of the version that was in use when a token was staged, by the new one's label."""
        return next(self.labels_on(token, BASE), None)

    @cached_property
    def under_way(self) -> str | None:
        """The token of the rotation under way."""
        if self.pending is not None:
            return self.pending
        return self.current if self.promoted else self.previous if self.restored else None

    @cached_property
    def token(self) -> str:
        """The token of the rotation under way, or the next one: the first behind all that were used."""
        return self.under_way or tokens(self.arn, self.current or "")[self._used(self.current or "")]

    def _used(self, base: str) -> int:
        known = {*self.versions, *self.at.values()}
        used = [number for number, token in enumerate(tokens(self.arn, base)) if token in known]
        return min(max(used, default=-1) + 1, MOST_TRIES - 1)

    @cached_property
    def overtaken(self) -> bool:
        """Whether what is staged is not the newest that was staged beside the version in use."""
        if self.pending is None:
            return False
        own = tokens(self.arn, self.current or "")
        return self.pending not in own or own.index(self.pending) != self._used(self.current or "") - 1

    def decided(self, question: Question) -> bool | None:
        """Give the answer that holds for the rotation under way."""
        if question == "final" and self.restored:
            return False
        holder = self.at.get(decision(question, self.token))
        return None if holder is None or self.under_way is None else holder == self.token

    @cached_property
    def spent(self) -> frozenset[str]:
        """Tokens under which nothing is served, nor will be.

        A version that was promoted and not properly retired keeps its key's label: whoever replaced it
        by hand may know why, and applications may still hold its key.
        """
        before = {self.current, self.previous} - {None}
        lower = {each for base in before for each in tokens(self.arn, str(base))[: self._used(str(base))]}
        every = lower | {each for each in self.versions if _is_token(each)}
        shelved = {self.current, self.previous, self.pending}
        return frozenset(every - shelved - {each for each in every if self._may_be_held(each)})

    def _may_be_held(self, version: str) -> bool:
        to_be_promoted = self.at.get(decision("forward", version)) == version
        return bool(to_be_promoted and self.key_on(version) and self.at.get(CLOSED) != version)

    def leftover(self) -> Iterator[tuple[str, str]]:
        """Give the labels of rotations that are over, each with its version."""
        shelved = {self.current, self.previous, self.pending}
        for label, holder in sorted(self.at.items()):
            token = label.removeprefix(decision("forward", "")).removeprefix(decision("final", ""))
            settled = token not in {label, self.token} and not (holder == token and self._may_be_held(token))
            of_old = label.startswith(BASE) and holder not in {self.token, self.pending}
            if settled or of_old or (label.startswith(KEY) and holder in self.spent - shelved):
                yield label, holder

    def shelf(self) -> Shelf:
        """Show it all as the machine reads it."""
        at_work = self.promoted or self.restored
        return Shelf(
            token=self.token,
            current=self._place(self.current, since=self.changed),
            pending=self._place(self.pending),
            previous=self._place(self.previous) if at_work and self.pending is None else None,
            forward=self.decided("forward"),
            final=self.decided("final"),
            overtaken=self.overtaken,
            spent=self.spent,
            foreign=self.foreign or self._foreign_version(),
        )

    def _foreign_version(self) -> str | None:
        found = self.at.get(PENDING)
        if found is not None and found not in {self.current, self.previous, self.pending}:
            return f"AWSPENDING is on version {found}, which keyaudit did not stage"
        if self._used(self.current or "") == MOST_TRIES - 1:
            return f"{MOST_TRIES} attempts were given up while one version was in use"
        return None

    def _place(self, version: str | None, since: int | None = None) -> Place | None:
        if version is None:
            return None
        key = self.key_on(version)
        ours = _is_token(version) and (key is not None or version == self.under_way)
        return Place(version, self._key_of(version), version if ours else None, since)

    def _key_of(self, version: str) -> str | None:
        """Give the key of a version: by its own label, its successor's, or that of its copy."""
        if (key := self.key_on(version)) is not None:
            return key
        before = self.previous if self.promoted else None if self.overtaken else self.current
        if version != before or version == self.token:
            return None
        copies = (each for each in self.at.values() if restored_by(each) == self.token)
        return self.key_before(self.token) or next(filter(None, map(self.key_on, copies)), None)
