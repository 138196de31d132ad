"""The environment of the local endpoint's clients, without any of the user's settings.

A developer's shell may configure botocore with other endpoints, profiles, FIPS, proxies, certificates, and files in the
home folder with more of them. Each could redirect or break a request to the embedded AWS. While an endpoint runs, all
of them are hidden from this process and its child processes; afterwards they are restored. Commands for operators
start no endpoint, so they use the user's environment.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

from botocore import configprovider
from botocore.loaders import Loader

#: Marks clients of the local endpoint: requests with this key are never sent to the network.
ACCESS_KEY = "LOCALLOCALLOCALLOCAL"

#: Variables of AWS's and boto's libraries, moto, ``urllib`` and ``requests``.
_USERS = re.compile(r"AWS_.*|_X_AMZN_TRACE_ID|BOTO.*|MOTO_.*|(?i:[a-z]+_proxy)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE")


@contextmanager
def clean_environment(region: str) -> Iterator[None]:
    """Inside, ``os.environ`` and botocore's search path have none of the user's settings, but fake credentials and
    ``region``.
    """
    before = {name: value for name, value in os.environ.items() if is_users(name)}
    models = Loader.CUSTOMER_DATA_PATH
    _replace(before, _own(region))
    Loader.CUSTOMER_DATA_PATH = os.devnull  # else ~/.aws/models
    try:
        yield
    finally:
        Loader.CUSTOMER_DATA_PATH = models
        _replace([name for name in os.environ if is_users(name)], before)


def is_users(name: str) -> bool:
    """Whether an environment variable would affect botocore."""
    return _USERS.fullmatch(name) is not None or name in botocore_variables()


@cache
def botocore_variables() -> frozenset[str]:
    """The variables in botocore's tables of its settings."""
    tables: list[Mapping[str, Any]] = [
        table for name, table in vars(configprovider).items() if name.isupper() and isinstance(table, dict)
    ]
    found: set[str] = set()
    for table in tables:
        for _, variables, _, _ in table.values():
            found.update([variables] if isinstance(variables, str) else variables or ())
    return frozenset(found)


def _own(region: str) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        # anything but a regular file counts as absent; without these, ~/.aws and ~/.boto would be read
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "BOTO_CONFIG": os.devnull,
    }


def _replace(gone: Iterable[str], put: Mapping[str, str]) -> None:
    for name in gone:
        os.environ.pop(name, None)
    os.environ.update(put)
