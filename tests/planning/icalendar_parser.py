"""A strict reader of iCalendar (RFC 5545), as far as a calendar of whole-day events goes; refuses the rest."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

NAME = re.compile(r"[A-Z][A-Z0-9-]*")
LINE = re.compile(
    r'(?P<name>[A-Z0-9-]+)(?P<params>(?:;[A-Z0-9-]+=(?:"[^"\x00-\x1f]*"|[^";:,\x00-\x1f]*))*):(?P<value>.*)'
)
ESCAPED = re.compile(r"\\([\\;,nN])")
DATE, STAMP = re.compile(r"\d{8}"), re.compile(r"\d{8}T\d{6}Z")
ONCE = {"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "DESCRIPTION", "TRANSP"}
NEEDED = {"UID", "DTSTAMP", "DTSTART"}


@dataclass
class Component:
    kind: str
    properties: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    parts: list[Component] = field(default_factory=list)


def parse(content: bytes) -> Component:
    """Give the calendar; raises ValueError at the first thing that the RFC does not allow."""
    if not content.endswith(b"\r\n"):
        raise ValueError("the last line is not ended")
    physical = content[:-2].split(b"\r\n")
    for line in physical:
        if b"\r" in line or b"\n" in line:
            raise ValueError("a line is ended by other than CRLF (3.1)")
        if len(line) > 75:
            raise ValueError("a line has more than 75 octets (3.1)")
        line.decode()  # a fold inside a character is no UTF-8
    lines = content[:-2].replace(b"\r\n ", b"").replace(b"\r\n\t", b"").decode().split("\r\n")
    stack = [Component("")]
    for text in lines:
        found = LINE.fullmatch(text)
        if found is None or re.search(r"[\x00-\x08\x0a-\x1f\x7f]", text):
            raise ValueError(f"no content line: {text!r}")
        name, value = found["name"], found["value"]
        if name == "BEGIN":
            stack.append(Component(value))
        elif name == "END":
            ended = stack.pop()
            if ended.kind != value:
                raise ValueError(f"{value} ends where {ended.kind} began")
            _check(ended)
            stack[-1].parts.append(ended)
        else:
            _take(stack[-1], name, found["params"], value)
    if len(stack) != 1 or [part.kind for part in stack[0].parts] != ["VCALENDAR"]:
        raise ValueError("not one calendar")
    return stack[0].parts[0]


def _take(component: Component, name: str, parameters: str, value: str) -> None:
    if name in component.properties:
        raise ValueError(f"{name} twice in one {component.kind}")
    if name in {"SUMMARY", "DESCRIPTION"}:
        if re.search(r"(?<!\\)(?:\\\\)*[;,]", value) or re.search(r"\\", ESCAPED.sub("", value)):
            raise ValueError(f"{name} is not escaped (3.3.11): {value!r}")
        value = ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)
    component.properties[name], component.parameters[name] = value, parameters


def _check(component: Component) -> None:
    of = component.properties
    if component.kind == "VCALENDAR":
        if of.get("VERSION") != "2.0" or not of.get("PRODID") or not component.parts:
            raise ValueError("a calendar has VERSION 2.0, a PRODID and a component (3.6)")
        uids = [part.properties["UID"] for part in component.parts if part.kind == "VEVENT"]
        if len(uids) != len(set(uids)):
            raise ValueError("a UID twice")
    elif component.kind == "VEVENT":
        if not of.keys() >= NEEDED or of.keys() - ONCE:
            raise ValueError(f"an event has {sorted(of)}")
        if not STAMP.fullmatch(of["DTSTAMP"]):
            raise ValueError("DTSTAMP is in UTC (3.8.7.2)")
        for name in ("DTSTART", "DTEND"):
            if component.parameters[name] != ";VALUE=DATE" or not DATE.fullmatch(of[name]):
                raise ValueError(f"{name} is no date")
        if of["DTEND"] <= of["DTSTART"]:
            raise ValueError("DTEND is later than DTSTART (3.8.2.2)")
    elif component.kind == "VTIMEZONE" and (not of.get("TZID") or not component.parts):
        raise ValueError("a time zone has a TZID and an observance (3.6.5)")
