"""Parameter Store's lists, decoded into just the fields that an audit needs; times are still seconds.

Field meanings: the API reference of DescribeParameters and ListTagsForResource. Only these two
are asked: GetParameterHistory has the dates of every version, and its value beside each of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

from keyaudit.sources.aws.json_lists import JsonList, NonEmpty, Tag, labels_of, told
from keyaudit.sources.pulling.pages import Page

SECURE = [{"Key": "Type", "Option": "Equals", "Values": ["SecureString"]}]


class InlinePolicy(msgspec.Struct, frozen=True, gc=False):
    """One policy of an advanced parameter: a JSON text."""

    text: str = msgspec.field(name="PolicyText")


class Parameter(msgspec.Struct, frozen=True, gc=False):
    """One ParameterMetadata; `version` counts from 1 whenever a parameter of that name is created."""

    arn: NonEmpty = msgspec.field(name="ARN")
    name: NonEmpty = msgspec.field(name="Name")
    version: Annotated[int, msgspec.Meta(ge=1)] = msgspec.field(name="Version")
    modified: float = msgspec.field(name="LastModifiedDate")
    policies: list[InlinePolicy] | None = msgspec.field(name="Policies", default=None)


class _Tags(msgspec.Struct):
    tags: list[Tag] = msgspec.field(name="TagList")


_PARAMETERS = JsonList(Parameter, "Parameters")


def parameters(client: Any) -> Iterator[Page[Parameter]]:
    """List the SecureString parameters.

    The filter spares nothing: AWS cuts pages first and filters then, so that many are empty.
    """

    def ask(**token: str) -> Any:
        return client.describe_parameters(ParameterFilters=SECURE, MaxResults=50, **token)

    return _PARAMETERS.pages(ask)


def tags_of(client: Any, name: str) -> dict[str, str]:
    """List the tags of a parameter, which come at once; raises RefusedError."""

    def ask() -> Any:
        return client.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)

    return labels_of(told(ask, _Tags).tags)
