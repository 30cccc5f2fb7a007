"""A secret of Google Secret Manager, whose versions are told apart by aliases.

    store:
      kind: gcp-secret-manager
      project: acme-prod
      secret: openai
      location: europe-west1        # of a regional secret
      fields: {key: OPENAI_API_KEY} # of a value that is a JSON object
      destroy: false                # true: what was taken off the shelf is destroyed, not only disabled
      impersonate: keyaudit-rotate@acme-prod.iam.gserviceaccount.com   # and `quota_project`, `endpoint`

Applications read the alias `current` (`…/versions/current`), never `latest`: a version is `latest` as
soon as it is added, before anybody could try it, and `latest` cannot be taken back, for it is the
newest version even when that is disabled. So a secret without that alias is refused:

    gcloud secrets update openai --update-version-aliases=current=3

Aliases and note (the annotation `keyaudit-rotation`) change together, in one UpdateSecret that names
the etag it read: that is the compare-and-swap. Adding a version touches no etag. So whoever stages
first writes into the note which version is the newest, then adds theirs, then swaps the alias in.
What a run that died, or was slower, has added is told by that: it is newer, and no alias names it. It
is disabled, never destroyed: somebody may have added a version by hand just then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Self

from pydantic import Field

from keyaudit.errors import RotationError
from keyaudit.rotation.doors.google import ALWAYS, READING, Google, GoogleError, GoogleSettings, said
from keyaudit.rotation.party import Means, StoreSettings
from keyaudit.rotation.secret import Secret
from keyaudit.rotation.sight import Place
from keyaudit.rotation.stores.book import Book, read_book, write_book
from keyaudit.rotation.stores.booked import BookedStore, Seen
from keyaudit.rotation.stores.note import Note
from keyaudit.rotation.stores.protocol import Credential, LostRaceError
from keyaudit.sources.gcp.messages import only_page
from keyaudit.sources.gcp.packages import library
from keyaudit.sources.gcp.secret_manager.service import client_class, endpoint
from keyaudit.sources.gcp.secret_manager.settings import LOCATION

ANNOTATION = "keyaudit-rotation"
GET, UPDATE = "secretmanager.secrets.get", "secretmanager.secrets.update"
ADD, LIST, READ, DISABLE, DESTROY = (
    f"secretmanager.versions.{verb}" for verb in ("add", "list", "access", "disable", "destroy")
)
_PAGE = 250
_ENDED = frozenset({"FAILED_PRECONDITION", "NOT_FOUND"})
"""What is said of a version that is destroyed, or gone with its secret: it is out of reach."""


class GcpSecretSettings(StoreSettings, GoogleSettings):
    """Checked settings of one secret."""

    secret: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,255}$")]
    location: Annotated[str, Field(pattern=f"^{LOCATION.pattern}$")] | None = None
    destroy: bool = False


@dataclass(frozen=True, slots=True)
class SeenSecret(Seen):
    """One reading of the secret; `message` is the client library's."""

    message: Any


class GcpSecret(BookedStore[SeenSecret]):
    """One secret; see above."""

    kind = "gcp-secret-manager"
    Settings = GcpSecretSettings
    calls: Mapping[str, tuple[str, ...]]

    def __init__(self, settings: GcpSecretSettings, clock: Callable[[], int]) -> None:
        """Ask nothing yet; `clock` gives microseconds, UTC."""
        self._settings, self._clock = settings, clock
        self._google = Google(settings, settings.timeout)
        place = f"/locations/{settings.location}" if settings.location else ""
        self._scope = f"projects/{settings.project}{place}"
        self._name = f"{self._scope}/secrets/{settings.secret}"
        self._credential: Credential | None = None
        ending = (GET, UPDATE, LIST, DISABLE, *((DESTROY,) if settings.destroy else ()))
        self.calls = {
            "look": (GET,),
            "read": (READ,),
            "stage": (*ending, ADD),
            **dict.fromkeys(("void", "decide", "promote", "restore", "drop"), ending),
        }

    @classmethod
    def opened(cls, settings: GcpSecretSettings, means: Means) -> Self:
        """Open the store that settings describe."""
        return cls(settings, means.clock)

    @property
    def credential(self) -> Credential:
        """Name the secret as the audit lists it: its id has the project's number, which is asked for."""
        if self._credential is None:
            self._get()
        assert self._credential is not None  # _get has set it
        return self._credential

    def read(self, version: str) -> Secret:
        """See `Store.read`."""
        request = {"name": f"{self._name}/versions/{version}"}
        answer = self._google.ask(self._client.access_secret_version, request, needs=READ)
        try:
            return Secret(answer.payload.data.decode())
        except UnicodeDecodeError:
            pass
        raise RotationError(f"version {version} is no text")

    def stage(self, token: str, value: Secret, key_id: str, *, base: Place) -> None:
        """See `Store.stage`."""

        def claimed(seen: SeenSecret) -> Book:
            book = seen.book
            if book.note.staged(token, "", key_id, base) is book.note:
                return seen.stored
            if book.claim is not None:
                return seen.stored
            return replace(book, claim=self._newest())

        book = self.change(claimed)
        if book.note.staged(token, "", key_id, base) is book.note:
            return
        own = self._added(value)

        def staged(seen: SeenSecret) -> Book:
            book = seen.book
            note = book.note.staged(token, own, key_id, base)
            if note is book.note:
                return seen.stored
            sweep = tuple(each for each in self.litter(seen) if each != own)
            return replace(book, note=note, claim=None, sweep=sweep)

        try:
            book = self.change(staged)
        except LostRaceError:
            self._end(own, destroy=False)
            raise
        if all(place.version != own for place in book.note.shelf().places):
            self._end(own, destroy=False)

    def promote(self, token: str) -> None:
        """See `Store.promote`."""
        self._served(lambda note, since: note.with_promoted(token, since))

    def restore(self, token: str) -> None:
        """See `Store.restore`."""
        self._served(lambda note, since: note.restored(token, since))

    def _served(self, served: Callable[[Note, int], Note]) -> None:
        """Serve another version, and note an instant that is surely not before it was.

        The service does not say when an alias was moved, so it is the latest that the call may take;
        a run that was frozen in the middle of it says so afterwards.
        """
        ours: set[int] = set()

        def following(seen: SeenSecret) -> Book:
            latest = self._clock() + self._settings.timeout
            ours.add(latest)
            return replace(seen.book, note=served(seen.book.note, latest))

        book = self.change(following)
        now, current = self._clock(), book.note.current
        if current is None or current.since not in ours or now <= current.since:
            return

        def later(seen: SeenSecret) -> Book:
            note = seen.book.note
            if note.current != current:
                return seen.stored
            return replace(seen.book, note=replace(note, current=replace(current, since=now)))

        self.change(later)

    def seen(self) -> SeenSecret:
        """See `BookedStore.seen`."""
        message = self._get()
        aliases = message.version_aliases
        if "current" not in aliases:
            raise RotationError(
                f"secret {self._settings.secret} has no alias `current`, so applications read `latest`,"
                " which a value becomes by being staged",
                hint=f"gcloud secrets update {self._settings.secret} --update-version-aliases=current=N,"
                " and have applications read versions/current",
            )
        served = str(aliases["current"])
        if ANNOTATION in message.annotations:
            stored = read_book(message.annotations[ANNOTATION])
        else:
            # A secret that was made anew, or lost its note, gives other tokens than before.
            made = message.create_time.rfc3339() if message.create_time else ""
            stored = Book(Note(f"{message.name}|{made}|{served}"))
        book = replace(stored, note=stored.note.found(served, None))
        return SeenSecret(book, stored, message)

    def swap(self, seen: SeenSecret, book: Book) -> bool:
        """See `BookedStore.swap`."""
        note, aliases = book.note, dict(seen.message.version_aliases)
        for name in ("current", "pending", "previous"):
            place = getattr(note, name)
            aliases.pop(name, None)
            if place is not None:
                aliases[name] = int(place.version)
        secret = {
            "name": self._name,
            "etag": seen.message.etag,
            "annotations": {**seen.message.annotations, ANNOTATION: write_book(book)},
            "version_aliases": aliases,
        }
        request = {"secret": secret, "update_mask": {"paths": ["annotations", "version_aliases"]}}
        try:
            self._google.call(self._client.update_secret, request, again=ALWAYS)
        except GoogleError as error:
            refused = error
        else:
            return True
        if refused.code in {"FAILED_PRECONDITION", "ABORTED"}:
            return False
        raise said(refused, UPDATE)

    def tidy(self, seen: SeenSecret) -> Book:
        """See `BookedStore.tidy`."""
        named = {str(version) for version in seen.message.version_aliases.values()}
        for version in dict.fromkeys((*seen.book.drop, *seen.book.sweep)):
            if version not in named:
                self._end(version, destroy=self._settings.destroy and version in seen.book.drop)
        return replace(seen.book, drop=(), sweep=())

    def litter(self, seen: SeenSecret) -> tuple[str, ...]:
        """See `BookedStore.litter`."""
        claim = seen.book.claim
        if claim is None:
            return ()
        named = set(seen.message.version_aliases.values())
        return tuple(str(number) for number, enabled in self._newer(claim) if enabled and number not in named)

    @property
    def _client(self) -> Any:
        host = endpoint(self._settings.location) if self._settings.location else None
        return self._google.client(client_class(), host)

    def _get(self) -> Any:
        message = self._google.ask(self._client.get_secret, {"name": self._name}, needs=GET)
        self._credential = Credential(self.kind, self._scope, message.name, self._settings.secret)
        return message

    def _added(self, value: Secret) -> str:
        request = {"parent": self._name, "payload": {"data": value.reveal().encode()}}
        answer = self._google.ask(self._client.add_secret_version, request, needs=ADD, again=ALWAYS)
        return str(answer.name.rpartition("/")[2])

    def _newest(self) -> int:
        return next((number for number, _ in self._newer(0)), 0)

    def _newer(self, than: int) -> Iterator[tuple[int, bool]]:
        """Give each version newer than one, the newest first, and whether it is enabled."""
        enabled = library("google.cloud.secretmanager_v1").SecretVersion.State.ENABLED
        request = {"parent": self._name, "page_size": _PAGE}
        while True:
            page = only_page(self._google.ask(self._client.list_secret_versions, request, needs=LIST))
            for version in page.versions:
                number = int(version.name.rpartition("/")[2])
                if number <= than:
                    return
                yield number, version.state == enabled
            if not page.next_page_token:
                return
            request = {**request, "page_token": page.next_page_token}

    def _end(self, version: str, *, destroy: bool) -> None:
        """Take a version out of reach; one that is destroyed already is."""
        method = self._client.destroy_secret_version if destroy else self._client.disable_secret_version
        try:
            self._google.call(method, {"name": f"{self._name}/versions/{version}"}, again=READING)
        except GoogleError as error:
            refused = error
        else:
            return
        if refused.code not in _ENDED:
            raise said(refused, DESTROY if destroy else DISABLE)
