"""A Lambda function of another project, invoked synchronously."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from handlers.commands.targets.calls import calling
from handlers.commands.targets.port import Delivery, RemoteTargetError
from handlers.core import errors
from handlers.core.errors import CqrsError, TransientError

if TYPE_CHECKING:
    from mypy_boto3_lambda.client import LambdaClient

    from handlers.commands.targets.model import TargetSpec

#: How much of an error response is read; the rest is stack trace.
MAX_ANSWER_BYTES = 64 * 1024
#: The function was terminated: a retry may work (Step Functions retries its own Lambda errors likewise).
CUT_SHORT = frozenset({"Sandbox.Timedout", "Runtime.ExitError", "Runtime.OutOfMemory", "Lambda.Unknown"})
TRANSIENT_PREFIX = "Transient"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
#: A remote error must not look like one of ours: alarms include the text of some of ours.
_OURS = frozenset(
    name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, CqrsError)
)


class LambdaTarget:
    """See ``RemoteTarget``. The function's result is dropped; its error is an error of the delivery."""

    def __init__(self, client: Callable[[], LambdaClient], spec: TargetSpec) -> None:
        """``client`` is called at the first delivery."""
        self._client = client
        self._spec = spec

    def deliver(self, delivery: Delivery) -> None:
        """See RemoteTarget."""
        with calling(self._spec.arn):
            answer = self._client().invoke(
                FunctionName=self._spec.arn, InvocationType="RequestResponse", Payload=delivery.text.encode()
            )
            if "FunctionError" not in answer:
                return
            payload = answer["Payload"].read(MAX_ANSWER_BYTES)
        raise remote_error(payload)


def remote_error(payload: bytes) -> CqrsError:
    """The error for ``{errorType, errorMessage}`` (Lambda Developer Guide, "Lambda function errors in Python").

    It has the name of the remote type, so that the command's row and the execution show it; ``Transient*`` becomes a
    TransientError, which the state machine retries.
    """
    try:
        found = json.loads(payload)
    except ValueError:
        found = None
    kind = str(found.get("errorType", "Unknown")) if isinstance(found, dict) else "Unknown"
    message = str(found.get("errorMessage", "")) if isinstance(found, dict) else ""
    if kind.startswith(TRANSIENT_PREFIX) or kind in CUT_SHORT:
        return TransientError(f"{kind}: {message}")
    if kind in _OURS or not _NAME.fullmatch(kind):
        return RemoteTargetError(f"{kind}: {message}")
    named: type[RemoteTargetError] = type(kind, (RemoteTargetError,), {})
    return named(message)
