"""Signature Version 4 as the servers check it: by hand, from what came over the wire.

Steps and names are those of "Create a signed AWS API request" in the IAM user guide. Not checked is
how old a signature is: the servers' clock is the test's, the client's is the machine's.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote, urlsplit

_HEADER = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<date>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)"
    r"/aws4_request, ?SignedHeaders=(?P<headers>[^,]+), ?Signature=(?P<digest>[0-9a-f]{64})$"
)


@dataclass(frozen=True)
class Signature:
    key: str
    date: str
    region: str
    service: str
    headers: str
    digest: str

    @classmethod
    def read(cls, header: str) -> Self | None:
        """Read an Authorization header; None where it is none of Signature Version 4."""
        found = _HEADER.match(header)
        return None if found is None else cls(**found.groupdict())

    def genuine(self, secret: str, method: str, target: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Say whether who holds `secret` signed exactly this request."""
        scope = f"{self.date}/{self.region}/{self.service}/aws4_request"
        request = self._canonical(method, target, headers, body)
        signed = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, _sha256(request.encode())])
        derived = b"AWS4" + secret.encode()
        for part in (self.date, self.region, self.service, "aws4_request"):
            derived = _hmac(derived, part)
        return hmac.compare_digest(_hmac(derived, signed).hex(), self.digest)

    def _canonical(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> str:
        url = urlsplit(target)
        names = self.headers.split(";")
        values = [f"{name}:{' '.join(headers.get(name, '').split())}\n" for name in names]
        query = "&".join(sorted(url.query.split("&")))
        return "\n".join(
            [method, quote(url.path), query, "".join(values), self.headers, _sha256(body)],
        )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _hmac(key: bytes, message: str) -> bytes:
    return hmac.new(key, message.encode(), hashlib.sha256).digest()
