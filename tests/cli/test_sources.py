"""`keyaudit sources`: what there is to list, and what each must be granted; and the entries that init writes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import yaml

from cli.live_sources import configure, entry
from keyaudit.cli import run
from keyaudit.cli.configuration import read
from keyaudit.cli.init import CONFIGURATION
from keyaudit.sources import SOURCES, check_settings, least_privilege

PROVIDERS = {"botocore", "boto3", "google", "grpc", "hvac", "requests", "polars"}


def test_list_names_every_kind_its_extra_and_who_is_configured_so(tmp_path, command) -> None:
    configure(tmp_path, entry("https://aws.example"), entry("https://aws.example", "other"))
    done = command("sources", "list", "--format", "json")
    assert done.returncode == 0
    rows = {row["kind"]: row for row in json.loads(done.stdout)}
    assert list(rows) == list(SOURCES)
    assert rows["aws-secrets-manager"] == {
        "kind": "aws-secrets-manager",
        "extra": "aws",
        "configured": ["production", "other"],
        "lists": SOURCES["aws-secrets-manager"].lists,
    }
    assert [kind for kind, row in rows.items() if row["configured"]] == ["aws-secrets-manager"]
    shown = command("sources", "list").stdout.decode()
    assert "production, other" in shown
    assert max(map(len, shown.splitlines())) <= 110


def test_a_broken_keyaudit_yaml_does_not_hide_what_there_is(tmp_path, command) -> None:
    configure(tmp_path, {"name": "a", "kind": "aws-secret-manager"})
    done = command("sources", "list")
    assert done.returncode == 2
    assert b"aws-secrets-manager" in done.stdout
    assert b"did you mean aws-secrets-manager?" in done.stderr


NAMES = sorted({*SOURCES, *(kind.family for kind in SOURCES.values())})


@pytest.mark.parametrize("name", NAMES)
def test_policy_prints_what_a_family_or_a_kind_must_be_granted(name, capsys) -> None:
    assert run(["sources", "policy", name]) == 0
    printed = capsys.readouterr().out
    assert printed == least_privilege(name).rstrip() + "\n"
    assert printed.strip()


def test_policy_is_as_narrow_as_the_sources_that_are_named(tmp_path, command) -> None:
    configure(
        tmp_path,
        entry("https://aws.example", accounts=["111122223333"], role="auditor"),
        entry("https://aws.example", "plain"),
    )
    whole = json.loads(command("sources", "policy", "aws", "--general").stdout)
    kind = json.loads(command("sources", "policy", "aws-secrets-manager", "--general").stdout)
    plain = json.loads(command("sources", "policy", "--source", "plain").stdout)
    entering = json.loads(command("sources", "policy", "aws", "--source", "production").stdout)
    assert plain == kind
    assert len(json.dumps(whole)) >= len(json.dumps(kind))
    assert "arn:aws:iam::111122223333:role/auditor" in json.dumps(entering)
    assert "sts:AssumeRole" not in json.dumps(plain)


def test_policy_grants_no_more_than_keyaudit_yaml_lists_and_says_of_what(tmp_path, command) -> None:
    configure(
        tmp_path,
        entry("https://aws.example", accounts=["111122223333"], role="auditor"),
        entry("https://aws.example", "plain"),
        {"name": "v", "kind": "vault", "address": "https://vault.example", "mounts": {"kv": ["team/kv"]}},
    )
    named = command("sources", "policy", "--source", "production", "--source", "plain")
    for name in ("aws", "aws-secrets-manager"):
        done = command("sources", "policy", name)
        assert (done.returncode, done.stdout) == (0, named.stdout)
        assert b"just what keyaudit.yaml lists: production, plain (--general" in done.stderr
    assert named.stderr == b"", "who names them knows"
    vault = command("sources", "policy", "vault")
    assert vault.stdout == command("sources", "policy", "--source", "v").stdout
    general = command("sources", "policy", "vault", "--general")
    assert b"team/kv" in vault.stdout
    assert b"team/kv" not in general.stdout
    assert general.stdout.decode() == least_privilege("vault").rstrip() + "\n"
    for name in ("openai", "aws-iam"):
        unlisted = command("sources", "policy", name)
        assert (unlisted.stdout.decode(), unlisted.stderr) == (least_privilege(name).rstrip() + "\n", b"")


SLIPS = [
    ((), "policy of what?"),
    (("asw",), "no source is called 'asw'; did you mean 'aws'?"),
    (("aws-secret-manager",), "did you mean 'aws-secrets-manager'?"),
    (("aws", "--source", "prod"), "no source is called 'prod'"),
    (("aws", "--general", "--source", "production"), "--general is for nobody's entry"),
    (("openai", "--source", "production"), "source production is aws-secrets-manager, not openai"),
    (("--source", "production", "--source", "keys"), "these sources belong to aws and openai"),
]


@pytest.mark.parametrize(("arguments", "said"), SLIPS, ids=[" ".join(each) or "nothing" for each, _ in SLIPS])
def test_a_slip_says_what_was_meant(arguments, said, tmp_path, command) -> None:
    configure(tmp_path, entry("https://aws.example"), {"name": "keys", "kind": "openai"})
    done = command("sources", "policy", *arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert said in done.stderr.decode()


@pytest.mark.parametrize("arguments", [["sources", "list"], *(["sources", "policy", name] for name in NAMES)])
def test_neither_needs_a_provider_s_package(arguments) -> None:
    code = (
        "import sys; from keyaudit.cli import run; assert run(sys.argv[1:]) == 0; "
        "sys.stderr.write(' '.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    assert not PROVIDERS & {name.partition(".")[0] for name in done.stderr.split()}


def uncommented() -> list[dict[str, object]]:
    """Read the entries under `# sources:` as somebody who takes them out of the comment."""
    lines = CONFIGURATION.splitlines()
    start = lines.index("# sources:")
    end = lines.index("", start)
    return yaml.safe_load("\n".join(line.removeprefix("#").removeprefix(" ") for line in lines[start:end]))[
        "sources"
    ]


def test_init_has_an_entry_of_every_kind_in_the_words_of_its_extra() -> None:
    assert {each["kind"] for each in uncommented()} == set(SOURCES)
    lines = CONFIGURATION.splitlines()
    for each in uncommented():
        if each["kind"] in SOURCES:
            (line,) = [line for line in lines if f"- name: {each['name']} " in line]
            assert f"# extra: {SOURCES[each['kind']].family}" in line


@pytest.mark.parametrize("kind", SOURCES)
def test_an_entry_of_init_can_be_used_as_it_is(kind) -> None:
    (found,) = [each for each in uncommented() if each["kind"] == kind]
    assert check_settings(found) == []


def test_what_init_writes_is_accepted_with_every_entry_taken_out_of_its_comment(tmp_path) -> None:
    known = [each for each in uncommented() if each["kind"] in SOURCES]
    configure(tmp_path, *known)
    assert [each["name"] for each in read(str(tmp_path / "keyaudit.yaml")).sources] == [
        each["name"] for each in known
    ]
    assert len({each["name"] for each in uncommented()}) == len(uncommented())


def test_paths_of_a_source_count_from_keyaudit_yaml(tmp_path) -> None:
    vault = {"name": "v", "kind": "vault", "address": "https://vault.example", "ca_cert": "ca.pem"}
    configure(
        tmp_path, {**vault, "cache": "kept"}, {**vault, "name": "w", "ca_cert": "/etc/ca.pem", "cache": False}
    )
    first, second = read(str(tmp_path / "keyaudit.yaml")).sources
    assert (first["ca_cert"], first["cache"]) == (str(tmp_path / "ca.pem"), str(tmp_path / "kept"))
    assert (second["ca_cert"], second["cache"]) == ("/etc/ca.pem", False)


@pytest.mark.parametrize(
    "code",
    [
        "import keyaudit.sources",
        "from keyaudit.sources import SOURCES; [kind.load() for kind in SOURCES.values()]",
        "from keyaudit.sources import check_settings, SOURCES; [check_settings({'kind': kind}) for kind in SOURCES]",
    ],
    ids=["the table", "the classes", "the settings"],
)
def test_no_provider_s_package_is_imported_before_somebody_is_asked(code) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not PROVIDERS & {name.partition(".")[0] for name in done.stdout.split()}
