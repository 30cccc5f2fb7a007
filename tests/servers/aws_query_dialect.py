"""AWS's query protocol for the fault proxy: forms go in, XML comes out; a scope is an account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qsl, urlencode
from xml.etree import ElementTree as ET

from servers.aws_dialect import LEAKY_MESSAGE, asked
from servers.breakages import ANYWHERE, OWN_TOKEN, answers
from servers.fault_proxy import Asked, Breakage
from servers.iam import XMLNS, account_of_key

ET.register_namespace("", XMLNS)
_TAG = f"{{{XMLNS}}}"


def xml_error(status: int, code: str, message: str = "no") -> Breakage:
    """Give an error as the query protocol spells it."""
    hidden = message.replace("&", "&amp;").replace("<", "&lt;")
    body = (
        f'<ErrorResponse xmlns="{XMLNS}"><Error><Type>Sender</Type><Code>{code}</Code>'
        f"<Message>{hidden}</Message></Error><RequestId>0</RequestId></ErrorResponse>"
    )
    return answers(status, body, {"Content-Type": "text/xml"})


def xml_page(change: Callable[[ET.Element, int], None]) -> Breakage:
    """Change the result in the server's answer; `change` also gets how often this fault was considered."""

    def answer(proxy, handler, body, fault):
        status, headers, whole = proxy.forward(handler, body)
        root = ET.fromstring(whole)
        change(root[0], fault.seen)
        handler.answer(status, headers, ET.tostring(root))

    return answer


def goes_on(result: ET.Element, token: str) -> None:
    for name, text in (("IsTruncated", "true"), ("Marker", token)):
        found = result.find(_TAG + name)
        if found is None:
            found = ET.SubElement(result, _TAG + name)
        found.text = text


def listed(result: ET.Element) -> ET.Element:
    """The list of the result: what is neither the end of it nor the token of the next page."""
    return next(child for child in result if child.tag not in {_TAG + "IsTruncated", _TAG + "Marker"})


def listed_again(result: ET.Element, count: int) -> None:
    goes_on(result, f"{OWN_TOKEN}{count}")


def empty(result: ET.Element, count: int) -> None:
    listed(result).clear()
    goes_on(result, f"{OWN_TOKEN}{count}")


def same_token(result: ET.Element, count: int) -> None:
    listed(result).clear()
    goes_on(result, f"{OWN_TOKEN}same")


def no_token(result: ET.Element, count: int) -> None:
    goes_on(result, "")
    result.remove(result.find(_TAG + "Marker"))


def no_list(result: ET.Element, count: int) -> None:
    result.remove(listed(result))


def bad_row(result: ET.Element, count: int) -> None:
    member = listed(result)[0]
    member.remove(member.find(_TAG + "CreateDate"))


def bad_time(result: ET.Element, count: int) -> None:
    listed(result)[0].find(_TAG + "CreateDate").text = "the day before yesterday"


def garbled(result: ET.Element, count: int) -> None:
    result.find(_TAG + "Content").text = "bm8gdGFibGU="


class AwsQuery:
    breakages = {
        **ANYWHERE,
        "denied": xml_error(403, "AccessDenied"),
        "throttled": xml_error(400, "Throttling"),
        "too-many": xml_error(429, "Unheard"),
        "server-error": xml_error(500, "ServiceFailure"),
        "expired": xml_error(403, "ExpiredToken"),
        "bad-signature": xml_error(403, "SignatureDoesNotMatch", LEAKY_MESSAGE),
        "gone": xml_error(404, "NoSuchEntity"),
        "limit": xml_error(409, "LimitExceeded"),
        "hostile-code": xml_error(400, "&#27;&lt;script&gt;alert(1)&lt;/script&gt;"),
        "json-denied": answers(400, '{"__type": "AccessDeniedException"}'),
        "not-in-use": answers(400, '{"__type": "AWSOrganizationsNotInUseException"}'),
        "no-list": xml_page(no_list),
        "wrong-shape": answers(200, "<Unheard/>"),
        "duplicate-page": xml_page(listed_again),
        "empty-page": xml_page(empty),
        "repeated-token": xml_page(same_token),
        "no-token": xml_page(no_token),
        "bad-row": xml_page(bad_row),
        "bad-time": xml_page(bad_time),
        "garbled": xml_page(garbled),
    }

    def asked(self, handler: BaseHTTPRequestHandler, body: bytes) -> Asked:
        found = asked(handler, body)
        return replace(found, scope=account_of_key(found.key))

    def forwarded(self, path: str, body: bytes) -> tuple[str, bytes]:
        if OWN_TOKEN.encode() not in body:
            return path, body
        form = [
            pair
            for pair in parse_qsl(body.decode(), keep_blank_values=True)
            if not pair[1].startswith(OWN_TOKEN)
        ]
        return path, urlencode(form).encode()
