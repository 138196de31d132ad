"""AWS's errors, and other errors that the user can act on, in one line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore import exceptions

from cli.errors import CommandError
from handlers.core.errors import CqrsError, TransientError
from handlers.core.values.text import visible

#: The wording of denied requests differs by service, but all name the action in this way.
_ACTION = re.compile(r"to perform: ?(\S+)(?: on resource: (\S+))?")
_DENIED = frozenset({"AccessDeniedException", "AccessDenied", "AuthorizationError", "NotAuthorized"})
_REFUSED_CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_NO_CREDENTIALS = (
    exceptions.NoCredentialsError,
    exceptions.PartialCredentialsError,
    exceptions.CredentialRetrievalError,
    exceptions.TokenRetrievalError,
    exceptions.UnauthorizedSSOTokenError,
    exceptions.SSOTokenLoadError,
)
_UNREACHABLE = (exceptions.HTTPClientError, exceptions.ConnectionError)


@dataclass(frozen=True)
class Place:
    """The stack and endpoint of a command in words, and the names of the stack's tables."""

    words: str
    tables: str


def line_of(error: Exception, place: Place) -> str | None:
    """An error in one line; None if the user can't act on it."""
    cause = error.__cause__ if isinstance(error, TransientError) else None
    if isinstance(cause, _UNREACHABLE):
        error = cause
    if isinstance(error, _UNREACHABLE):
        return (
            f"{place.words}: can't be reached ({type(error).__name__}); for a local stack: is `./cqrs serve` running?"
        )
    if isinstance(error, _NO_CREDENTIALS):
        return f"no AWS credentials ({_one_line(error)}); set AWS_PROFILE or --profile, or sign in"
    if isinstance(error, exceptions.NoRegionError):
        return "no AWS region; give --region or set AWS_REGION"
    if isinstance(error, exceptions.ClientError):
        return _of_answer(error, place)
    if isinstance(error, CqrsError | CommandError | exceptions.BotoCoreError):
        return _one_line(error)
    return None


def _of_answer(error: exceptions.ClientError, place: Place) -> str:
    response: Mapping[str, Any] = error.response
    code, message = response["Error"]["Code"], response["Error"].get("Message", "")
    operation = error.operation_name
    if code in _DENIED:
        found = _ACTION.search(message)
        action = found.group(1) if found else operation
        resource = f" on {found.group(2)}" if found and found.group(2) else ""
        return f"no permission for {action}{resource}; docs/operations.md lists what operators need"
    if code in _REFUSED_CREDENTIALS:
        return f"AWS refused the credentials ({code}); sign in again, or choose another --profile"
    if code == "ResourceNotFoundException":
        # AWS's error names no resource; only tables are read before a function's settings.
        return (
            f"{place.words}: no such stack, its tables ({place.tables}) do not exist; check --stack, --project and "
            "--region: `pulumi stack ls` lists the stacks, `aws dynamodb list-tables` the tables"
        )
    return visible(f"{place.words}: {operation} answered {code}: {message}")


def _one_line(error: Exception) -> str:
    return visible(" ".join(str(error).split()))
