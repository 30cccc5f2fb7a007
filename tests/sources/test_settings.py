"""Every mistake in a source's settings is found, placed and said in one go."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from keyaudit.errors import PolicyError
from keyaudit.sources import SOURCES, check_settings, open_source
from keyaudit.sources.aws.secrets_manager.settings import AwsSecretsManagerSettings
from keyaudit.times import SECOND

EVERY = ", ".join(SOURCES)
LEAST = {"name": "production", "kind": "aws-secrets-manager"}
NO_ENDPOINT = "neither https://HOST nor http:// on this machine; requests carry credentials"

WRONG = [
    ({"region": ["eu-west-1"]}, ("region",), "unknown setting; did you mean regions?"),
    ({"zebra": 1}, ("zebra",), "unknown setting"),
    ({"regions": []}, ("regions",), "name at least one region, or write `all`"),
    ({"regions": ["eu-west"]}, ("regions", 0), "not a region such as eu-west-1"),
    ({"regions": ["eu-west-1", "eu-west-1"]}, ("regions",), "lists one thing twice"),
    (
        {"accounts": [111122223333]},
        ("accounts", 0),
        "an account id needs quotes, or its leading zeros are lost",
    ),
    ({"accounts": ["12"]}, ("accounts", 0), "neither a 12-digit account id nor a role ARN"),
    (
        {"accounts": ["arn:aws:iam::1:role/x"]},
        ("accounts", 0),
        "neither a 12-digit account id nor a role ARN",
    ),
    (
        {"accounts": ["111122223333", "arn:aws:iam::111122223333:role/other"]},
        ("accounts",),
        "lists one thing twice",
    ),
    (
        {"role": "arn:aws:iam::111122223333:role/x"},
        ("role",),
        "not a role name; write a full ARN under `accounts`",
    ),
    ({"depth": "deep"}, ("depth",), "Input should be 'versions' or 'list'"),
    ({"requests_per_second": 0}, ("requests_per_second",), "Input should be greater than 0"),
    ({"timeout": "soon"}, ("timeout",), "not a duration such as 30d, 24h, 2w or 90m"),
    ({"timeout": 30}, ("timeout",), "a duration has a unit: write 30s, 5m or 24h"),
    ({"timeout": 0.5}, ("timeout",), "a duration has a unit: write 30s, 5m or 24h"),
    ({"timeout": True}, ("timeout",), "a duration has a unit: write 30s, 5m or 24h"),
    ({"endpoint_url": "ftp://x"}, ("endpoint_url",), NO_ENDPOINT),
    ({"endpoint_url": "http://aws.example"}, ("endpoint_url",), NO_ENDPOINT),
    ({"endpoint_url": "https://user@aws.example"}, ("endpoint_url",), NO_ENDPOINT),
    ({"kind": "aws-secret-manager"}, ("kind",), "no such source; did you mean aws-secrets-manager?"),
    ({"kind": "ftp"}, ("kind",), f"no such source; write one of {EVERY}"),
    ({"kind": None}, ("kind",), f"is missing: write one of {EVERY}"),
]


@pytest.mark.parametrize(("change", "path", "message"), WRONG, ids=[str(case[0]) for case in WRONG])
def test_a_mistake_is_placed_and_said(change: dict, path: tuple, message: str) -> None:
    assert [(each.path, each.message) for each in check_settings({**LEAST, **change})] == [(path, message)]


def test_all_mistakes_at_once() -> None:
    with pytest.raises(PolicyError) as caught:
        open_source({**LEAST, "depth": 3, "attempts": 0, "colour": "red"}, clock=lambda: 0)
    assert {problem.field for problem in caught.value.problems} == {"depth", "attempts", "colour"}
    assert caught.value.exit_code == 2


def test_the_least_is_enough() -> None:
    settings = AwsSecretsManagerSettings.model_validate(LEAST)
    assert settings.every_region
    assert (settings.depth, settings.requests_per_second, settings.timeout) == ("versions", 20, 30 * SECOND)
    assert open_source(LEAST, clock=lambda: 0).name == "production"


def test_spellings() -> None:
    read = AwsSecretsManagerSettings.model_validate
    assert read({**LEAST, "regions": "all"}).every_region
    assert read({**LEAST, "regions": "eu-west-1"}).regions == ("eu-west-1",)
    assert read({**LEAST, "regions": ["us-gov-east-1", "ap-southeast-4"]}).regions[1] == "ap-southeast-4"
    assert read({**LEAST, "timeout": "500ms"}).timeout == SECOND // 2
    assert read({**LEAST, "cache": "kept"}).cache == Path("kept")


def run(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_the_table_of_sources_costs_no_provider_library() -> None:
    loaded = run("import sys, keyaudit.sources; print(*sys.modules)").split()
    assert not {"botocore", "boto3", "pydantic", "polars"} & set(loaded)


def test_a_missing_library_is_one_line_that_names_the_extra() -> None:
    said = run(
        "import sys; sys.modules['botocore'] = None\n"
        "from keyaudit.sources import open_source; from keyaudit.errors import MissingExtraError\n"
        f"source = open_source({LEAST!r}, clock=lambda: 0)\n"
        "try: source.pull(print)\n"
        "except MissingExtraError as error: print(error, '|', error.hint)"
    )
    assert (
        said == "listing AWS credentials needs an extra that is not installed | pip install 'keyaudit[aws]'"
    )
