"""The staging labels of one secret, and the rules by which Secrets Manager moves them.

Sources: the API reference of PutSecretValue and UpdateSecretVersionStage; the refusals of
AWSCURRENT's mere removal ("You can only move staging label AWSCURRENT to a different secret version.
It can't be completely removed.") and of a label that is elsewhere, as the real service words them in
terraform-provider-aws and in localstack's recordings.
"""

from __future__ import annotations

from typing import Any

from servers.aws_front import Refused

CURRENT, PREVIOUS, PENDING = "AWSCURRENT", "AWSPREVIOUS", "AWSPENDING"
MOST_LABELS = 20


class Labels:
    """`at` maps a label to its version; nothing of the secret changes before `commit`."""

    def __init__(self, entry: dict[str, Any], versions: list[dict[str, Any]]) -> None:
        self._entry, self._versions = entry, versions
        held = entry.get("SecretVersionsToStages") or {}
        self.at = {label: version for version, labels in held.items() for label in labels}

    def of(self, version: str) -> list[str]:
        return sorted(label for label, at in self.at.items() if at == version)

    def put(self, label: str, version: str) -> None:
        """Attach a label, wherever it was; AWSPREVIOUS follows AWSCURRENT to where that came from."""
        before = self.at.get(label)
        self.at[label] = version
        if label == CURRENT and before not in {None, version}:
            self.at[PREVIOUS] = before

    def move(self, label: str, to: str | None, source: str | None) -> None:
        """UpdateSecretVersionStage: a compare-and-swap, in which `source` is what must hold the label now."""
        holder = self.at.get(label)
        known = {*self.at.values(), *(each["VersionId"] for each in self._versions)}
        missing = {to, source} - {None} - known
        lost = source is not None and source != holder
        unnamed = to is not None and source is None and holder not in {None, to}
        bare = to is None and (source is None or label == CURRENT)
        if missing or lost or unnamed or bare:
            raise Refused(400, "InvalidParameterException")
        if to is None:
            del self.at[label]
        else:
            self.put(label, to)

    def commit(self) -> None:
        """Write the labels into the documents that lists answer with; without any, there is no such field."""
        if len(self.at) > MOST_LABELS:
            raise Refused(400, "LimitExceededException")
        labelled = {version: self.of(version) for version in dict.fromkeys(self.at.values())}
        self._entry["SecretVersionsToStages"] = labelled
        for each in self._versions:
            each.pop("VersionStages", None)
            if each["VersionId"] in labelled:
                each["VersionStages"] = labelled[each["VersionId"]]
