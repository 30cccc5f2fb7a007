#!/usr/bin/env python3
"""An application with the key that is rotated: reads it anew for each request, and counts what fails.

    python application.py

Ctrl-C ends it. A real one keeps the value for a while instead of reading it each time, such as five
minutes; `window` in keyaudit.yaml must then be longer than that.
"""

import json
import sys
import time

import boto3
from openai import OpenAI, OpenAIError

SECRETS = boto3.client("secretsmanager", region_name="eu-west-1", endpoint_url="http://127.0.0.1:4701")


def current() -> tuple[str, str]:
    """Give the value that is current now, and the id of its version; never AWSPENDING."""
    found = SECRETS.get_secret_value(SecretId="prod/openai", VersionStage="AWSCURRENT")
    return json.loads(found["SecretString"])["OPENAI_API_KEY"], found["VersionId"]


def answered(key: str) -> bool:
    """Say whether OpenAI answers to a key."""
    with OpenAI(api_key=key, base_url="http://127.0.0.1:4707/v1", max_retries=0) as client:
        try:
            client.chat.completions.create(model="gpt-5", messages=[{"role": "user", "content": "hello"}])
        except OpenAIError:
            return False
    return True


def main() -> None:
    """Ask once a second until Ctrl-C, and say so."""
    count = {True: 0, False: 0}
    try:
        while True:
            key, version = current()
            count[answered(key)] += 1
            now = time.strftime("%H:%M:%S", time.gmtime())
            sys.stdout.write(f"{now}  ok {count[True]}  FAILED {count[False]}  version {version[:14]}\n")
            sys.stdout.flush()
            time.sleep(1)
    except KeyboardInterrupt:
        sys.stdout.write(f"\n{count[True]} requests were answered, {count[False]} failed\n")


if __name__ == "__main__":
    main()
