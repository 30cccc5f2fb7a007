"""What is not installed is said before anything is asked: never after a key was made."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from cli.rotating import entry, prepare
from keyaudit.rotation.extras import _PACKAGES, EXTRAS
from keyaudit.rotation.issuers import ISSUERS
from keyaudit.rotation.probes import PROBES
from keyaudit.rotation.silences import SILENCES
from keyaudit.rotation.stores import STORES
from transcripts import surroundings

ROOT = Path(__file__).parents[2]
WITHOUT = (
    "import sys; sys.modules.update({name: None for name in sys.argv[1].split()})\n"
    "from keyaudit.cli import run; sys.exit(run(sys.argv[2:]))"
)


def test_every_kind_of_party_says_which_extra_it_needs() -> None:
    assert set(EXTRAS) == {*STORES, *ISSUERS, *PROBES, *SILENCES}
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert {extra for extra in EXTRAS.values() if extra} == set(_PACKAGES) <= set(extras)


CASES = [
    ({"probe": {"kind": "groq"}}, "requests", "groq", "http"),
    ({"probe": {"kind": "openai"}}, "requests", "openai", "openai"),
    ({"probe": {"kind": "anthropic"}}, "requests", "anthropic", "anthropic"),
    ({"probe": {"kind": "aws-sts"}}, "botocore", "aws-sts", "aws"),
    ({"probe": {"kind": "google"}}, "google.auth", "google", "gcp"),
    ({"probe": {"kind": "google"}}, "google", "google", "gcp"),
    (
        {
            "store": {
                "kind": "vault-kv",
                "address": "https://vault.example",
                "mount": "kv",
                "path": "a",
                "field": "key",
            }
        },
        "hvac",
        "vault-kv",
        "vault",
    ),
]


@pytest.mark.parametrize(("party", "package", "kind", "extra"), CASES)
def test_what_is_missing_is_named_before_a_key_is_made(party, package, kind, extra, tmp_path) -> None:
    prepare(tmp_path, entry(**party))
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, package, "rotate", "run", "demo", "--yes"],
        cwd=tmp_path,
        env={**surroundings(), "VAULT_TOKEN": "nobodys"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 2
    assert done.stderr == (
        f"keyaudit: rotating with {kind} needs an extra that is not installed\n"
        f"hint: pip install 'keyaudit[{extra}]'\n"
    )
    assert not (tmp_path / "asked.log").exists(), "nobody was asked for anything"
    assert len(json.loads((tmp_path / "provider.json").read_text())) == 1
