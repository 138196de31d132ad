"""The environment variables of functions that share this process.

``os.environ`` is shared by all threads, so it isn't used. An archive's code gets a separate ``os`` instead (see
``archive_modules``), whose ``environ`` has the variables that Lambda would give the running function.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, MutableMapping
from contextvars import ContextVar

from local.functions.model import FunctionSpec

#: The variables of the running function. None outside of functions, and in threads that a function starts.
function_environment: ContextVar[dict[str, str] | None] = ContextVar("function_environment", default=None)


class FunctionEnviron(MutableMapping[str, str]):
    """``os.environ`` for an archive's code: only the running function's variables."""

    def __getitem__(self, name: str) -> str:
        return _present()[name]

    def __setitem__(self, name: str, value: str) -> None:
        _present()[name] = value

    def __delitem__(self, name: str) -> None:
        del _present()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(list(_present()))

    def __len__(self) -> int:
        return len(_present())

    def __repr__(self) -> str:
        return f"environ({dict(self)!r})"

    def copy(self) -> dict[str, str]:
        """A dictionary, like ``os.environ.copy()``."""
        return dict(self)


def runtime_environment(spec: FunctionSpec) -> dict[str, str]:
    """The function's own variables and those that Lambda sets (Lambda Developer Guide, "Using environment
    variables", reserved variables).
    """
    parts = spec.arn.split(":")
    region = parts[3] if len(parts) > 3 else ""
    return {
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{spec.name}",
        "_HANDLER": spec.handler,
        **spec.env,
    }


def _present() -> MutableMapping[str, str]:
    variables = function_environment.get()
    return os.environ if variables is None else variables
