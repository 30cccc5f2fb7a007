"""Why a finding about a credential is not the same: each step knows one cause, the first that answers counts.

What only one report can show is decided by elimination: where a single input differs that could
have turned the rule, it did. Otherwise the cause is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from keyaudit.model import Basis, Finding, Verdict
from keyaudit.report_difference import crossings, shifts
from keyaudit.report_difference.changes import Cause, Reason, Shift
from keyaudit.report_difference.inputs import CALLED
from keyaudit.report_difference.sides import Place, Side
from keyaudit.report_difference.waived import by_waiver

RELATED = frozenset({"KA501", "KA502", "KA503"})
"""Rules that compare a credential with others, which may lie in any scope."""
REQUIREMENT = frozenset({"schedule", "rotation_period", "overdue_tolerance", "grace_period"})
_OF_VERSIONS = frozenset(
    {
        "value_created_at",
        "has_pending",
        "pending_for",
        "had_gap",
        "exposed",
        "newest_replaced_at",
        "old_encrypts",
        "old_active_min",
        "old_enabled_min",
        "old_used_min",
        "age_basis",
        "rotated_at",
        "aged_from",
    }
)
"""Evidence that is derived from versions: where a rule shows it, a change of versions may decide."""


@dataclass(frozen=True)
class Pair:
    """One finding on both sides; None where a report has none."""

    old: Side
    new: Side
    before: Finding | None
    after: Finding | None
    inputs: Mapping[Cause, Shift]

    @property
    def finding(self) -> Finding:
        """The newer one, if there is one."""
        found = self.after or self.before
        assert found is not None
        return found

    @property
    def place(self) -> Place:
        """The credential."""
        credential = self.finding.credential
        assert credential is not None
        return credential.source, credential.scope, credential.id


def reasons(pair: Pair) -> tuple[Reason, ...]:
    """Say why; never empty."""
    for step in _STEPS:
        if found := tuple(step(pair)):
            return found
    return (_not_known(pair),)


def by_rule(pair: Pair) -> Iterable[Reason]:
    """Compare what both audits knew of the rule itself: was it there, was it switched on."""
    rule = pair.finding.rule
    one, other = pair.old.rules.get(rule), pair.new.rules.get(rule)
    period = pair.inputs.get(Cause.PERIOD)
    if (one is None or other is None) and rule in crossings.OF_PERIOD and period is not None:
        yield Reason(Cause.PERIOD, "only one of the two audits was of a period", (period,))
    elif one is None or other is None:
        when = "older" if one is None else "newer"
        shift = Shift("tool.version", pair.old.report.version, pair.new.report.version)
        yield Reason(Cause.RULE, f"the {when} report does not have the rule {rule}", (shift,))
    elif one.enabled != other.enabled:
        word = "on" if other.enabled else "off"
        shift = Shift(f"rules.{one.name}.enabled", str(one.enabled).lower(), str(other.enabled).lower())
        yield Reason(Cause.POLICY, f"the policy switched the rule {word}", (shift, *_policies(pair)))


def by_presence(pair: Pair) -> Iterable[Reason]:
    """Look whether both audits saw the credential, and could have."""
    source, scope, _ = pair.place
    if pair.place not in pair.old.rows:
        why = pair.old.unseen(source, scope)
        yield (
            Reason(Cause.INVENTORY, "the credential is new: the older audit read its scope to the end")
            if why is None
            else Reason(Cause.COVERAGE, f"the older audit may not have seen the credential: {why}")
        )
    elif pair.place not in pair.new.rows:
        why = pair.new.unseen(source, scope)
        yield (
            Reason(Cause.INVENTORY, "the credential is gone: the newer audit read its scope to the end")
            if why is None
            else Reason(Cause.COVERAGE, f"the newer audit did not see the credential: {why}")
        )


def by_sight(pair: Pair) -> Iterable[Reason]:
    """Look whether what vanished could have been seen: never call fixed what was not."""
    if pair.after is not None:
        return
    source, scope, _ = pair.place
    if why := pair.new.unseen(source, scope, listed=True):
        yield Reason(Cause.COVERAGE, f"the newer audit did not read everything there: {why}")
        return
    rule = pair.finding.rule
    gap = pair.new.incomplete()
    if rule in RELATED and gap is not None:
        why = f"{gap.source} {gap.scope} was {gap.status}"
        yield Reason(Cause.COVERAGE, f"the credential that it is compared with may not have been seen: {why}")
        return
    lacking = set(pair.new.rules[rule].not_collected) - set(pair.old.rules[rule].not_collected)
    if lacking:
        names = ", ".join(sorted(lacking))
        yield Reason(Cause.COVERAGE, f"the rule could not be asked everywhere: {names} was not collected")


def by_period(pair: Pair) -> Iterable[Reason]:
    """Say that what is asked of a period was asked of another one."""
    if pair.finding.rule in crossings.OF_PERIOD and Cause.PERIOD in pair.inputs:
        yield Reason(Cause.PERIOD, "another period was audited", (pair.inputs[Cause.PERIOD],))


def by_severity(pair: Pair) -> Iterable[Reason]:
    """Explain a failure that is only rated otherwise."""
    one, other = pair.before, pair.after
    if one is None or other is None or one.verdict is not other.verdict or one.severity is other.severity:
        return
    shift = Shift("severity", one.severity, other.severity)
    if (one.basis is Basis.PRACTICE) != (other.basis is Basis.PRACTICE):
        basis = Shift("basis", one.basis, other.basis)
        yield Reason(Cause.INVENTORY, "whose key it is, the customer's or ours, changed", (shift, basis))
        return
    could = [cause for cause in (Cause.POLICY, Cause.RULE) if cause in pair.inputs]
    if len(could) == 1:
        yield Reason(could[0], "the rule is rated otherwise", (shift, pair.inputs[could[0]]))


def by_facts(pair: Pair) -> Iterable[Reason]:
    """Compare what both reports carry of the credential and of what is required of it."""
    same = Cause.POLICY not in pair.inputs
    due = crossings.by_due_date(pair.old, pair.new, pair.place, pair.finding, same_policy=same)
    if due is not None:
        return (due,)
    asked = set(pair.finding.evidence) | (set(pair.before.evidence) if pair.before else set())
    found = [s for s in shifts.facts(pair.old, pair.new, pair.place) if _bears(pair, s, asked)]
    wanted = [
        shift
        for shift in shifts.required(pair.old, pair.new, pair.place, pair.finding.rule)
        if shift.fact in asked or shift.fact not in REQUIREMENT or _tolerates(shift, asked)
    ]
    decided = list(_attributed(pair, found, wanted))
    time = crossings.also(pair.old, pair.new, pair.place, pair.finding) if pair.after else None
    return [*decided, time] if decided and time else decided


def _attributed(pair: Pair, found: list[Shift], wanted: list[Shift]) -> Iterable[Reason]:
    """Say who changed what: only a changed policy, or a changed inventory, can have."""
    by_policy, by_store = Cause.POLICY in pair.inputs, Cause.INVENTORY in pair.inputs
    open_ = [s for s in found if s.fact in shifts.CLASSIFIED and by_policy and by_store]
    classified = [s for s in found if s.fact in shifts.CLASSIFIED and by_policy and not by_store]
    stored = [s for s in found if s not in open_ and s not in classified]
    if wanted and not by_policy and Cause.FRAMEWORK not in pair.inputs:
        stored, wanted = [*stored, *wanted], []  # another schedule matches what changed
    if stored:
        yield Reason(Cause.INVENTORY, "the credential's facts changed", tuple(stored))
    if by_policy and (wanted or classified):
        yield Reason(
            Cause.POLICY, "the policy asks otherwise", (*classified, *wanted, pair.inputs[Cause.POLICY])
        )
    elif wanted:
        shift = pair.inputs[Cause.FRAMEWORK]
        yield Reason(Cause.FRAMEWORK, "other frameworks were asked for", (*wanted, shift))
    if open_:
        because = "the store's word or the policy's classification changed: the reports do not say which"
        yield Reason(Cause.NOT_KNOWN, because, tuple(open_))


def _bears(pair: Pair, shift: Shift, asked: set[str]) -> bool:
    """Say whether a fact can decide the rule: it is in its evidence, or ended the use of the credential."""
    name = shift.fact.partition(",")[0]
    if name in asked:
        return True
    if name != "versions":
        return False
    used = shifts.in_use(pair.old.rows[pair.place]), shifts.in_use(pair.new.rows[pair.place])
    return bool(asked & _OF_VERSIONS) or used[0] != used[1]


def _tolerates(shift: Shift, asked: set[str]) -> bool:
    return shift.fact == "overdue_tolerance" and "rotation_period" in asked


def by_crossing(pair: Pair) -> Iterable[Reason]:
    """Look for a limit of the rule that was reached between the audits, under rules that did not change."""
    rule = pair.finding.rule
    same = Cause.POLICY not in pair.inputs and Cause.FRAMEWORK not in pair.inputs
    one, other = pair.old.limits.get(rule), pair.new.limits.get(rule)
    if not same and (one is None or one != other):
        return
    # What stands only in the newer report tells when it passed; what vanished may have been mended.
    if pair.after is not None and pair.after.verdict is not Verdict.UNKNOWN:
        reason = crossings.by_evidence(pair.old, pair.new, pair.after, of=pair.new)
        if reason is not None:
            yield reason


def by_elimination(pair: Pair) -> Iterable[Reason]:
    """Where one single input differs that could have turned the rule, it did."""
    of_period = pair.finding.rule in crossings.OF_PERIOD
    never = {Cause.CLOCK} if of_period or pair.finding.rule in crossings.TIMELESS else set[Cause]()
    never |= set() if of_period else {Cause.PERIOD, Cause.RECORDS}
    could = [cause for cause in pair.inputs if cause not in never]
    if len(could) == 1:
        because = f"nothing else that could decide differs but {CALLED[could[0]]}"
        yield Reason(could[0], because, (pair.inputs[could[0]],))


def _not_known(pair: Pair) -> Reason:
    could = ", ".join(CALLED[cause] for cause in pair.inputs) or "nothing that they carry"
    because = f"cause not known from these reports: {could} differ and neither shows what decided"
    return Reason(Cause.NOT_KNOWN, because, tuple(pair.inputs.values()))


def _policies(pair: Pair) -> tuple[Shift, ...]:
    return (pair.inputs[Cause.POLICY],) if Cause.POLICY in pair.inputs else ()


def _by_waiver(pair: Pair) -> Iterable[Reason]:
    return by_waiver(pair.old, pair.new, pair.before, pair.after, pair.inputs)


_STEPS: tuple[Callable[[Pair], Iterable[Reason]], ...] = (
    by_rule,
    by_presence,
    by_sight,
    _by_waiver,
    by_severity,
    by_period,
    by_facts,
    by_crossing,
    by_elimination,
)
