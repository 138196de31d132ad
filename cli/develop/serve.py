"""``./cqrs serve``: serves the embedded runtime to the AWS CLI and any SDK, until Ctrl-C."""

from __future__ import annotations

import argparse
import logging
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from cli.develop.engine import ServedEngine, engine_started
from cli.develop.errors import CommandError
from cli.develop.readable_log import TerminalHandler
from cli.develop.start import started
from cli.develop.watch import Watcher
from cli.samples.airports import load, publisher
from cli.terminal import complain, show
from contract.outputs import API_URL, COMMAND_STATE_MACHINE_ARN, TABLE_NAME
from contract.tables import COMMANDS
from handlers.api.console.pages import PATH as CONSOLE
from handlers.core.context import InvokeContext
from handlers.core.errors import VersionConflict
from local.runtime import PROJECT_DIR, LocalRuntime
from local.secrets import how_to_give

DEMO_ROWS = 50
DEMO_CONTEXT = InvokeContext(user_id="demo", tenant_code="demo")
DEFAULT_PORT = 4566
HIGHEST_PORT = 65_535


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``./cqrs serve``."""
    parser.add_argument(
        "--port", type=_port, default=DEFAULT_PORT, help=f"port on 127.0.0.1 (default {DEFAULT_PORT}; 0: any free one)"
    )
    parser.add_argument("--stack", default="dev", help="stack whose Pulumi.<stack>.yaml is used (default dev)")
    parser.add_argument(
        "--verbose", action="store_true", help="show everything that the functions log, not only errors"
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="keep the state in this folder and continue from it the next time, also after a crash",
    )
    parser.add_argument(
        "--demo-data", action="store_true", help=f"publish {DEMO_ROWS} airports, except those that exist"
    )
    parser.add_argument(
        "--engine", action="store_true", help="deploy nothing; use ./cqrs up to deploy with the real Pulumi CLI"
    )


def run(options: argparse.Namespace) -> int:
    """Serve until interrupted."""
    if options.engine:
        if options.data is not None or options.demo_data:
            raise CommandError("--data and --demo-data can't be used with --engine")
        with engine_started(options.stack, options.port) as served:
            show(how_to_deploy(served, options.stack))
            threading.Event().wait()
    log = TerminalHandler(logging.INFO if options.verbose else logging.WARNING)
    data = None if options.data is None else options.data.resolve()
    with started(options.stack, {}, port=options.port, shown=log, data=data) as runtime:
        if options.demo_data:
            publish_demo_data(runtime)
        for name, arn in runtime.secrets_without_value.items():
            complain(f"secret {name} has no value here; {how_to_give(name, arn)}")
        watcher = Watcher(watched(options.stack), runtime.renew, PROJECT_DIR)
        runtime.expect_edits()
        watcher.start()
        show(how_to_look(runtime, runtime.url, "nothing is kept" if data is None else f"the state is in {data}"))
        threading.Event().wait()
    return 0


def how_to_deploy(served: ServedEngine, stack: str) -> str:
    """What to do with an AWS that is still empty."""
    return f"""serving an empty AWS on {served.url} (Ctrl-C stops; nothing is kept)

  ./cqrs up --stack {stack}

  export AWS_ENDPOINT_URL={served.url} AWS_DEFAULT_REGION={served.region}
  export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local
"""


def watched(stack: str) -> list[Path]:
    """The paths that are reloaded when they change."""
    return [PROJECT_DIR / "handlers", PROJECT_DIR / f"Pulumi.{stack}.yaml"]


def publish_demo_data(runtime: LocalRuntime) -> None:
    """Publish the demo's airports, each as a first version."""
    published = 0
    publish = publisher(runtime.outputs)
    for given in load(DEMO_ROWS).rounds[0]:
        with suppress(VersionConflict):  # it exists, or existed in this version
            published += publish.publish_async(replace(given, version=0), DEMO_CONTEXT) is not None
    complain(f"{published} airports published, {DEMO_ROWS - published} already existed")


def how_to_look(runtime: LocalRuntime, url: str, kept: str = "nothing is kept") -> str:
    """How to use what is served."""
    outputs = runtime.outputs
    return f"""serving on {url} (Ctrl-C stops; {kept}); edited handlers are reloaded

  export AWS_ENDPOINT_URL={url} AWS_DEFAULT_REGION={runtime.endpoint.region}
  export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local

{_of_the_api(outputs)}  aws dynamodb list-tables
  aws dynamodb scan --table-name {outputs[TABLE_NAME[COMMANDS]]}
  aws stepfunctions list-executions --state-machine-arn {outputs[COMMAND_STATE_MACHINE_ARN]}
  aws stepfunctions describe-execution --execution-arn <one of them>
  aws stepfunctions get-execution-history --execution-arn <one of them>
"""


def _of_the_api(outputs: Mapping[str, Any]) -> str:
    """The URL of the stack's HTTP API, if it has one; its console and events have the same base URL."""
    if API_URL not in outputs:
        return ""
    url = outputs[API_URL]
    return f"""  console    {url}{CONSOLE}
  HTTP API   {url} (unsigned requests come from the local operator)
  events     curl -N '{url}/events?since=0'

"""


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: a whole number from 0 to {HIGHEST_PORT}")
    return int(text)
