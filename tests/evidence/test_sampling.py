"""A sample is what its seed and its population make it: nobody's order, locale or machine changes it."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from formats.sample_report import sample_report
from keyaudit import report_document
from keyaudit.errors import UsageError
from keyaudit.evidence.sampling import allocate, differences, draw, line, population_sha256
from keyaudit.model import Drawn, PopulationRow, Report, Verdict

SEED = "2026-H1/7f3a9c"
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=6)
NASTY = st.sampled_from(
    ["a", "b", "a\nb", "\n", '","', "a,b", "\\", "\\n", '"', "é", "e\u0301", "\u2028", "\x7f"]
)


def row(identity: str, *, source: str = "vault", scope: str = "kv", **values: str | None) -> PopulationRow:
    fields = {"environment": None, "cls": None, "owner": None, **values}
    return PopulationRow(
        source, scope, identity, f"name of {identity}", fields["cls"], None, fields["environment"], None, fields["owner"],
        None, None, "not-known", None, None, None, None, Verdict.PASS, None, (), (),
    )  # fmt: skip


def rows(count: int, **values: str | None) -> list[PopulationRow]:
    return [row(f"{values.get('environment', 'k')}-{number}", **values) for number in range(count)]


def named(drawn: Iterable[Drawn]) -> list[tuple[str, str, str]]:
    return [(one.source, one.scope, one.id) for one in drawn]


IDENTITIES = st.tuples(NASTY | TEXT, NASTY | TEXT, NASTY | TEXT)
POPULATIONS = st.lists(
    st.tuples(IDENTITIES, st.sampled_from([None, "prod", "dev"]), st.sampled_from([None, "x", "y", "z"])),
    unique_by=lambda one: one[0],
    max_size=30,
).map(
    lambda drawn: [
        row(identity, source=source, scope=scope, environment=environment, owner=owner)
        for (source, scope, identity), environment, owner in drawn
    ]
)
STRATA = st.lists(st.sampled_from(["environment", "class", "owner"]), unique=True).map(tuple)


def test_a_draw_that_was_worked_out_by_hand() -> None:
    """By printf and sha256sum: three identities, then `["s1",digest,"vault","kv","a"]` and so on."""
    digest = "7e6bfa97963202de567cb3123c966e5d285911fdded962dc3c97108254c11931"
    keys = {
        "a": "570370be1623f876106c5e24e74c328c78c183b5fa53bcb51c7b3db848ac400b",
        "b": "bdc76fc14ed964c520d1ee4986fe6c3b2658999943403b87edec114d9b5b2301",
        "c": "10059c399736028ea090a22221cdd969c0e79f7a7a3b5c49e20ee252d0b869b5",
    }
    sample = draw([row("c"), row("a"), row("b")], 1, "s1")
    assert sample.population_sha256 == digest
    assert [(one.order, one.id, one.key) for one in sample.drawn] == [(1, "c", keys["c"])]
    assert [(one.order, one.id, one.key) for one in sample.reserves] == [(2, "a", keys["a"])]


@pytest.mark.skipif(shutil.which("jq") is None, reason="needs jq")
def test_the_shell_of_the_documentation_draws_the_same(tmp_path: Path) -> None:
    """The very text of the module, on a report with names that no shell should see."""
    from keyaudit.evidence import sampling

    report = sample_report(40)
    (tmp_path / "report.json").write_text(json.dumps(report_document.to_document(report)), "utf-8")
    sample = draw(report.population, 7, "a 'seed' $(id) \\n")
    digest, drawing = (block.strip() for block in (sampling.__doc__ or "").split("jq -ac")[1:])
    digest = "jq -ac " + digest.replace("\\\\", "\\")
    drawing = "jq -ac " + drawing.partition("\n\n")[0]
    drawing = drawing.replace("SEED", '"$SEED"').replace("DIGEST", '"$DIGEST"').replace("SIZE", "7")
    where = {
        "SEED": sample.seed,
        "DIGEST": sample.population_sha256,
        "PATH": "/usr/bin:/bin",
        "LC_ALL": "C.UTF-8",
    }

    def run(script: str) -> str:
        done = subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, env=where, check=True, capture_output=True
        )
        return done.stdout.decode()

    said = run(digest)
    assert said.split()[0] == sample.population_sha256
    listed = run(drawing).splitlines()
    assert [text[:64] for text in listed] == [one.key for one in sample.drawn]
    assert [tuple(json.loads(text[66:])[2:]) for text in listed] == named(sample.drawn)


@given(POPULATIONS, st.integers(1, 40), STRATA, st.randoms(use_true_random=False))
def test_the_order_of_the_population_changes_nothing(population, size, strata, by) -> None:
    shuffled = list(population)
    by.shuffle(shuffled)
    assert draw(shuffled, size, SEED, strata) == draw(population, size, SEED, strata)


@given(POPULATIONS, st.integers(1, 40), STRATA)
def test_a_sample_is_of_its_population_and_has_nothing_twice(population, size, strata) -> None:
    sample = draw(population, size, SEED, strata)
    everything = named(sample.drawn) + named(sample.reserves)
    assert len(set(everything)) == len(everything)
    assert set(everything) <= {(one.source, one.scope, one.id) for one in population}
    assert len(sample.drawn) == min(size, len(population)) == sum(part.drawn for part in sample.parts)
    assert sum(part.population for part in sample.parts) == len(population) == sample.population
    assert [one.order for one in (*sample.drawn, *sample.reserves)] == list(range(1, len(everything) + 1))
    for listed in (sample.drawn, sample.reserves):
        assert [one.key for one in listed] == sorted(one.key for one in listed)
    for part in sample.parts:
        mine = [one.key for one in sample.drawn if one.stratum == part.values]
        others = [one.key for one in sample.reserves if one.stratum == part.values]
        assert len(mine) == part.drawn
        assert len(others) == min(part.drawn, part.population - part.drawn)
        assert max(mine, default="") < min(others, default="g")


@given(POPULATIONS, st.integers(1, 20), st.integers(0, 20))
def test_a_smaller_sample_is_the_beginning_of_a_larger_one(population, size, more) -> None:
    small, large = draw(population, size, SEED), draw(population, size + more, SEED)
    assert large.drawn[: len(small.drawn)] == small.drawn
    reserves = named((*large.drawn, *large.reserves))[len(small.drawn) :]
    assert reserves[: len(small.reserves)] == named(small.reserves), "reserves are who would be drawn next"


@given(IDENTITIES, IDENTITIES)
def test_no_two_identities_are_the_same_line(one, other) -> None:
    assume(one != other)
    assert line(*one) != line(*other)
    assert b"\n" not in line(*one)
    a, b = (row(name, source=source, scope=scope) for source, scope, name in (one, other))
    assert population_sha256([a]) != population_sha256([b])


def test_what_would_collide_if_lines_were_glued_together_does_not() -> None:
    glued = [
        ("a", "b\nc", "d"),
        ("a\nb", "c", "d"),
        ("a", "b", "c\nd"),
        ('a","b', "c", "d"),
        ("a", 'b","c', "d"),
    ]
    keys = {
        draw([row(name, source=source, scope=scope)], 1, "s").drawn[0].key for source, scope, name in glued
    }
    assert len(keys) == len(glued)
    assert line("s\np", "x") != line("s", "p\nx")


def chi_square(counts: Mapping[str, int], cells: int) -> float:
    expected = sum(counts.values()) / cells
    return sum((counts.get(str(cell), 0) - expected) ** 2 / expected for cell in range(cells))


def test_every_credential_is_as_likely_as_any_other() -> None:
    """49 degrees of freedom: a fair draw is above 85.4 once in 1,000 times; the seeds here are fixed."""
    population = [row(str(number)) for number in range(50)]
    drawn: Counter[str] = Counter()
    first: Counter[str] = Counter()
    for number in range(2_000):
        sample = draw(population, 5, f"seed {number}")
        drawn.update(one.id for one in sample.drawn)
        first[sample.drawn[0].id] += 1
    assert chi_square(first, 50) < 85.4
    # Without replacement: counts vary by (1 - 5/50) of what independent draws would.
    assert chi_square(drawn, 50) < 85.4


def test_one_credential_more_turns_the_whole_draw() -> None:
    """Whoever knows the seed cannot add a credential and keep the rest of the sample as it was."""
    before = draw(rows(200), 20, SEED)
    after = draw([*rows(200), row("one more")], 20, SEED)
    assert len(set(named(before.drawn)) & set(named(after.drawn))) < 10


SIZES = st.dictionaries(st.tuples(st.text("abc", max_size=3)), st.integers(1, 1000), max_size=12)


@given(SIZES, st.integers(0, 500))
def test_strata_share_in_proportion(sizes, wanted) -> None:
    shares, total = allocate(sizes, wanted), sum(sizes.values())
    assert list(shares) == list(sizes)
    assert sum(shares.values()) == min(wanted, total)
    assert all(0 <= shares[one] <= sizes[one] for one in sizes)
    if min(wanted, total) >= len(sizes):
        assert all(shares.values()), "one from each"
    larger = {one: share for one, share in shares.items() if share > 1}
    left = min(wanted, total) - sum(share for share in shares.values() if share == 1)
    for one, share in larger.items():
        among = sum(sizes[other] for other in larger)
        assert abs(share - Fraction(sizes[one] * left, among)) < 2
    for one in sizes:
        for other in sizes:
            assert sizes[one] <= sizes[other] or shares[one] >= shares[other], "more never gives less"


@pytest.mark.parametrize(
    ("sizes", "wanted", "expected"),
    [
        ({"a": 70, "b": 20, "c": 10}, 10, {"a": 7, "b": 2, "c": 1}),
        ({"a": 60, "b": 35, "c": 5}, 10, {"a": 6, "b": 3, "c": 1}),  # 5 % of 10 is half a credential: one
        ({"a": 980, "b": 10, "c": 10}, 25, {"a": 23, "b": 1, "c": 1}),
        ({"a": 97, "b": 1, "c": 1, "d": 1}, 4, {"a": 1, "b": 1, "c": 1, "d": 1}),
        ({"a": 97, "b": 1, "c": 1, "d": 1}, 3, {"a": 3, "b": 0, "c": 0, "d": 0}),  # no room for one of each
        ({"a": 1, "b": 1, "c": 1}, 2, {"a": 1, "b": 1, "c": 0}),  # alike: in the order of their values
        ({"b": 50, "a": 50}, 3, {"b": 1, "a": 2}),
        ({"a": 3, "b": 5}, 4, {"a": 1, "b": 3}),  # 1.5 and 2.5: of equal remainders the larger stratum
        ({"a": 2, "b": 3}, 99, {"a": 2, "b": 3}),
        ({}, 5, {}),
    ],
)
def test_shares_that_were_worked_out_by_hand(sizes, wanted, expected) -> None:
    shares = allocate({(name,): size for name, size in sizes.items()}, wanted)
    assert shares == {(name,): share for name, share in expected.items()}


def test_strata_are_drawn_by_themselves_and_numbered_together() -> None:
    population = rows(70, environment="prod") + rows(20, environment="dev") + rows(10)
    sample = draw(population, 10, SEED, ["environment"])
    assert [(part.values, part.population, part.drawn) for part in sample.parts] == [
        (("",), 10, 1),
        (("dev",), 20, 2),
        (("prod",), 70, 7),
    ]
    for part in sample.parts:
        mine = [one for one in population if (one.environment or "") == part.values[0]]
        keys = sorted(
            sha256(line(SEED, sample.population_sha256, one.source, one.scope, one.id)).hexdigest()
            for one in mine
        )
        assert [one.key for one in sample.drawn if one.stratum == part.values] == keys[: part.drawn]
        assert [one.key for one in sample.reserves if one.stratum == part.values] == keys[
            part.drawn : 2 * part.drawn
        ]


def test_a_population_smaller_than_the_sample_is_drawn_whole() -> None:
    sample = draw(rows(3), 25, SEED)
    assert (sample.size, sample.population, len(sample.drawn), sample.reserves) == (25, 3, 3, ())


@pytest.mark.parametrize(
    ("size", "seed", "strata", "message"),
    [
        (0, SEED, (), "a sample of 0 is none"),
        (5, "", (), "the seed is not a line of text"),
        (5, " ", (), "the seed is not a line of text"),
        (5, "a\nb", (), "the seed is not a line of text"),
        (5, "a\u202eb", (), "the seed is not a line of text"),
        (5, SEED, ("tier",), "'tier' is no stratum"),
        (5, SEED, ("owner", "owner"), "a stratum is named twice"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_a_hint(size, seed, strata, message) -> None:
    with pytest.raises(UsageError, match=message) as refused:
        draw(rows(9), size, seed, strata)
    assert refused.value.hint


def sampled(size: int = 6, strata: Sequence[str] = ("environment",)) -> Report:
    report = sample_report(60)
    return replace(report, sample=draw(report.population, size, SEED, strata))


def test_a_sample_is_found_again_in_its_report() -> None:
    report = sampled()
    assert report.sample
    assert differences(report.sample, report.population) == ()
    again = report_document.from_document(report_document.to_document(report))
    assert again.sample == report.sample
    assert differences(again.sample, list(reversed(again.population))) == ()


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**20), st.sampled_from(["source", "scope", "id"]))
def test_a_population_that_is_not_the_one_is_named(index, field) -> None:
    report = sampled()
    population = list(report.population)
    index %= len(population)
    population[index] = replace(population[index], **{field: "another"})
    assert report.sample
    found = differences(report.sample, population)
    assert any(one.startswith("population_sha256: ") for one in found)
    assert any(one.startswith("drawn ") for one in found)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda s: replace(s, seed="another"), "drawn 1: the sample has "),
        (lambda s: replace(s, population_sha256="0" * 64), "population_sha256: the sample says 000"),
        (lambda s: replace(s, population=9), "population: the sample says 9, the report gives "),
        (lambda s: replace(s, size=7), "drawn: the sample has 6, the draw gives 7"),
        (lambda s: replace(s, drawn=(s.drawn[1], s.drawn[0], *s.drawn[2:])), "drawn 1: the sample has "),
        (lambda s: replace(s, drawn=s.drawn[:-1]), "drawn: the sample has 5, the draw gives 6"),
        (lambda s: replace(s, drawn=(*s.drawn[:-1], s.reserves[0])), "drawn 6: the sample has "),
        (lambda s: replace(s, drawn=(replace(s.drawn[0], name="x"), *s.drawn[1:])), ": another name"),
        (lambda s: replace(s, drawn=(replace(s.drawn[0], key="0" * 64), *s.drawn[1:])), ": another key"),
        (lambda s: replace(s, reserves=s.reserves[::-1]), "reserves 7: the sample has "),
        (lambda s: replace(s, reserves=()), "reserves: the sample has 0, the draw gives "),
        (lambda s: replace(s, parts=s.parts[1:]), "the sample says there is none, the report gives "),
        (lambda s: replace(s, parts=(*s.parts, s.parts[0])), "strata: one stands in the sample twice"),
        (lambda s: replace(s, strata=("owner",)), "stratum "),
    ],
    ids=[
        "seed", "digest", "population", "size", "order", "one-left-out", "one-exchanged", "renamed", "key",
        "reserves", "no-reserves", "stratum-left-out", "stratum-twice", "other-strata",
    ],
)  # fmt: skip
def test_a_sample_that_is_not_the_one_is_named(change, expected) -> None:
    report = sampled()
    found = differences(change(report.sample), report.population)
    assert any(expected in one for one in found), found


def test_a_large_population_is_drawn_in_the_same_way() -> None:
    by = random.Random(1)
    population = [row(str(number), environment=by.choice(["prod", "dev", None])) for number in range(20_000)]
    sample = draw(population, 25, SEED, ["environment"])
    assert [part.drawn for part in sample.parts] in ([9, 8, 8], [8, 9, 8], [8, 8, 9])
