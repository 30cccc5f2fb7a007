"""How to check an evidence bundle by hand: with sha256sum, openssl and ssh-keygen, without keyaudit.

The same steps stand in the bundle (VERIFY.md) and in the reports that lie in it. Names of files are
those of `keyaudit.evidence.layout`, which stands above formats; a test holds the two together.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from keyaudit.formats.visible import visible

ED25519, SSH, NONE = "ed25519", "ssh", "none"
"""Kinds of signers."""
KEY, SIGNERS, IDENTITY, PREVIOUS = "TRUSTED-KEY.pem", "ALLOWED-SIGNERS", "IDENTITY", "PREVIOUS"
"""What a reader puts in place of these: only the reader has it from somebody else than the bundle."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a document says of the bundle that it lies in.

    `bundle` is the name of the folder or archive. `signer` is `ed25519`, `ssh` or `none`; `key_id` is
    the SHA-256 of the raw 32 bytes of an Ed25519 key in hex, or what `ssh-keygen -lf` prints of an SSH
    key (`SHA256:…`). `identity` is what an SSH signature is checked for (`-I`), if it is known.
    `inputs` are the names and SHA-256 digests of what was audited, as in the manifest.
    `previous` is the SHA-256 of the manifest of the bundle before this one, None for the first.
    """

    bundle: str
    signer: str
    key_id: str | None = None
    namespace: str = "keyaudit-bundle"
    identity: str | None = None
    inputs: tuple[tuple[str, str], ...] = ()
    previous: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step by hand: commands for a POSIX shell inside the bundle, what to see, what that proves."""

    title: str
    commands: tuple[str, ...]
    expect: str
    proves: str
    leaves_open: str | None = None


LIMITS = (
    "A digest shows that bytes did not change. A signature shows who held a key, not when, and not that "
    "what they signed is true. Neither shows that the stores told the truth, that the listed scopes are "
    "all there are, or that nobody left a bundle out: compare scopes with what you know, and bundles "
    "with the chain. Who ran the audit, its command line and the versions are the word of its maker. Have "
    "the key, or its fingerprint, from its owner on another way than this bundle. Compare these steps with "
    "those of a bundle that you trust: whoever forges one can print others in it."
)
"""What no step proves, in words for whoever signs off."""


def steps(evidence: Evidence) -> tuple[Step, ...]:
    """List the steps for a bundle, in the order in which each can build on the one before."""
    return (
        *_opening(evidence),
        _FILES,
        _no_others(evidence),
        _SUMS,
        *_signature(evidence),
        *_chain(evidence),
        *_inputs(evidence),
        _REPLAY,
    )


def document(evidence: Evidence) -> bytes:
    """Write VERIFY.md. Names were typed by whoever made the bundle: they stand in code, made visible."""
    parts = [
        f"# How to verify this bundle by hand\n\nIn a POSIX shell, inside the bundle. {_signed(evidence)}"
    ]
    for number, step in enumerate(steps(evidence), start=1):
        fence = "`" * (max(3, *(_ticks(command) + 1 for command in step.commands)))
        commands = "\n".join(step.commands)
        lines = [f"## {number}. {step.title}", f"{fence}sh\n{commands}\n{fence}", f"Expect: {step.expect}"]
        lines.append(f"Proves: {step.proves}")
        if step.leaves_open:
            lines.append(f"Does not prove: {step.leaves_open}")
        parts.append("\n\n".join(lines))
    parts.append(f"## What none of this proves\n\n{LIMITS}")
    return ("\n\n".join(parts) + "\n").encode()


_WHERE = (
    "The commands are for a POSIX shell in the folder of the bundle, with sha256sum (or `shasum -a 256`), "
    "openssl 3.0 or later and, for SSH signatures, ssh-keygen of OpenSSH 8.1 or later."
)


def _signed(evidence: Evidence) -> str:
    if evidence.signer == NONE:
        return "Nobody signed it: whoever changed it could have changed every digest in it as well."
    where = {ED25519: "Ed25519", SSH: "ssh-keygen -Y sign"}[evidence.signer]
    key = f" Fingerprint of the key: `{_inert(evidence.key_id)}`." if evidence.key_id else ""
    return f"Signed with {where}.{key}"


def _opening(evidence: Evidence) -> tuple[Step, ...]:
    name = shlex.quote(visible(evidence.bundle))
    if not evidence.bundle.lower().endswith(".zip"):
        return ()
    name = f"./{name}" if name.startswith("-") else name
    listed = f"unzip -Z1 {name} | sort | uniq -d"
    opened = f"mkdir opened && unzip -q {name} -d opened && cd opened"
    expect = "the first command prints nothing: no name stands twice in the archive."
    return (Step("Unpack the archive", (listed, opened), expect, "that every program reads the same files."),)


_FILES = Step(
    "Compare every file with its digest",
    ("sha256sum --strict -c SHA256SUMS",),
    "`OK` behind every name, and no warning.",
    "that no file listed in SHA256SUMS changed since that list was written.",
    "who wrote the list: that is what the signature is for.",
)
_UNLISTED = {
    ED25519: ("manifest.json", "manifest.dsse.json", "manifest.pae", "manifest.sig", "manifest.pub.pem"),
    SSH: ("manifest.json", "manifest.json.sig", "manifest.pub"),
    NONE: ("manifest.json",),
}
"""What a bundle has beside the files that are listed, and nothing that is only called alike."""


def _no_others(evidence: Evidence) -> Step:
    kept = "".join(f" ! -path ./{name}" for name in (*_UNLISTED[evidence.signer], "SHA256SUMS"))
    return Step(
        "Look for files that nobody listed",
        (f"find . ! -type d{kept} | wc -l", "wc -l < SHA256SUMS", "find . ! -type d ! -type f"),
        "the same number twice, and nothing after it.",
        "that nothing was added beside what is listed, and that nothing is a link to somewhere else.",
    )


_SUMS = Step(
    "Compare the list with the manifest",
    (
        "sum=$(sha256sum < SHA256SUMS | cut -c1-64)",
        """grep -cF '{"digest":{"sha256":"'"$sum"'"},"name":"SHA256SUMS"}' manifest.json""",
    ),
    "`1`.",
    "that the list of digests is the one which the manifest names.",
)
_REPLAY = Step(
    "Audit again (this one needs keyaudit)",
    ("cd .. && keyaudit verify BUNDLE --key TRUSTED-KEY",),
    "exit code 0.",
    "that the findings, tables and reports are what the inputs in this bundle come to, byte for byte.",
    "that the inputs are what the stores held.",
)


def _signature(evidence: Evidence) -> tuple[Step, ...]:
    if evidence.signer == ED25519:
        return _ed25519(evidence)
    return _ssh(evidence) if evidence.signer == SSH else ()


def _ed25519(evidence: Evidence) -> tuple[Step, ...]:
    wanted = f"`{_inert(evidence.key_id)}`" if evidence.key_id else "the fingerprint that its owner gave you"
    return (
        Step(
            "Compare what was signed with the manifest",
            (
                "size=$(wc -c < manifest.json)",
                "heading=$(printf 'DSSEv1 28 application/vnd.in-toto+json %d' $size)",
                "printf '%s ' \"$heading\" | cat - manifest.json | cmp - manifest.pae",
            ),
            "nothing.",
            "that the signed bytes are the manifest behind the heading that DSSE puts before it.",
        ),
        Step(
            "Look at the key that you trust",
            (f"openssl pkey -pubin -in {KEY} -outform DER | tail -c 32 | sha256sum",),
            f"{wanted}. {KEY} is the signer's public key as its owner gave it to you: the "
            "`manifest.pub.pem` of the bundle could be anybody's.",
            "that you hold the key with which this bundle says that it was signed.",
        ),
        Step(
            "Check the signature",
            (f"openssl pkeyutl -verify -pubin -inkey {KEY} -rawin -in manifest.pae -sigfile manifest.sig",),
            "`Signature Verified Successfully`.",
            "that whoever holds that key signed this manifest, hence every digest in it.",
            "when it was signed, or that what was signed is true.",
        ),
    )


def _ssh(evidence: Evidence) -> tuple[Step, ...]:
    identity = shlex.quote(visible(evidence.identity)) if evidence.identity else IDENTITY
    namespace = shlex.quote(visible(evidence.namespace))
    verify = (
        f"ssh-keygen -Y verify -f {SIGNERS} -I {identity} -n {namespace} -s manifest.json.sig < manifest.json"
    )
    key = f", `{_inert(evidence.key_id)}`" if evidence.key_id else ""
    return (
        Step(
            "Check the signature",
            (verify,),
            f"`Good` with the fingerprint of the signer's key{key}. {SIGNERS} is a file of your own with a "
            f'line `{_inert(identity)} namespaces="{_inert(evidence.namespace)}" ssh-ed25519 AAAA…`, '
            "whose key its owner gave you.",
            "that whoever holds that key signed this manifest, hence every digest in it.",
            "when it was signed, or that what was signed is true.",
        ),
    )


def _chain(evidence: Evidence) -> tuple[Step, ...]:
    if evidence.previous is None:
        return ()
    return (
        Step(
            "Compare the bundle before this one",
            (
                f"sha256sum {PREVIOUS}/manifest.json",
                'grep -o \'"manifest_sha256":"[0-9a-f]*"\' manifest.json',
            ),
            f"`{_inert(evidence.previous)}` twice; {PREVIOUS} is the bundle before this one.",
            "that this bundle was made after that one, by somebody who had it.",
            "that no third bundle follows the same one: compare with what you were given before.",
        ),
    )


def _inputs(evidence: Evidence) -> tuple[Step, ...]:
    if not evidence.inputs:
        return ()
    commands = tuple(f"sha256sum {shlex.quote(visible(name))}" for name, _ in evidence.inputs)
    digests = ", ".join(f"`{_inert(digest)}`" for _, digest in evidence.inputs)
    return (
        Step(
            "Compare the inputs with the report",
            commands,
            f"{digests}, in this order.",
            "that this report was made of the inventory and the policy that lie in this bundle.",
        ),
    )


def _ticks(text: str) -> int:
    longest = run = 0
    for character in text:
        run = run + 1 if character == "`" else 0
        longest = max(longest, run)
    return longest


def _inert(text: str | None) -> str:
    """Give text that cannot end the code span it stands in."""
    return visible(text or "").replace("`", "\\x60")
