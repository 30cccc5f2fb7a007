"""STS by itself: GetCallerIdentity, for whoever signs with a key that IAM honours.

    with Iam(now) as iam, Sts(iam) as sts: …

It needs no permission and cannot be denied by a policy, as the API reference says of the operation.
"""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler

from servers.aws_front import Answer, AwsServer, Refused
from servers.fault_proxy import Asked
from servers.iam import Iam, spelled_in_xml


class Sts(AwsServer):
    content_type = "text/xml"
    faults = {"throttled": (400, "Throttling"), "server-error": (500, "InternalFailure")}

    def __init__(self, iam: Iam) -> None:
        self.iam = iam
        super().__init__()

    def admit(self, handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        self.iam.authenticate(handler, asked)

    def act(self, asked: Asked) -> Answer:
        if asked.operation != "GetCallerIdentity":
            raise Refused(400, "InvalidAction")
        with self.iam.lock:
            return 200, self.iam.identity(asked.key).encode()

    def spell(self, error: Refused) -> Answer:
        return spelled_in_xml(error)
