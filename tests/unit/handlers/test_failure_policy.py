"""Which errors pass and which stay, by a table that names every class of ours."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from http.client import IncompleteRead
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    ReadTimeoutError,
)
from urllib3 import HTTPConnectionPool
from urllib3.exceptions import ReadTimeoutError as UrllibReadTimeout

import handlers
from handlers.consumers.failure_policy import OUTCOMES, Consumer, Outcome, named_for_retry, nature_of, outcome_of
from handlers.core.errors import CqrsError, Nature, TransientConflict, TransientError, VersionConflict

PERMANENT, MISCONFIGURED, TRANSIENT, UNKNOWN = Nature
#: Every other class of ours is permanent.
OURS = {
    "BucketMissing": MISCONFIGURED,
    "RegistryError": MISCONFIGURED,
    "SecretUnavailable": MISCONFIGURED,
    "SettingsError": MISCONFIGURED,
    "TransientError": TRANSIENT,
    "TransientConflict": TRANSIENT,
    "TransientThrottle": TRANSIENT,
    "VersionConflict": TRANSIENT,
    "PendingVersions": TRANSIENT,
    "ConditionFailed": TRANSIENT,
    "TransactionFailed": TRANSIENT,
    "ExtraWriteRefused": TRANSIENT,
    "LatestOpen": TRANSIENT,
    "TaskIsLeased": TRANSIENT,
    "SweepIncomplete": TRANSIENT,
    "RemoteTargetError": UNKNOWN,
}


def answered(code: str, status: int = 400, reasons: tuple[str, ...] = ()) -> ClientError:
    """An error that a service answered."""
    response: Any = {
        "Error": {"Code": code, "Message": "no"},
        "ResponseMetadata": {"HTTPStatusCode": status},
        "CancellationReasons": [{"Code": reason} for reason in reasons],
    }
    return ClientError(response, "Operation")


#: An example of each kind of error, by the name that tests show.
ERRORS: dict[str, tuple[Exception, Nature]] = {
    "throttled": (answered("ThrottlingException"), TRANSIENT),
    "too many requests": (answered("Anything", 429), TRANSIENT),
    "outage": (answered("Anything", 503), TRANSIENT),
    "conditional": (answered("ConditionalCheckFailedException"), TRANSIENT),
    "transaction conflict": (
        answered("TransactionCanceledException", reasons=("None", "TransactionConflict")),
        TRANSIENT,
    ),
    "transaction invalid": (
        answered("TransactionCanceledException", reasons=("ValidationError", "TransactionConflict")),
        PERMANENT,
    ),
    "validation": (answered("ValidationException"), PERMANENT),
    "item too large": (answered("ItemCollectionSizeLimitExceededException"), PERMANENT),
    "access": (answered("AccessDeniedException"), MISCONFIGURED),
    "access of S3": (answered("403", 403), MISCONFIGURED),
    "resource missing": (answered("ResourceNotFoundException"), MISCONFIGURED),
    "machine missing": (answered("StateMachineDoesNotExist"), MISCONFIGURED),
    "parameters": (ParamValidationError(report="no"), PERMANENT),
    "no credentials": (NoCredentialsError(), MISCONFIGURED),
    "no region": (NoRegionError(), MISCONFIGURED),
    "unreachable": (EndpointConnectionError(endpoint_url="e"), TRANSIENT),
    "no connection in time": (ConnectTimeoutError(endpoint_url="e"), TRANSIENT),
    "no answer in time": (ReadTimeoutError(endpoint_url="e"), TRANSIENT),
    "application: no number": (ValueError("could not convert"), PERMANENT),
    "application: no such key": (KeyError("price"), PERMANENT),
    "application: None": (AttributeError("'NoneType' object has no attribute 'x'"), PERMANENT),
    "application: wrong type": (TypeError("unsupported operand"), PERMANENT),
    "application: division": (ZeroDivisionError("division by zero"), PERMANENT),
    "application: not text": (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"), PERMANENT),
    "application: no file": (FileNotFoundError("a.txt"), PERMANENT),
    "application: connection": (ConnectionResetError("gone"), TRANSIENT),
    "application: timeout": (TimeoutError("late"), TRANSIENT),
    "application: another network error": (OSError("a library's own"), TRANSIENT),
    "application: an answer cut off": (IncompleteRead(b"half"), TRANSIENT),
    "application: urllib3": (UrllibReadTimeout(HTTPConnectionPool("h"), "/", "late"), TRANSIENT),
    "credentials not to be had": (CredentialRetrievalError(provider="p", error_msg="late"), TRANSIENT),
    "application: its own": (type("SearchIsDown", (Exception,), {})("no"), UNKNOWN),
    "application: runtime": (RuntimeError("no"), UNKNOWN),
    "ours: transient": (TransientError("busy"), TRANSIENT),
    "ours: conflict": (TransientConflict("busy"), TRANSIENT),
    "ours: version": (VersionConflict("k", 1, 2), TRANSIENT),
}


def subclasses(cls: type[CqrsError]) -> Iterator[type[CqrsError]]:
    for one in cls.__subclasses__():
        yield one
        yield from subclasses(one)


def test_every_error_of_ours_has_the_nature_that_the_table_says() -> None:
    for module in pkgutil.walk_packages(handlers.__path__, "handlers."):
        importlib.import_module(module.name)
    found = {one.__name__: one.nature for one in subclasses(CqrsError) if one.__module__.startswith("handlers.")}
    found = {name: nature for name, nature in found.items() if not issubclass_of_remote(name)}
    assert OURS.items() <= found.items()
    assert {nature for name, nature in found.items() if name not in OURS} == {PERMANENT}


def issubclass_of_remote(name: str) -> bool:
    """Errors of functions of other projects have classes made when they are met."""
    from handlers.commands.targets.port import RemoteTargetError

    return name in {one.__name__ for one in RemoteTargetError.__subclasses__()}


@pytest.mark.parametrize("name", ERRORS)
def test_the_nature_of_errors(name: str) -> None:
    error, nature = ERRORS[name]
    assert nature_of(error) is nature


def test_the_table_is_complete_and_keeps_the_two_promises() -> None:
    """Nothing permanent is tried again; nothing that may pass is an outcome at once."""
    assert set(OUTCOMES) == set(Consumer)
    for consumer, outcomes in OUTCOMES.items():
        assert set(outcomes) == set(Nature), consumer
        assert outcomes[PERMANENT] is not Outcome.RETRIED, consumer
        assert outcomes[TRANSIENT] in (Outcome.RETRIED, Outcome.RAISED, Outcome.LEFT), consumer
    # A right that is missing meets all rows of a file at once.
    assert OUTCOMES[Consumer.IMPORT_ROW][MISCONFIGURED] is Outcome.HELD


def test_a_state_raises_what_may_pass_under_a_name_that_machines_retry() -> None:
    with pytest.raises(TransientError, match="ConnectionResetError: gone") as raised, named_for_retry():
        raise ConnectionResetError("gone")
    assert isinstance(raised.value.__cause__, ConnectionResetError)
    for error in (KeyError("price"), RuntimeError("no"), answered("AccessDeniedException"), TransientConflict("busy")):
        with pytest.raises(type(error)) as kept, named_for_retry():
            raise error
        assert kept.value is error
    assert outcome_of(RuntimeError("no"), Consumer.STATE) is Outcome.CAUGHT


def test_the_page_has_the_table() -> None:
    page = (Path(__file__).parents[3] / "docs" / "failures.md").read_text(encoding="utf-8")
    for consumer, outcomes in OUTCOMES.items():
        told = {outcome: outcome.value for outcome in Outcome}
        assert f"| {consumer} | {' | '.join(told[outcomes[nature]] for nature in Nature)} |" in page
