"""Spares botocore's clients work whose result nobody on this machine looks at.

Without it half of a run's time goes into that: a description of the service parsed anew for each session (several
megabytes of JSON), a signature and twice a description of the machine for each request. The endpoint checks no
signature, as it says; it reads the credential scope, which stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3
import botocore.session
from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.compat import get_current_datetime
from botocore.loaders import Loader, create_loader
from botocore.useragent import UserAgentString

from local.aws.environment import ACCESS_KEY

#: In place of "Boto3/1.4 md/Botocore#1.4 ua/2.1 os/linux#6.1 md/arch#x86_64 lang/python#3.11 ...".
USER_AGENT = "Botocore/local"
NO_SIGNATURE = "0" * 64

_sign = SigV4Auth.add_auth


@contextmanager
def spared_clients() -> Iterator[None]:
    """For sessions and requests made inside. Enter it after ``clean_environment``, which says where files are."""
    before = botocore.session.create_loader, SigV4Auth.add_auth, UserAgentString.to_string
    botocore.session.create_loader = _loader
    SigV4Auth.add_auth = _add_auth  # type: ignore[method-assign]
    UserAgentString.to_string = lambda self: USER_AGENT  # type: ignore[method-assign]
    try:
        yield
    finally:
        botocore.session.create_loader, SigV4Auth.add_auth, UserAgentString.to_string = before  # type: ignore[method-assign]


def _loader(search_path_string: str | None = None) -> Loader:
    """One for all sessions, as botocore has one for all clients of a session. moto, which changes the descriptions
    that it loads, has a loader of its own.
    """
    return create_loader(search_path_string) if search_path_string else _shared_loader(Loader.CUSTOMER_DATA_PATH)


@cache
def client(service: str, region: str) -> Any:
    """A boto3 client for the runtime's own calls, for the life of the process: making one takes longer than a table.

    Whichever endpoint runs answers it.
    """
    return boto3.client(service, region_name=region)  # type: ignore[call-overload]


@cache
def _shared_loader(_customers: str) -> Loader:
    return create_loader()


def _add_auth(self: Any, request: Any) -> None:
    """All that a signed request has, with a signature that isn't one. Requests of other credentials are signed."""
    if self.credentials is None or self.credentials.access_key != ACCESS_KEY:
        _sign(self, request)
        return
    request.context["timestamp"] = get_current_datetime().strftime(SIGV4_TIMESTAMP)
    self._modify_request_before_signing(request)
    scope = self.scope(request)
    request.headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature={NO_SIGNATURE}"
    )
