"""Runs pytest in forks of one process that has imported what no mutant changes: most of a quick test's time is imports.

``python -m tests.mutation.forking`` in the copy of the tree. Each line of the input is a request,
``{"arguments": [...], "environment": {...}, "output": <file>, "seconds": <limit>}``; each is answered by a line with
pytest's exit code, negative where a signal ended it (SIGALRM: it ran out of time).
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import FrameType

import pytest

PRELOADED = ("boto3", "moto.core.models", "greenlet", "yaml", "pulumi_aws")


def main() -> None:
    """Until the input ends."""
    for module in PRELOADED:
        import_module(module)
    signal.signal(signal.SIGTERM, _stopped)
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            _run(request["arguments"], request["environment"], Path(request["output"]), request["seconds"])
        try:
            _, status = os.waitpid(child, 0)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)  # also what the tests started and left
        print(os.waitstatus_to_exitcode(status), flush=True)


def _stopped(_number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + signal.SIGTERM)


def _run(arguments: list[str], environment: dict[str, str], output: Path, seconds: int) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.setsid()
    signal.alarm(seconds)
    with output.open("w", encoding="utf-8") as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.update(environment)
    code = pytest.main(arguments)
    sys.stdout.flush()
    os._exit(int(code))


if __name__ == "__main__":
    main()
