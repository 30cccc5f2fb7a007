"""keyaudit verify: check and replay evidence bundles."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from keyaudit.errors import UsageError

if TYPE_CHECKING:
    from keyaudit.evidence.trust import Trust
    from keyaudit.evidence.verification import Verification

EPILOG = """\b
Examples:
  keyaudit verify audit-2026-07.zip --key auditor.pem
      Everything: files, signature by the key you trust, and the audit made again from its inputs.
  keyaudit verify q1/ q2/ q3/ --allowed-signers signers --identity ciso@acme.example
      A chain: each must follow the one before it.
  keyaudit verify q3/ --previous q2/manifest.json --key auditor.pub
  keyaudit verify q3/ --key auditor.pem --format json --output verification.json

\b
Exit codes: 0 everything fits, 1 something is wrong (each thing is named), 2 usage error or no bundle,
3 nothing is wrong as far as could be checked, and something could not be: no key that you trust was
given, the bundle before it was not, or it was not audited again; 4 internal error. 4 > 2 > 1 > 3 > 0."""


@click.command("verify", epilog=EPILOG, short_help="Check and replay evidence bundles.")
@click.argument("bundles", metavar="BUNDLE...", nargs=-1, required=True)
@click.option(
    "--key",
    "keys",
    metavar="FILE",
    multiple=True,
    help="A public key that you trust: PEM of Ed25519, or a .pub of SSH. Have it from its owner, never from "
    "the bundle. Repeat for several.",
)
@click.option(
    "--allowed-signers", metavar="FILE", help="Whom you trust, as ssh-keygen(1) describes ALLOWED SIGNERS."
)
@click.option("--identity", metavar="NAME", help="Who of --allowed-signers must have signed.")
@click.option("--previous", metavar="BUNDLE|MANIFEST", help="The bundle before the first one.")
@click.option("--no-replay", is_flag=True, help="Do not audit again: files, signature and chain alone.")
@click.option(
    "--format",
    "form",
    type=click.Choice(("terminal", "json")),
    default="terminal",
    show_default=True,
    help="How it is said: for people, or as keyaudit/verification/1.",
)
@click.option("--output", metavar="FILE|-", help="Where it is written; - is stdout.  [default: -]")
def command(
    bundles: Sequence[str],
    keys: Sequence[str],
    allowed_signers: str | None,
    identity: str | None,
    previous: str | None,
    form: str,
    output: str | None,
    *,
    no_replay: bool,
) -> int:
    """Check that bundles are what was signed, follow each other, and come from their own inputs.

    BUNDLE is a folder or .zip that scan --bundle wrote; several must be in the order of their chain. Each
    is audited again from the inputs in it, and every output is compared byte for byte. Nothing in a bundle
    is run, and no network is asked.
    """
    from keyaudit.cli.outputs import prepare_file
    from keyaudit.evidence.verifying import Asked, manifest_of, verify

    destination = None if output in {None, "-"} else Path(str(output))
    if destination is not None:
        prepare_file(destination)
    trust = _trust(keys, allowed_signers, identity)
    before = None if previous is None else manifest_of(Path(previous))
    asked = Asked(trust, before, replay=not no_replay)
    found = verify([Path(bundle) for bundle in bundles], asked)
    _deliver(found, form, destination)
    return found.exit_code


def _trust(keys: Sequence[str], allowed_signers: str | None, identity: str | None) -> Trust:
    from keyaudit.evidence.trust import Trust, read_key

    if (allowed_signers is None) != (identity is None):
        hint = "one file may list many: say whose signature you expect"
        raise UsageError("--allowed-signers and --identity go together", hint=hint)
    if allowed_signers is not None and not Path(allowed_signers).is_file():
        raise UsageError(f"--allowed-signers {allowed_signers}: is no file")
    signers = None if allowed_signers is None else Path(allowed_signers)
    return Trust(tuple(read_key(Path(key)) for key in keys), signers, identity)


def _deliver(found: Verification, form: str, destination: Path | None) -> None:
    from keyaudit import __version__
    from keyaudit.cli.outputs import print_document, write_file

    if form == "json":
        import msgspec

        content = msgspec.json.format(msgspec.json.encode(found.document(__version__)), indent=2) + b"\n"
    else:
        from keyaudit.cli.rendering import WIDE, screen
        from keyaudit.evidence.verification_text import render

        folder = None if destination is None else destination.parent
        content = render(found, ascii_only=screen(folder, widest=WIDE)["ascii_only"])
    if destination is None:
        print_document(content)
    else:
        write_file(destination, content)
