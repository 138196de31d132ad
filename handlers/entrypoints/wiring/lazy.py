"""The Lambda attribute ``handler`` of an entry point."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from handlers.core import log
from handlers.core.error_text import leaving

Handler = Callable[[dict[str, Any], Any], Any]


def bounded(handle: Handler) -> Handler:
    """Wrap a handler so that its errors have a size that a state machine, a stream or a queue can pass on."""

    def handler(event: dict[str, Any], context: Any) -> Any:
        try:
            return handle(event, context)
        except Exception as error:
            fitting = leaving(error)
            if fitting is error:
                raise
            raise fitting from None

    return handler


def lambda_handler(create: Callable[[dict[str, str]], Handler]) -> Handler:
    """Build the handler from ``os.environ``: at import inside Lambda, so that a wrong setting becomes
    an initialisation error; elsewhere at the first call, so that importing needs no environment.

    Inside Lambda there is always a runtime API (Lambda Developer Guide, "Using the Lambda runtime API").
    """
    built: list[Handler] = []

    def build() -> Handler:
        if not built:
            environment = dict(os.environ)
            log.configure(environment.get("LOG_LEVEL", "INFO"))
            built.append(create(environment))
        return built[0]

    def handler(event: dict[str, Any], context: Any) -> Any:
        return build()(event, context)

    if "AWS_LAMBDA_RUNTIME_API" in os.environ:
        build()
    return handler
