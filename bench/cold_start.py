"""Python's share of each function's cold start: processor time of fresh interpreters.

Each round runs the interpreter with ``boto3`` and one client, then with the entry point and the same client, so that
both have the same load; the results are the medians of the rounds' differences and ratios. Our modules come from an
unpacked archive, once with bytecode, as if deployed by a Python of the functions' version, and once without (record
0220).
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from infra.bytecode import FOLDER, with_bytecode
from infra.packaging import archive_members

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 5
_BASE = "import boto3; boto3.client('dynamodb')"
_WORKER = "from handlers.core.aws import clients as aws_clients; aws_clients.dynamodb(); import handlers.entrypoints."


def entry_points() -> list[str]:
    """The modules with a Lambda handler."""
    return [path.stem for path in sorted((ROOT / "handlers" / "entrypoints").glob("[!_]*.py"))]


def cold_starts() -> dict[str, dict[str, float]]:
    """Entry point to milliseconds in addition to boto3 with one client, and the ratio, with and without bytecode."""
    with tempfile.TemporaryDirectory() as work:
        members = archive_members(ROOT)
        kinds = {
            "": _unpacked(members, Path(work, "plain")),
            "WithBytecode": _unpacked(with_bytecode(members, ROOT / FOLDER), Path(work, "compiled")),
        }
        return {name: _of(_WORKER + name, kinds) for name in entry_points()}


def _unpacked(members: dict[str, Path], folder: Path) -> Path:
    for name, path in members.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / name)
    return folder


def _of(statement: str, kinds: dict[str, Path]) -> dict[str, float]:
    found = {}
    for kind, folder in kinds.items():
        rounds = [(_milliseconds(_BASE, folder), _milliseconds(statement, folder)) for _ in range(ROUNDS + 1)]
        measured = rounds[1:]  # the first one fills the disk's cache
        found[f"own{kind}"] = statistics.median(worker - base for base, worker in measured)
        found[f"ratio{kind}"] = statistics.median(worker / base for base, worker in measured)
    return found


def _milliseconds(statement: str, folder: Path) -> float:
    """Processor time of a new interpreter that runs ``statement`` on the code in ``folder``. It writes no bytecode."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    keys = {"AWS_DEFAULT_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench"}
    code = f"import sys; sys.path.insert(0, {str(folder)!r}); {statement}"
    child = os.spawnve(os.P_NOWAIT, sys.executable, [sys.executable, "-B", "-c", code], {**kept, **keys})
    _, status, used = os.wait4(child, 0)
    if status != 0:
        raise RuntimeError(f"{statement!r} ended with {status}")
    return (used.ru_utime + used.ru_stime) * 1000
