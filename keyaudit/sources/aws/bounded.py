"""An end to every answer: botocore by itself reads as much as a server cares to send.

There is no setting for that and no event between the head of an answer and its body, so this is the
one place that reaches behind the public names of botocore, for the HTTP session of a client.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

from keyaudit.sources.aws.botocore import botocore
from keyaudit.sources.pulling.refusals import Kind, RefusedError
from keyaudit.sources.pulling.web import LARGEST_ANSWER


def bounded(client: Any) -> Any:
    """Give a client back whose calls raise RefusedError for an answer that is too large to be one."""
    session = client._endpoint.http_session  # noqa: SLF001 - see above
    session.send = _sending(session.send)
    return client


def _sending(send: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def sent(request: Any) -> Any:
        request.stream_output = True  # or the session reads the body before it can be counted
        response = send(request)
        response.raw = _Body(response.raw, request)
        _ = response.content  # read now: here botocore expects that something goes wrong
        return response

    return sent


class _Body:
    """The body of an answer, in the one way that botocore reads it."""

    def __init__(self, raw: Any, request: Any) -> None:
        self._raw = raw
        self._request = request

    def stream(self) -> Iterator[bytes]:
        """Give the body in parts; raises what the session raises, and RefusedError if it goes on too long."""
        exceptions, broken = botocore("exceptions"), importlib.import_module("urllib3.exceptions")
        url = self._request.url
        size = 0
        try:
            for part in self._raw.stream():
                size += len(part)
                if size > LARGEST_ANSWER:
                    self._raw.close()
                    raise RefusedError(Kind.OTHER, saying="the answer was far too large")
                yield part
        except broken.ReadTimeoutError as error:
            raise exceptions.ReadTimeoutError(endpoint_url=url, error=error) from None
        except broken.HTTPError as error:
            raise exceptions.ConnectionClosedError(
                endpoint_url=url, error=error, request=self._request
            ) from None
