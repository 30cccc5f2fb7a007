"""`keyaudit scan --bundle`: what lies in it, that it comes to the same again, and what is refused."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import yaml

from cli.live_sources import NOBODY
from history.logs.exports import put, written
from keyaudit.evidence import layout, recipe
from keyaudit.evidence.replay import remade
from keyaudit.rotation.journal import Entry, FileJournal, Request
from keyaudit.rotation.stores.protocol import Credential
from keyaudit.times import parse_instant
from servers.secrets_manager import SecretsManager

FIRST = Path(__file__).parents[2] / "examples" / "01-first-audit"
AS_OF = ("--as-of", "2026-05-01T00:00:00Z")
Command = Callable[..., Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FIRST, tmp_path / "audit"))


@pytest.fixture
def scan(command: Command, folder: Path) -> Command:
    """Scan the first example into a bundle beside it, and give the bundle."""

    def run(name: str = "bundle", *options: str | Path, as_of: str = AS_OF[1]) -> Path:
        target = folder.parent / name
        done = command("scan", "--as-of", as_of, "--bundle", target, *options, cwd=folder)
        assert done.returncode == 1, done.stderr.decode()
        return target

    return run


def refused(command: Command, folder: Path, *options: str | Path, code: int = 2) -> str:
    done = command("scan", *AS_OF, *options, cwd=folder)
    assert done.returncode == code, done.stderr.decode()
    return done.stderr.decode()


def files(bundle: Path) -> dict[str, bytes]:
    return {f.relative_to(bundle).as_posix(): f.read_bytes() for f in bundle.rglob("*") if f.is_file()}


def predicate(bundle: Path) -> dict[str, Any]:
    said = json.loads((bundle / "manifest.json").read_bytes())["predicate"]
    assert isinstance(said, dict)
    return said


def test_a_bundle_has_the_inputs_byte_for_byte_and_a_digest_of_every_file(scan, folder) -> None:
    bundle = scan("bundle", "--run-by", "Ann <ann@acme.example>", "--format", "json")
    found = files(bundle)
    assert found["inputs/policy.yaml"] == (folder / "policy.yaml").read_bytes()
    kept = [name for name in found if name.startswith("inputs/inventory/")]
    assert sorted(kept) == [f"inputs/inventory/0{n}" for n in ("1-aws.yaml", "2-gcp.yaml", "3-vault.csv")]
    assert found["inputs/inventory/03-vault.csv"] == (folder / "inventory/vault.csv").read_bytes()
    assert found["report.json"] == found["reports/report.json"]
    statement = json.loads(found["manifest.json"])
    named = {each["name"]: each["digest"]["sha256"] for each in statement["subject"]}
    assert named == {
        name: hashlib.sha256(content).hexdigest()
        for name, content in found.items()
        if not name.startswith("manifest.")
    }
    said = statement["predicate"]
    assert said["command_line"][:3] == ["scan", *AS_OF]
    assert (said["run_by"], said["sequence"], said["previous"]) == ("Ann <ann@acme.example>", 1, None)
    assert (said["population"], said["summary"]["exit_code"]) == (18, 1)
    assert said["signer"] == {"kind": "none"}
    assert "Nobody signed it" in found["VERIFY.md"].decode()


def test_sha256sum_alone_checks_every_file(scan) -> None:
    bundle = scan()
    check = ["sha256sum", "--strict", "-c", "SHA256SUMS"]
    assert subprocess.run(check, cwd=bundle, capture_output=True, check=False).returncode == 0
    (bundle / "findings.csv").write_bytes(b"rule\r\n")
    assert subprocess.run(check, cwd=bundle, capture_output=True, check=False).returncode == 1


def test_the_manifest_has_one_form(scan) -> None:
    content = (scan() / "manifest.json").read_bytes()
    document = json.loads(content)
    same = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert content == same.encode()


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[SecretsManager]:
    for name, value in NOBODY.items():
        monkeypatch.setenv(name, value)
    with SecretsManager() as server:
        at = parse_instant("2026-03-01T00:00:00Z") // 1_000_000
        tags = [{"Key": "environment", "Value": "production"}]
        versions = [{"VersionId": "b", "VersionStages": ["AWSCURRENT"], "CreatedDate": at}]
        server.put("live", versions, CreatedDate=at, LastChangedDate=at, Tags=tags)
        yield server


def everything(folder: Path, url: str) -> None:
    """Have every kind of input there is beside the first example."""
    own = yaml.safe_load((folder / "keyaudit.yaml").read_text())
    source = {
        "name": "live one",
        "kind": "aws-secrets-manager",
        "regions": ["eu-west-1"],
        "endpoint_url": url,
        "attempts": 2,
    }
    shipped = Path(__file__).parents[2] / "policies" / "frameworks" / "hipaa.yaml"
    (folder / "ours.yaml").write_text(shipped.read_text().replace("id: hipaa", "id: ours", 1))
    lineage = {"match": {"not": {"any": [{"name": "a*"}, {"tier": ">=2"}]}, "source": "vault-kv"}}
    own |= {"sources": [source], "frameworks": ["soc2", "./ours.yaml"], "records": ["records"]}
    own |= {"lineage": [{**lineage, "lineage": "one"}], "history": ["past"], "audit_logs": ["logs"]}
    own |= {"report": {"entity": "Acme", "marking": "secret"}}
    (folder / "until-march.yaml").write_text((folder / "policy.yaml").read_text().replace("90d", "120d"))
    own |= {"earlier_policies": [{"file": "until-march.yaml", "until": "2026-03-31"}]}
    (folder / "keyaudit.yaml").write_text(yaml.safe_dump(own))
    place = Credential("vault", "kv", "openai", "openai")
    log = FileJournal(
        folder / "records" / "openai.ndjson", "openai", place, Request("sam@acme.example", None, "CHG-7")
    )
    log.append(Entry(parse_instant("2026-03-01T10:00:00Z"), "requested", goal="forward"))
    (folder / "past").mkdir()
    older = (folder / "inventory" / "aws.yaml").read_text().replace("2026-05-01T", "2026-02-01T")
    (folder / "past" / "february.yaml").write_text(older)
    (folder / "logs").mkdir()
    written(folder / "logs", [put("c", at="2026-03-05T10:00:00Z")])


def test_what_an_audit_depends_on_is_in_the_bundle_whatever_it_was(command, folder, store, tmp_path) -> None:
    everything(folder, store.url)
    first = command("scan", *AS_OF, "--format", "json", "--output", "before", cwd=folder)
    assert first.returncode == 1, first.stderr.decode()
    formats = [word for name in ("html", "sarif", "asff", "markdown") for word in ("--format", name)]
    asked = ("--period", "2026-01-01/2026-04-30", "--baseline", "before/report.json")
    sample = ("--sample", "3", "--seed", "dice", "--stratify", "environment,owner")
    hub = ("--security-hub", "111122223333/eu-west-1", "--anchor", "policy.yaml", "--output", "out")
    target = tmp_path / "bundle"
    done = command("scan", *AS_OF, *asked, *sample, *hub, *formats, "--bundle", target, cwd=folder)
    assert done.returncode in {0, 1, 3}, done.stderr.decode()
    shutil.rmtree(folder)
    asked_for = recipe.read((target / layout.RECIPE).read_bytes(), "audit.json")
    kinds = {path.split("/")[1] for path in (each.path for each in asked_for.files)}
    assert kinds == {
        "inventory", "policy.yaml", "earlier-policies", "frameworks", "records", "history.ndjson", "baseline.json",
        "audit-log-entries.ndjson",
    }  # fmt: skip
    assert "inputs/inventory/source-live-one.ndjson" in files(target)
    report, again = remade(target, asked_for)
    assert report.ledger is not None
    assert report.ledger.history is not None
    assert len(report.ledger.policies) == 2
    assert report.sample is not None
    assert report.baseline is not None
    assert again == {name: (target / name).read_bytes() for name in again}
    assert {"ledger.csv", "sample.csv", "reports/report.html", "reports/report.sarif"} <= again.keys()
    assert set(files(target)) - set(again) == {
        *(each.path for each in asked_for.files), "audit.json", "manifest.json", "SHA256SUMS",
    }  # fmt: skip


def test_a_changed_input_comes_to_other_documents(scan) -> None:
    bundle = scan()
    (bundle / "inputs/policy.yaml").write_text(
        (bundle / "inputs/policy.yaml").read_text().replace("90d", "900d")
    )
    again = remade(bundle, recipe.read((bundle / "audit.json").read_bytes(), "audit.json"))[1]
    assert again["findings.csv"] != (bundle / "findings.csv").read_bytes()
    assert again["policy.resolved.json"] != (bundle / "policy.resolved.json").read_bytes()


def test_the_shipped_policy_is_kept_when_nobody_gave_one(command, folder, tmp_path) -> None:
    done = command(
        "scan", *AS_OF, "--inventory", folder / "inventory/aws.yaml", "--bundle", tmp_path / "bundle", cwd=tmp_path
    )  # fmt: skip
    assert done.returncode in {0, 1, 3}, done.stderr.decode()
    shipped = Path(__file__).parents[2] / "policies" / "default.yaml"
    assert (tmp_path / "bundle/inputs/policy.yaml").read_bytes() == shipped.read_bytes()


def test_the_resolved_policy_says_what_the_file_leaves_out(scan, folder) -> None:
    resolved = json.loads((scan() / "policy.resolved.json").read_bytes())
    given = yaml.safe_load((folder / "policy.yaml").read_text())
    assert resolved["name"] == given["policy"]
    assert "unused" not in given.get("rules", {})
    assert resolved["rules"]["unused"]["params"] == {"after": "90d"}
    assert [each["name"] for each in resolved["schedules"]] == [each["name"] for each in given["schedules"]]
    assert resolved["schedules"][0]["rotation_period"] == given["schedules"][0]["rotation_period"]


def test_only_their_owner_reads_a_bundle(scan) -> None:
    for bundle in (scan(), scan("bundle.zip")):
        for path in (bundle, *bundle.rglob("*")):
            mode = stat.S_IMODE(path.stat().st_mode)
            assert mode == (0o700 if path.is_dir() else 0o600), path


def test_an_archive_holds_the_same_tree_in_one_order_at_one_time(scan, tmp_path) -> None:
    archive = scan("bundle.zip")
    with ZipFile(archive) as packed:
        entries = packed.infolist()
        packed.extractall(tmp_path / "opened")
    assert [each.filename for each in entries] == sorted(each.filename for each in entries)
    assert {each.date_time for each in entries} == {(2026, 5, 1, 0, 0, 0)}
    assert {(each.external_attr >> 16, each.extra, each.create_system) for each in entries} == {
        (0o100600, b"", 3)
    }
    assert set(files(tmp_path / "opened")) == set(files(scan()))


@pytest.mark.parametrize("name", ["bundle", "bundle.zip"])
def test_nothing_is_ever_overwritten(command, folder, name) -> None:
    target = folder / name
    target.mkdir() if name == "bundle" else target.write_bytes(b"mine")
    said = refused(command, folder, "--bundle", name)
    assert "already there" in said
    assert target.is_dir() or target.read_bytes() == b"mine"


def test_a_link_to_nowhere_is_something_too(command, folder) -> None:
    (folder / "bundle").symlink_to("nowhere")
    assert "already there" in refused(command, folder, "--bundle", "bundle")


def test_what_can_be_read_only_once_cannot_be_kept(command, folder) -> None:
    said = refused(command, folder, "--inventory", "-", "--bundle", "bundle")
    assert "stdin" in said
    assert "hint: write it to a file first" in said
    assert list(folder.glob("*bundle*")) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--sign-key", "k"), "--sign-key is for a bundle"),
        (("--previous", "b"), "--previous is for a bundle"),
        (("--bundle", "b", "--sign-key", "k", "--sign-ssh", "k"), "a bundle has one signer"),
        (("--bundle", "nowhere/b"), "there is no folder nowhere"),
        (("--bundle", "b", "--sign-key", "k"), "k: No such file"),
        (("--bundle", "b", "--sign-ssh", "k"), "k: No such file"),
        (("--bundle", "b", "--previous", "p"), "p: No such file"),
        (("--bundle", "b", "--sign-kms", "awskm:///x"), "no key of a KMS; did you mean 'awskms'?"),
    ],
)
def test_what_cannot_be_had_is_said_before_anything_is_done(command, folder, options, said) -> None:
    assert said in refused(command, folder, *options)
    assert not (folder / "b").exists()


def test_settings_of_a_bundle_are_checked_all_at_once(command, folder) -> None:
    text = (folder / "keyaudit.yaml").read_text()
    (folder / "keyaudit.yaml").write_text(
        f"{text}bundle: {{sign_key: a, sign_ssh: b, runby: c, run_by: 1}}\n"
    )
    said = refused(command, folder)
    assert "bundle.sign_ssh: a bundle has one signer" in said
    assert "bundle.runby: unknown setting; did you mean 'run_by'?" in said
    assert "bundle.run_by: expected text" in said


@pytest.mark.parametrize("name", ["名前.csv", ".hidden.csv", f"{'long' * 50}.csv"])
def test_an_inventory_is_kept_under_a_name_that_says_its_format(command, folder, name) -> None:
    """What may not stand in a name on every system is left out, and never its ending."""
    (folder / name).write_text(
        "source,scope,id,name,created_at\nby-hand,acme,1,key,2026-01-01T00:00:00Z\n", "utf-8"
    )
    done = command("scan", *AS_OF, "--inventory", name, "--bundle", "bundle", cwd=folder)
    assert done.returncode == 3, done.stderr.decode()
    [kept] = (folder / "bundle" / "inputs" / "inventory").iterdir()
    assert kept.read_bytes() == (folder / name).read_bytes()
    assert re.fullmatch(r"01-[A-Za-z0-9._-]{1,80}[.]csv", kept.name)
