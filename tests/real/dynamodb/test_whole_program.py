"""REAL-02: the whole program with tables and streams in a DynamoDB that others wrote."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from local.aws.elsewhere.server import VARIABLE, DynamoServer
from local.runtime import PROJECT_DIR
from tests.simulation import test_on_endpoint

pytestmark = pytest.mark.real

PATIENCE_S = 600
ROWS = 20


def test_real_02_a_whole_demo_with_tables_and_streams_there(dynamodb_url: str) -> None:
    command = [sys.executable, "-m", "cli", "demo", "--rows", str(ROWS)]
    environment = {**os.environ, VARIABLE: dynamodb_url}
    done = subprocess.run(
        command, cwd=PROJECT_DIR, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )

    print(done.stdout, done.stderr)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All commands were applied, in order." in done.stdout
    assert dynamodb_url in done.stderr
    assert "Imports: rows of a file become commands" in done.stdout


def test_real_02_a_demo_with_failures_there(dynamodb_url: str) -> None:
    command = [sys.executable, "-m", "cli", "demo", "--rows", str(ROWS), "--fail"]
    environment = {**os.environ, VARIABLE: dynamodb_url}
    done = subprocess.run(
        command, cwd=PROJECT_DIR, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"As expected: \d+ commands failed, each with one alarm", done.stdout)


@pytest.mark.parametrize("seed", range(6))
def test_ord_14_on_the_endpoint_with_tables_there(tmp_path: Path, dynamodb_url: str, seed: int) -> None:
    world = test_on_endpoint.run(tmp_path, seed, 2, 3, tables_url=dynamodb_url)

    assert sum(len(entity.rows) for entity in world.watcher.entities.values()) >= 6
    assert world.watcher.violations == []
    server = DynamoServer(dynamodb_url, "us-east-1")
    assert server.call("ListTables", {})["TableNames"] == []  # they were there, and were dropped
    server.close()
