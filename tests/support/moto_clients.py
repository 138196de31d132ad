"""moto in place of AWS, for the tests that hold an adapter and its double to one contract."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import boto3
from moto import mock_aws

from local.aws.clients import spared_clients

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "eu-west-1"}


@contextmanager
def moto_session() -> Iterator[boto3.Session]:
    """A session of its own: boto3's default one would keep these credentials for other tests."""
    with mock.patch.dict(os.environ, CREDENTIALS), spared_clients(), mock_aws():
        yield boto3.Session()
