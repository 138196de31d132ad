"""moto in place of AWS, for the tests that hold an adapter and its double to one contract."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any
from unittest import mock

import boto3
from jsonpath_ng.parser import JsonPathParser
from moto import mock_aws

from local.aws.clients import spared_clients

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "eu-west-1"}


@contextmanager
def remembered_grammars() -> Iterator[None]:
    """moto's paths are parsed by jsonpath_ng, which builds the tables of its grammar again for each, in 12 ms:
    meanwhile it remembers them. A parser keeps a stack of its own: paths are parsed in several threads.
    """
    built, known = JsonPathParser.__init__, dict[type, JsonPathParser]()

    def init(self: JsonPathParser, debug: bool = False, lexer_class: Any = None) -> None:
        first = known.get(type(self))
        if first is None:
            built(self, debug, lexer_class)
            known[type(self)] = self
        else:
            vars(self).update(vars(first), parser=copy(first.parser))

    with mock.patch.object(JsonPathParser, "__init__", init):
        yield


@contextmanager
def moto_session() -> Iterator[boto3.Session]:
    """A session of its own: boto3's default one would keep these credentials for other tests."""
    with mock.patch.dict(os.environ, CREDENTIALS), spared_clients(), mock_aws():
        yield boto3.Session()
