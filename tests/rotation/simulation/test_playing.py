"""A simulated year, looked at credential by credential."""

from __future__ import annotations

from dataclasses import replace

import pytest

from keyaudit.rotation.secret import Secret
from keyaudit.rotation.simulation.faults import FAULTS, Faults, Outages, leaks_of, luck_of
from keyaudit.rotation.simulation.fleet import HABITS, Subject
from keyaudit.rotation.simulation.playing import EVERY, REACTION, Setting, play_all
from keyaudit.rotation.simulation.story import Story
from keyaudit.rotation.simulation.tally import Tally, tally
from keyaudit.rotation.simulation.world import Application, World
from keyaudit.times import DAY, HOUR, MINUTE, SECOND
from rotation.stores.walking import base_of

START = 20_000 * DAY
SETTING = Setting(START, 365, 1, FAULTS["none"])
OURS = {"new-key-dead", "discarded", "retired"}
"""Why applications may never be refused: each would be the machine's own doing."""


def fleet(number: int = 20, period: int = 30 * DAY, grace: int = 2 * DAY) -> list[Subject]:
    return [
        Subject(f"key-{n}", "production", "production", period, grace, n * period // number, 1 + n % 3)
        for n in range(number)
    ]


def played(faults: Faults, seed: int = 1, number: int = 20) -> list[Story]:
    return list(play_all(fleet(number), replace(SETTING, faults=faults, seed=seed)))


def test_in_a_year_without_faults_nothing_is_late_and_nobody_is_refused() -> None:
    whole, _ = tally(played(FAULTS["none"]), 365)
    assert whole.refused == {}
    assert whole.late == 0
    assert (whole.rollbacks, whole.emergencies, whole.discarded, whole.orphans) == (0, 0, 0, 0)
    assert 20 * 12 <= whole.rotations <= 20 * 13, "30 days less the day that it begins earlier"
    assert whole.availability == 1
    assert HOUR <= whole.overlap_mean <= whole.overlap_max <= DAY + 3 * HOUR


@pytest.mark.parametrize("seed", range(3))
def test_in_a_bad_year_nobody_is_refused_by_the_machines_own_doing(seed: int) -> None:
    whole, _ = tally(played(FAULTS["many"], seed, 8), 365)
    assert set(whole.refused) <= {"emergency", "revoked-early"}
    assert whole.orphans == 0
    assert whole.blocked == 0
    assert whole.rollbacks > 0
    assert whole.killed > 0
    assert whole.unreachable > 0
    assert whole.discarded > 0


@pytest.mark.parametrize(
    ("faults", "sign"),
    [
        (Faults(new_key_dead=0.5), "discarded"),
        (Faults(revoked_early=1.0), "emergencies"),
        (Faults(partial_rollout=1.0), "beyond_grace"),
        (Faults(runner_killed=1.0), "killed"),
        (Faults(propagation_lag=1.0), "rollbacks"),
        (Faults(leak=1.0), "exposure_max"),
        (Faults(manager_outages=200), "unreachable"),
        (Faults(provider_outages=2000), "unreachable"),
    ],
    ids=["new-key-dead", "revoked-early", "partial-rollout", "killed", "lag", "leak", "manager", "provider"],
)
def test_each_fault_alone_shows_and_none_of_them_makes_the_machine_refuse_anybody(
    faults: Faults, sign: str
) -> None:
    none = Tally(90)
    whole, _ = tally(play_all(fleet(8), replace(SETTING, days=90, faults=faults)), 90)
    assert getattr(whole, sign) > getattr(none, sign)
    assert not OURS & set(whole.refused)
    assert whole.orphans == 0


def test_a_provider_whose_keys_never_work_leaves_every_application_on_its_old_key() -> None:
    overdue = [replace(subject, age=31 * DAY) for subject in fleet(3)]
    stories = list(play_all(overdue, replace(SETTING, days=3, faults=Faults(new_key_dead=1.0))))
    assert [story.rotations for story in stories] == [0, 0, 0]
    assert all(story.refused == {} and story.late for story in stories)


def test_a_leaked_key_is_ended_a_quarter_of_an_hour_after_somebody_noticed() -> None:
    stories = list(play_all(fleet(10), replace(SETTING, faults=Faults(leak=1.0))))
    exposures = [exposure for story in stories for exposure in story.exposures]
    assert len(exposures) == 10
    assert max(exposures) <= REACTION
    assert all(set(story.refused) <= {"emergency"} for story in stories)


def test_the_same_seed_plays_the_same_year_at_any_time_and_another_one_another() -> None:
    bad = replace(SETTING, faults=FAULTS["many"], days=120)
    first, again, later, other = (
        tally(play_all(fleet(6), setting), 120)[0].document()
        for setting in (bad, bad, replace(bad, start=START + 12_345_678), replace(bad, seed=2))
    )
    assert first == again == later
    assert first != other


def test_what_is_drawn_for_a_credential_does_not_depend_on_how_likely_faults_are() -> None:
    some, many = (luck_of(FAULTS[name], 7, "key", 3) for name in ("some", "many"))
    assert (some.after, some.key_in_use) == (many.after, many.key_in_use)
    for number in range(200):
        one, other = (luck_of(FAULTS[name], 7, "key", number) for name in ("some", "many"))
        assert other.broken or not one.broken, "what happens seldom also happens often"
        assert one.stuck_for in {None, other.stuck_for}


def test_leaks_and_outages_go_on_after_the_first_year() -> None:
    assert len(leaks_of(Faults(leak=1.0), 1, "key", 3 * 365)) == 3
    outages = Outages(5, 1, "manager", START, 2 * 365)
    assert len(outages._begins) == 10
    assert outages._begins[-1] > START + 365 * DAY


def test_what_is_away_is_away_until_its_end_and_not_after() -> None:
    outages = Outages(1, 1, "manager", START)
    begin, end = outages._begins[0], outages._ends[0]
    assert 5 * MINUTE <= end - begin <= 2 * HOUR
    assert [outages.up_from(at) for at in (begin - 1, begin, end - 1, end)] == [begin - 1, end, end, end]


def test_a_rotation_is_late_when_nothing_can_be_reached_for_too_long() -> None:
    class Never(Outages):
        def up_from(self, instant: int) -> int:
            return instant if instant < START + DAY else max(instant, START + 1000 * DAY)

    from keyaudit.rotation.simulation.playing import play

    up = Outages(0, 1, "up", START)
    subject = replace(fleet(1)[0], age=20 * DAY)
    story = play(subject, replace(SETTING, days=40), Never(0, 1, "down", START), up)
    assert story.late == [30 * DAY]
    assert story.rotations == 0
    assert story.unreachable > 0


# Applications between two changes, worked out by hand.


def world(habit: str, phase: int) -> World:
    made = World(fleet(1)[0], 1, START, Outages(0, 1, "manager", START))
    wanted = next(each for each in HABITS if each.name == habit)
    made.applications = [Application(wanted, START + phase, made.store.served())]
    return made


def replaced(made: World) -> None:
    """Serve another value from now on, as a run would."""
    minted = made.provider.mint("t", set())
    token = made.store.look().token
    made.store.stage(token, Secret(minted.parts["key"]), minted.key_id, base=base_of(made.store, "key-1"))
    made.store.decide(token, "forward", True)
    made.store.promote(token)


def test_an_application_goes_on_with_its_value_until_it_fetches_the_next() -> None:
    made = world("worker", 20 * MINUTE)
    replaced(made)
    made.advance(START + 20 * MINUTE - 1)
    assert made.applications[0].held.reveal() == "value-1"
    made.advance(START + 20 * MINUTE)
    assert made.applications[0].held.reveal() == "value-2"
    assert made.provider.last_use("key-1").last_used_at == START + 20 * MINUTE
    assert made.refused == {}


def test_an_application_whose_key_died_is_refused_until_it_asks_again_or_fetches() -> None:
    made = world("worker", 20 * MINUTE)
    replaced(made)
    made.provider.revoke("key-1")
    made.ended("key-1", "revoked-early")
    made.advance(START + 30 * SECOND)
    made.advance(START + HOUR)
    assert made.refused == {"revoked-early": MINUTE}

    made = world("nightly", 20 * MINUTE)
    replaced(made)
    made.provider.revoke("key-1")
    made.advance(START + HOUR)
    assert sum(made.refused.values()) == 20 * MINUTE, "it does not ask before its time"


def test_an_application_whose_key_died_without_another_is_refused_all_the_time() -> None:
    made = world("service", 0)
    made.provider.revoke("key-1")
    made.ended("key-1", "emergency")
    made.ended("key-1", "retired")
    made.advance(START + 3 * HOUR)
    assert made.refused == {"emergency": 3 * HOUR}, "the first reason counts"
    replaced(made)
    made.advance(START + 4 * HOUR)
    assert made.refused == {"emergency": 3 * HOUR + MINUTE}


def test_an_application_that_is_stuck_fetches_nothing_until_it_is_not() -> None:
    made = world("service", 0)
    made.applications[0].stuck_until = START + 5 * HOUR
    replaced(made)
    made.advance(START + 5 * HOUR)
    assert made.applications[0].held.reveal() == "value-1"
    made.advance(START + 5 * HOUR + 5 * MINUTE)
    assert made.applications[0].held.reveal() == "value-2"


def test_while_the_manager_is_away_an_application_fetches_at_its_first_time_after() -> None:
    made = world("worker", 20 * MINUTE)
    made.manager = Outages(0, 1, "manager", START)
    made.manager._begins, made.manager._ends = [START + 10 * MINUTE], [START + 100 * MINUTE]
    replaced(made)
    made.advance(START + 2 * HOUR)
    assert made.applications[0].held.reveal() == "value-1"
    made.advance(START + 2 * HOUR + 20 * MINUTE)
    assert made.applications[0].held.reveal() == "value-2"


def test_a_tally_counts_what_is_beyond_the_grace_of_each() -> None:
    strict, lax = fleet(1, grace=HOUR)[0], replace(fleet(1)[0], grace_period=None, environment=None)
    whole, parts = tally([Story(strict, overlaps=[HOUR, HOUR + 1]), Story(lax, overlaps=[DAY])], 1)
    assert whole.beyond_grace == 1
    assert whole.overlap_max == DAY
    assert list(parts) == ["not known", "production"]
    assert Tally(1).overlap_mean == 0
    assert EVERY == HOUR
