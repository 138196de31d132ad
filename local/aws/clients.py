"""Avoids work of botocore's clients whose result isn't used on this machine.

That work takes half of a run's time: parsing a service's description for each session (several megabytes of JSON),
and for each request a signature and, twice, a description of the machine. The endpoint checks no signatures; it reads
the credential scope, which is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3
import botocore.session
from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.client import ClientCreator
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
    """For sessions and requests made inside. Enter it after ``clean_environment``, which sets the search path."""
    before = botocore.session.create_loader, SigV4Auth.add_auth, UserAgentString.to_string
    make_class: Any = ClientCreator._create_client_class  # type: ignore[attr-defined]
    botocore.session.create_loader = _loader
    SigV4Auth.add_auth = _add_auth  # type: ignore[method-assign]
    UserAgentString.to_string = lambda self: USER_AGENT  # type: ignore[method-assign]
    ClientCreator._create_client_class = _class_maker(make_class)  # type: ignore[attr-defined]
    try:
        yield
    finally:
        ClientCreator._create_client_class = make_class  # type: ignore[attr-defined]
        botocore.session.create_loader, SigV4Auth.add_auth, UserAgentString.to_string = before  # type: ignore[method-assign]


def _loader(search_path_string: str | None = None) -> Loader:
    """One loader for all sessions, as botocore has one for all clients of a session. moto, which modifies the
    descriptions that it loads, has its own loader.
    """
    return create_loader(search_path_string) if search_path_string else _shared_loader(Loader.CUSTOMER_DATA_PATH)


@cache
def client(service: str, region: str) -> Any:
    """A boto3 client for the runtime's own calls, kept for the life of the process, since creating one is slow.

    The running endpoint answers it.
    """
    return boto3.client(service, region_name=region)  # type: ignore[call-overload]


def _class_maker(make_class: Any) -> Any:
    """Creates the class of clients, with a method per operation, once for all clients of a service with equal hooks."""

    def create_client_class(self: Any, service_name: str, service_model: Any) -> Any:
        event = f"creating-client-class.{service_model.service_id.hyphenize()}"
        hooks = self._event_emitter._emitter._handlers.prefix_search(event)
        key = (service_name, service_model.api_version, *map(id, hooks))
        if key not in _classes:
            _classes[key] = (
                make_class(self, service_name, service_model),
                hooks,
            )  # keeps the hooks alive, or their ids could be reused
        return _classes[key][0]

    return create_client_class


_classes: dict[object, Any] = {}


@cache
def _shared_loader(_customers: str) -> Loader:
    return create_loader()


def _add_auth(self: Any, request: Any) -> None:
    """Add a placeholder instead of a signature. Requests with other credentials are signed."""
    if self.credentials is None or self.credentials.access_key != ACCESS_KEY:
        _sign(self, request)
        return
    request.context["timestamp"] = get_current_datetime().strftime(SIGV4_TIMESTAMP)
    self._modify_request_before_signing(request)
    scope = self.scope(request)
    request.headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature={NO_SIGNATURE}"
    )
