"""A verification for people: one line a check, its outcome as a sign and as a word."""

from __future__ import annotations

from keyaudit.evidence.verification import Outcome, Verification
from keyaudit.formats.visible import visible
from keyaudit.formats.wording import plural

SIGNS = {Outcome.FITS: "✓", Outcome.WRONG: "✗", Outcome.OPEN: "–"}
ASCII_SIGNS = {Outcome.FITS: "+", Outcome.WRONG: "x", Outcome.OPEN: "-"}
WORDS = {Outcome.FITS: "fits", Outcome.WRONG: "WRONG", Outcome.OPEN: "not checked"}
HEADLINES = {
    Outcome.FITS: "Everything fits.",
    Outcome.WRONG: "Something is wrong.",
    Outcome.OPEN: "Nothing is wrong as far as could be checked, and something could not be.",
}
_WIDTHS = max(map(len, WORDS.values())), 9
LIMIT = (
    "A signature tells who held a key, a replay that the outputs follow from the inputs; neither tells that "
    "the stores told the truth."
)
LONGEST = 1200


def render(found: Verification, *, ascii_only: bool = False) -> bytes:
    """Write the checks of each bundle, then what all of them come to."""
    signs = ASCII_SIGNS if ascii_only else SIGNS
    lines = list[str]()
    for bundle in found.bundles:
        lines.append(visible(bundle.bundle))
        for each in bundle.statements:
            word, check = WORDS[each.outcome].ljust(_WIDTHS[0]), each.check.value.ljust(_WIDTHS[1])
            text = visible(each.text, longest=LONGEST)
            lines.append(f"  {signs[each.outcome]} {word}  {check}  {text}")
        lines.append("")
    counted = plural(len(found.bundles), "bundle")
    lines += [f"{HEADLINES[found.outcome]} ({counted})", LIMIT]
    text = "\n".join(lines) + "\n"
    return text.encode("ascii", "backslashreplace") if ascii_only else text.encode()
