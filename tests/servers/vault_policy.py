"""Vault's ACL policies: read as HCL, decided as the server decides them.

An exact path wins; among the others the one whose first wildcard comes latest, then the one without a
glob at its end, with fewer `+`, the longer, the greater. A denial anywhere in the winning rule denies.
"""

from __future__ import annotations

import re

CAPABILITIES = {"create", "read", "update", "patch", "delete", "list", "sudo", "deny"}
_RULE = re.compile(r'\s*path\s+"((?:[^"\\]|\\.)*)"\s*\{\s*capabilities\s*=\s*\[([^\]]*)\]\s*\}')
_COMMENT = re.compile(r"^\s*#.*$", re.MULTILINE)

Policy = dict[str, set[str]]


class PolicyError(ValueError):
    pass


def parse(text: str, *, openbao: bool = False) -> Policy:
    """Read a policy; an unknown capability is refused, as the server refuses it."""
    known = CAPABILITIES | ({"scan"} if openbao else set())
    rules: Policy = {}
    rest = _COMMENT.sub("", text)
    while rest.strip():
        found = _RULE.match(rest)
        if found is None:
            raise PolicyError(f"not a rule: {rest.strip()[:60]!r}")
        named = set(re.findall(r'"([^"]*)"', found[2]))
        if not named <= known:
            raise PolicyError(f"invalid capability: {sorted(named - known)}")
        rules.setdefault(re.sub(r"\\(.)", r"\1", found[1]), set()).update(named)
        rest = rest[found.end() :]
    return rules


def _is_exact(rule: str) -> bool:
    return not rule.endswith("*") and "+" not in rule.split("/")


def _fits(rule: str, path: str) -> bool:
    glob = rule.endswith("*")
    segments, asked = rule.removesuffix("*").split("/"), path.split("/")
    if glob:
        *segments, last = segments
        if len(asked) <= len(segments) or not asked[len(segments)].startswith(last):
            return False
        asked = asked[: len(segments)]
    return len(segments) == len(asked) and all(
        mine in {"+", theirs} for mine, theirs in zip(segments, asked, strict=True)
    )


def _priority(rule: str) -> tuple[int, bool, int, int, str]:
    wildcards = [place for mark in ("/+", "*") if (place := rule.find(mark)) >= 0] + (
        [0] if rule.startswith("+") else []
    )
    return (
        min(wildcards, default=len(rule)),
        not rule.endswith("*"),
        -rule.split("/").count("+"),
        len(rule),
        rule,
    )


def granted(policy: Policy, path: str) -> set[str]:
    """Give the capabilities on a path; one that ends in a slash is listed or scanned."""
    bare = path.removesuffix("/")
    for tried in (path, bare):
        if tried in policy and _is_exact(tried):
            return policy[tried]
    for tried in dict.fromkeys((bare, path)):
        fitting = [rule for rule in policy if not _is_exact(rule) and _fits(rule, tried)]
        if fitting:
            return policy[max(fitting, key=_priority)]
    return set()


def allows(policy: Policy, capability: str, path: str) -> bool:
    found = granted(policy, path)
    return capability in found and "deny" not in found


def touches(policy: Policy, mount: str) -> bool:
    """Say whether a token can do anything at all with a mount, whose path ends in a slash."""
    return any(
        (rule.startswith(mount) or _fits(rule, mount)) and named and "deny" not in named
        for rule, named in policy.items()
    )
