"""MiniStack, an emulator of AWS by others, as a second opinion on single states."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tests.real.world import eventually
from tests.support.ports import free_port


@contextmanager
def running(program: Path, work: Path) -> Iterator[Any]:
    """A Step Functions client of a MiniStack that runs meanwhile."""
    port = free_port()
    environment = {"PATH": os.environ["PATH"], "HOME": str(work), "GATEWAY_PORT": str(port)}
    log = (work / "ministack.log").open("wb")
    with log, subprocess.Popen([str(program)], cwd=work, env=environment, stdout=log, stderr=log) as process:
        try:
            eventually(lambda: _listens(port))
            yield boto3.client(
                "stepfunctions",
                endpoint_url=f"http://127.0.0.1:{port}",
                region_name="us-east-1",
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=Config(retries={"max_attempts": 0}, inject_host_prefix=False),
            )
        finally:
            process.terminate()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
