"""Chains of bundles: every way in which one does not follow another is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evidence import sealing, written
from evidence.written import SIGNER, wrong
from keyaudit.evidence.verification import Outcome


def link(bundle: Path) -> dict[str, Any]:
    said = sealing.statement(bundle)["predicate"]
    return {
        "manifest_sha256": sealing.digest((bundle / "manifest.json").read_bytes()),
        **{name: said[name] for name in ("sequence", "created_at", "as_of")},
    }


def sealed(folder: Path, number: int, before: Path | None, /, **said: Any) -> Path:
    """Seal a bundle of one file, made and judged on the day of its number."""
    day = f"2026-07-{number:02}T00:00:00Z"
    predicate = {
        "sequence": number,
        "created_at": day,
        "as_of": day,
        "previous": None if before is None else link(before),
        "signer": {"kind": "ed25519", "key_id": sealing.key_id(SIGNER)},
    }
    bundle = folder / f"{number}-{len(list(folder.iterdir()))}"
    bundle.mkdir()
    sealing.seal(bundle, {"report.json": str(number).encode()}, {**predicate, **said})
    sealing.sign(bundle, SIGNER)
    return bundle


@pytest.fixture
def chain(tmp_path: Path) -> list[Path]:
    bundles: list[Path] = []
    for number in range(1, 5):
        bundles.append(sealed(tmp_path, number, bundles[-1] if bundles else None))
    return bundles


def chained(*bundles: Path, previous: Path | None = None) -> list[str]:
    """Give what is said of the chain of the last bundle."""
    found = written.verified(*bundles, previous=previous)
    return [each.text for each in found.bundles[-1].statements if each.check == "chain"]


def test_bundles_that_follow_each_other_fit(chain: list[Path]) -> None:
    found = written.verified(*chain)
    assert wrong(found) == ""
    said = [each.text for one in found.bundles for each in one.statements if each.check == "chain"]
    assert said[0] == "it says that it is the first of its chain"
    assert [text[:20] for text in said[1:]] == [f"it follows number {k} " for k in (1, 2, 3)]


@pytest.mark.parametrize("as_", ["bundle", "manifest"])
def test_the_one_before_may_be_given_by_itself(chain: list[Path], as_: str) -> None:
    before = chain[1] if as_ == "bundle" else chain[1] / "manifest.json"
    assert chained(chain[2], previous=before)[0].startswith("it follows number 2 ")


def test_one_whose_predecessor_was_not_given_stays_open(chain: list[Path]) -> None:
    found = written.verified(chain[2])
    [said] = [each for each in found.bundles[0].statements if each.check == "chain"]
    assert said.outcome is Outcome.OPEN
    assert said.text.startswith("the bundle before it, number 2 (")


def test_a_missing_predecessor_is_named(chain: list[Path]) -> None:
    assert "a predecessor is missing: number 2 of the chain was not given" in chained(chain[0], chain[2])
    assert "a predecessor is missing: number 2 to 3 of the chain was not given" in chained(chain[0], chain[3])


def test_an_older_bundle_that_is_replayed_is_named(chain: list[Path]) -> None:
    said = chained(*chain[:3], chain[1])
    assert "an older bundle, replayed: it is number 2, the one before it is number 3" in said
    assert chained(chain[0], chain[0]) == ["it is the same bundle as the one before it, given a second time"]


def test_a_fork_is_named(chain: list[Path], tmp_path: Path) -> None:
    other = sealed(tmp_path, 2, chain[0], run_by="somebody else")
    assert "both follow the same bundle: the chain was forked" in chained(*chain[:2], other)


def test_a_bundle_of_another_chain_is_named(chain: list[Path], tmp_path: Path) -> None:
    other = sealed(tmp_path, 2, sealed(tmp_path, 1, None, run_by="somebody else"))
    [said] = chained(chain[0], other)
    assert said.startswith("it does not follow the bundle before it, number 1 (")


def test_a_first_bundle_after_another_is_named(chain: list[Path], tmp_path: Path) -> None:
    other = sealed(tmp_path, 1, None, run_by="somebody else")
    assert chained(chain[0], other) == [
        "both say that they are the first of a chain: the one does not follow the other"
    ]


def test_a_gap_in_the_numbers_is_named(chain: list[Path], tmp_path: Path) -> None:
    gap = sealed(tmp_path, 5, chain[2])
    assert chained(chain[2], gap)[0] == "a gap: it is number 5 and says that it follows number 3"
    first = sealed(tmp_path, 3, None)
    assert chained(first) == ["a gap: it is number 3 and says that it follows number 0"]


@pytest.mark.parametrize("what", ["created_at", "as_of"])
def test_time_that_goes_backwards_is_named(chain: list[Path], tmp_path: Path, what: str) -> None:
    early = {what: "2026-07-02T23:59:59.999999Z"}
    back = sealed(tmp_path, 4, chain[2], **early)
    assert chained(chain[2], back)[0].startswith("time goes backwards: it ")
    same = sealed(tmp_path, 4, chain[2], **{what: "2026-07-03T00:00:00Z"})
    assert [text[:18] for text in chained(chain[2], same)] == ["it follows number "]


def test_what_a_bundle_says_of_the_one_before_it_must_be_what_that_one_says(
    chain: list[Path], tmp_path: Path
) -> None:
    told = sealed(tmp_path, 3, None, previous={**link(chain[1]), "created_at": "2026-07-01T12:00:00Z"})
    assert (
        chained(chain[1], told)[0] == "it says of the bundle before it what that one does not say of itself"
    )


@pytest.mark.parametrize(
    "said",
    [
        {"sequence": 0},
        {"sequence": True},
        {"sequence": "2"},
        {"created_at": "yesterday"},
        {"as_of": None},
        {"previous": {}},
        {"previous": "none"},
        {"previous": {"manifest_sha256": "x", "sequence": 1, "created_at": "", "as_of": ""}},
    ],
)
def test_a_place_that_cannot_be_read_is_wrong(tmp_path: Path, said: dict[str, Any]) -> None:
    assert chained(sealed(tmp_path, 1, None, **said)) == [
        "the manifest does not say where in its chain the bundle stands"
    ]


def test_keyaudit_chains_its_own_bundles(tmp_path: Path) -> None:
    key = sealing.write_keys(tmp_path, "key", SIGNER)
    first = written.scan(tmp_path / "first.zip", "--sign-key", key)
    second = written.scan(tmp_path / "second", "--sign-key", key, "--previous", first)
    third = written.scan(tmp_path / "third", "--sign-key", key, "--previous", second / "manifest.json")
    found = written.verified(first, second, third, replay=True)
    assert wrong(found) == ""
    assert found.exit_code == 0
