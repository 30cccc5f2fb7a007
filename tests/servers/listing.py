"""A fast, canned Secrets Manager: pages are serialised once, so that a client's own time is what shows.

Answers ListSecrets, ListSecretVersionIds and sts GetCallerIdentity; any region, any credentials. It
runs in a process of its own, because a server in the client's process would slow it down:

    python -m servers.listing --secrets 10000 [--latency 0.03] [--quota 500]

prints its URL as the first line. `--quota` is calls a second, above which it throttles.
`GET /asked` gives how often each operation was answered, and how many were throttled.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ACCOUNT = "111122223333"
REGION = "eu-west-1"
PAGE = 100
_IDENTITY = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    f"<Arn>arn:aws:iam::{ACCOUNT}:user/auditor</Arn><UserId>AIDA</UserId><Account>{ACCOUNT}</Account>"
    "</GetCallerIdentityResult></GetCallerIdentityResponse>"
)


def entry(number: int, now: float) -> dict[str, object]:
    """A SecretListEntry with every field that a rotated production secret has."""
    changed = now - 86_400.0 * (number % 300 + 1) - 0.123
    return {
        "ARN": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:app/{number}/key-AbCdEf",
        "Name": f"app/{number}/key",
        "Description": "a key of an application, described as people describe keys",
        "RotationEnabled": True,
        "RotationLambdaARN": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:rotate",
        "RotationRules": {"AutomaticallyAfterDays": 30, "ScheduleExpression": "rate(30 days)"},
        "LastRotatedDate": changed,
        "LastChangedDate": changed,
        "LastAccessedDate": now // 86_400 * 86_400 - 86_400.0,
        "NextRotationDate": changed + 30 * 86_400,
        "CreatedDate": changed - 400 * 86_400,
        "Tags": [
            {"Key": "environment", "Value": "production"},
            {"Key": "owner", "Value": "payments@acme.example"},
        ],
        "SecretVersionsToStages": {f"{number:032x}": ["AWSCURRENT"], f"{number + 1:032x}": ["AWSPREVIOUS"]},
    }


def pages(secrets: int, now: float) -> list[bytes]:
    result = []
    for start in range(0, secrets, PAGE):
        page: dict[str, object] = {
            "SecretList": [entry(n, now) for n in range(start, min(start + PAGE, secrets))]
        }
        if start + PAGE < secrets:
            page["NextToken"] = f"page-{start // PAGE + 1}"
        result.append(json.dumps(page).encode())
    return result or [b'{"SecretList": []}']


def versions(body: bytes, now: float) -> bytes:
    arn = json.loads(body)["SecretId"]
    number = int(arn.split("/")[1])
    created = now - 86_400.0 * (number % 300 + 1) - 0.123
    dates = {"CreatedDate": created, "LastAccessedDate": now // 86_400 * 86_400 - 86_400.0}
    listed = [
        {"VersionId": f"{number:032x}", "VersionStages": ["AWSCURRENT"], **dates},
        {
            "VersionId": f"{number + 1:032x}",
            "VersionStages": ["AWSPREVIOUS"],
            "CreatedDate": created - 2_592_000,
        },
    ]
    return json.dumps({"ARN": arn, "Name": "x", "Versions": listed}).encode()


class Listing(asyncio.Protocol):
    def __init__(
        self, canned: list[bytes], now: float, latency: float, quota: Quota, asked: Counter[str]
    ) -> None:
        self._canned, self._now, self._latency, self._quota = canned, now, latency, quota
        self._asked = asked
        self._buffer = b""

    def connection_made(self, transport):
        self._transport = transport

    def data_received(self, data):
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0)
            if len(self._buffer) < end + 4 + length:
                return
            body = self._buffer[end + 4 : end + 4 + length]
            self._buffer = self._buffer[end + 4 + length :]
            answer = self._answer(head, body)
            asyncio.get_running_loop().call_later(self._latency, self._transport.write, answer)

    def _answer(self, head: bytes, body: bytes) -> bytes:
        if head.startswith(b"get /asked"):
            return _response(200, json.dumps(self._asked).encode())
        if b"action=getcalleridentity" in body.lower():
            return _response(200, _IDENTITY.encode())
        if not self._quota.allows():
            self._asked["throttled"] += 1
            return _response(400, b'{"__type": "ThrottlingException"}')
        if b".listsecretversionids" in head:
            self._asked["ListSecretVersionIds"] += 1
            return _response(200, versions(body, self._now))
        self._asked["ListSecrets"] += 1
        token = json.loads(body or b"{}").get("NextToken", "page-0")
        return _response(200, self._canned[int(token.removeprefix("page-"))])


class Quota:
    """So many calls a second, with one second's worth saved up at most."""

    def __init__(self, per_second: float | None) -> None:
        self._rate = per_second
        self._left = per_second or 0.0
        self._at = time.monotonic()

    def allows(self) -> bool:
        if self._rate is None:
            return True
        now = time.monotonic()
        self._left = min(self._rate, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


def _response(status: int, body: bytes) -> bytes:
    return b"HTTP/1.1 %d OK\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: %d\r\n\r\n%b" % (
        status,
        len(body),
        body,
    )


async def serve(secrets: int, latency: float, quota: float | None) -> None:
    now = time.time()
    canned, bucket, asked = pages(secrets, now), Quota(quota), Counter[str]()
    server = await asyncio.get_running_loop().create_server(
        lambda: Listing(canned, now, latency, bucket, asked), "127.0.0.1", 0
    )
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


@contextmanager
def listing_server(secrets: int, *, latency: float = 0.0, quota: float | None = None) -> Iterator[str]:
    """Run the server in a process of its own; gives its URL."""
    options = [
        "--secrets",
        str(secrets),
        "--latency",
        str(latency),
        *(["--quota", str(quota)] if quota else []),
    ]
    with subprocess.Popen(
        [sys.executable, "-m", "servers.listing", *options],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def asked(url: str) -> dict[str, int]:
    """Say how often a running server has answered what."""
    with urllib.request.urlopen(f"{url}/asked", timeout=30) as answer:
        return json.load(answer)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--secrets", type=int, default=10_000)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--quota", type=float, help="calls a second")
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.secrets, arguments.latency, arguments.quota))


if __name__ == "__main__":
    main()
