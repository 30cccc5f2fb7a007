"""What an evidence bundle is asked for with, and how a scan hands over what it was made of.

bundle:                            # of keyaudit.yaml
  sign_kms: awskms:///arn:aws:…    # or sign_key, sign_ssh: paths, counted from the file
  kms_endpoint: https://…          # in place of the service's own address
  run_by: audit@acme.example
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keyaudit.cli import options
from keyaudit.cli.clock import now
from keyaudit.cli.grouping import grouped
from keyaudit.cli.outputs import tell
from keyaudit.errors import Problem, UsageError, did_you_mean

if TYPE_CHECKING:
    from keyaudit.evidence.chain import Link
    from keyaudit.evidence.signing import Signer
    from keyaudit.model import Report
    from keyaudit.strict_yaml import Node

SIGNERS = ("sign_key", "sign_ssh", "sign_kms")
PATHS = ("sign_key", "sign_ssh")
KEYS = (*SIGNERS, "kms_endpoint", "run_by")
LONGEST_PASSPHRASE = 4096


@dataclass(frozen=True, slots=True)
class Bundling:
    """The bundle that a scan is asked for, as the options say it."""

    bundle: str | None
    previous: str | None
    sign_key: str | None
    sign_ssh: str | None
    sign_kms: str | None
    passphrase_fd: int | None
    run_by: str | None

    def __post_init__(self) -> None:
        """Refuse what is of no use without a bundle, and two signers; raises UsageError."""
        given = [field.name for field in fields(self) if getattr(self, field.name) is not None]
        if self.bundle is None and given:
            raise UsageError(f"{_option(given[0])} is for a bundle", hint="say where it goes: --bundle DIR")
        signers = [name for name in SIGNERS if name in given]
        if len(signers) > 1:
            raise UsageError(f"a bundle has one signer: {' and '.join(map(_option, signers))} are two")

    def prepared(
        self, configured: Mapping[str, str], documents: Sequence[str], baseline: str | None
    ) -> Bundler | None:
        """Look whether all of it can be had, before any work; None where no bundle is wanted.

        `configured` is what keyaudit.yaml says where no option does.
        Raises UsageError, MissingExtraError.
        """
        if self.bundle is None:
            return None
        from keyaudit.evidence import collecting, following, staging

        target = Path(self.bundle)
        staging.refuse_existing(target)
        collecting.refuse_streams([*documents, *([baseline] if baseline == "-" else [])])
        link = None if self.previous is None else following.follow(Path(self.previous))
        signer = self._signer(configured)
        if signer is None:
            tell("nobody signs the bundle: whoever changes it can make every digest in it fit", "unsigned")
        return Bundler(target, signer, link, self.run_by or configured.get("run_by"))

    def _signer(self, configured: Mapping[str, str]) -> Signer | None:
        own = {name: value for name in SIGNERS if (value := getattr(self, name)) is not None}
        said = own or {name: configured[name] for name in SIGNERS if name in configured}
        for name, value in said.items():
            if name == "sign_key":
                from keyaudit.evidence.signing.key_file import open_key as from_file

                return from_file(Path(value), self._passphrase)
            if name == "sign_ssh":
                from keyaudit.evidence.signing.ssh import open_key as from_ssh

                return from_ssh(Path(value))
            from keyaudit.evidence.signing import Surroundings, open_kms

            return open_kms(value, Surroundings(os.environ, configured.get("kms_endpoint")))
        return None

    def _passphrase(self) -> bytes | None:
        """Have a passphrase typed, or read one line of a file that was handed over open."""
        if self.passphrase_fd is None:
            if not sys.stdin.isatty():
                hint = "--passphrase-fd N reads it from a file that is open as N"
                raise UsageError(
                    "the key is encrypted, and nobody is there to type its passphrase", hint=hint
                )
            typed: str = click.prompt("Passphrase of the key", hide_input=True, err=True)
            return typed.encode()
        try:
            with os.fdopen(self.passphrase_fd, "rb", closefd=False) as handle:
                return handle.readline(LONGEST_PASSPHRASE).rstrip(b"\r\n")
        except OSError as error:
            raise UsageError(f"--passphrase-fd {self.passphrase_fd}: {error.strerror}") from None


@dataclass(frozen=True, slots=True)
class Bundler:
    """Writes the bundle that was asked for."""

    target: Path
    signer: Signer | None
    previous: Link | None
    run_by: str | None

    def write(self, report: Report, **kept: Any) -> None:
        """Write it, and say where it is and by which digest the next one will call it.

        `kept` are the fields of `evidence.collecting.Material`. Raises what `evidence.writing.write` raises.
        """
        from keyaudit.evidence import writing
        from keyaudit.evidence.collecting import Material
        from keyaudit.evidence.statement import Made

        material = Material(**kept)
        made = Made(_typed(), self.run_by, now())
        sealed = writing.write(
            self.target, material, report, made, signer=self.signer, previous=self.previous
        )
        said = "unsigned" if self.signer is None else f"signed by {self.signer.key_id}"
        tell(
            f"wrote {sealed.target}, number {sealed.sequence:,} of its chain, {said}; "
            f"SHA-256 of its manifest: {sealed.manifest_sha256}",
            "bundle",
            path=str(sealed.target),
            sequence=sealed.sequence,
            manifest_sha256=sealed.manifest_sha256,
        )


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _typed() -> tuple[str, ...]:
    """Give the arguments of this run as they were typed."""
    arguments = click.get_current_context().find_root().obj
    return tuple(str(argument) for argument in arguments or ())


def problems(node: Node, file: str) -> Iterator[Problem]:
    """Say everything that is wrong with `bundle:` of keyaudit.yaml."""
    if not isinstance(node.content, dict):
        yield Problem(file, node.line, node.column, "bundle", f"expected some of {', '.join(KEYS)}")
        return
    for name, entry in node.items():
        field = f"bundle.{name}"
        if name not in KEYS:
            yield Problem(file, entry.line, entry.column, field, f"unknown setting{did_you_mean(name, KEYS)}")
        elif not isinstance(entry.node.content, str) or not entry.node.content.strip():
            yield Problem(file, entry.node.line, entry.node.column, field, "expected text")
    signers = [name for name in SIGNERS if name in node.content]
    if len(signers) > 1:
        second = node.content[signers[1]]
        yield Problem(file, second.line, second.column, f"bundle.{signers[1]}", "a bundle has one signer")


def configured(file: Path, said: Mapping[str, Any]) -> Mapping[str, str]:
    """Give the settings, paths counted from the file."""
    return {name: options.beside(file, said[name]) if name in PATHS else said[name] for name in said}


bundling: options.Decorator = grouped(
    "bundling",
    Bundling,
    click.option(
        "--bundle",
        metavar="DIR|FILE.zip",
        help="Write an evidence bundle: everything that the audit was made of and came to, sealed so that "
        "`keyaudit verify` can audit it again. Never overwrites anything.",
    ),
    click.option(
        "--previous",
        metavar="BUNDLE",
        help="Chain the bundle to this one, the last before it: a bundle, or the manifest.json kept of one.",
    ),
    click.option(
        "--sign-key",
        metavar="FILE",
        help="Sign with this Ed25519 private key: PKCS#8 as PEM, or OpenSSH's own.",
    ),
    click.option(
        "--sign-ssh",
        metavar="KEYFILE",
        help="Sign by `ssh-keygen -Y sign`; the .pub of a key stands for what ssh-agent or a token holds.",
    ),
    click.option(
        "--sign-kms",
        metavar="URI",
        help="Sign with an Ed25519 key of a KMS: awskms:///KEY-ARN, "
        "gcpkms://projects/…/cryptoKeyVersions/N or hashivault://KEY.",
    ),
    click.option(
        "--passphrase-fd",
        metavar="N",
        type=click.IntRange(min=0),
        help="Read the passphrase of --sign-key from this file descriptor.  [default: ask for it]",
    ),
    click.option(
        "--run-by", metavar="TEXT", help="Who runs this audit, for the bundle.  [default: keyaudit.yaml's]"
    ),
)
