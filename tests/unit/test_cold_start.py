"""What a function loads at a cold start (record 0200): packages, modules that must wait, and how many in all."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: Of no use to any function before it is asked for something, or at all.
NEVER = (
    "boto3",
    "pulumi",
    "moto",
    "pydantic",
    "aws_lambda_powertools",
    "typing_extensions",
    "unittest",
    "local",
    "cli",
    "infra",
    "handlers.domain",
)
#: Function to its capabilities, to what of them must not be loaded by importing it, and to the most modules of ours: a
#: few more than there are, so that many more are a decision.
#: The one function that may load what a worker must not: its layer has it.
IN_THE_LAYER = ("aws_lambda_powertools", "pydantic", "typing_extensions")
LOADS: dict[str, tuple[set[str], tuple[str, ...], int]] = {
    "api": (
        {"commands", "imports", "operations", "tasks", "workflows"},
        ("commands.pipeline.steps", "imports.files.inspection", "imports.csv", "entrypoints.wiring.publishing"),
        155,
    ),
    "apply": ({"commands"}, ("commands.publishing", "commands.targets.connect", "commands.reader"), 92),
    "events": ({"commands", "tasks"}, ("commands.publishing", "commands.pipeline.steps", "tasks.runner"), 80),
    "states": ({"commands", "workflows"}, ("commands.publishing", "commands.targets.connect"), 86),
    "outcomes": (
        {"commands", "imports", "notifications"},
        ("commands.pipeline", "imports.files", "imports.csv", "imports.zip"),
        68,
    ),
    "loader": ({"commands", "imports"}, ("commands.publishing", "commands.pipeline.run", "imports.zip"), 108),
    "imports": (
        {"commands", "imports"},
        ("imports.files.inspection", "imports.csv.loader", "imports.zip.archive", "commands.pipeline.steps"),
        131,
    ),
    "sweeper": (
        {"commands", "imports", "tasks"},
        ("commands.publishing", "commands.pipeline.steps", "imports.files", "imports.csv.loader"),
        103,
    ),
    "tasks": ({"commands", "tasks"}, ("commands.pipeline.run", "commands.publishing"), 72),
}
CAPABILITIES = {"commands", "imports", "notifications", "operations", "tasks", "workflows"}


def loaded(function: str) -> set[str]:
    """All modules that a new interpreter has after importing an entry point."""
    code = f"import json, sys, handlers.entrypoints.{function}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_every_function_is_listed() -> None:
    assert set(LOADS) == {path.stem for path in (ROOT / "handlers/entrypoints").glob("[!_]*.py")}


@pytest.mark.parametrize("function", LOADS)
def test_a_function_loads_what_its_calls_need(function: str) -> None:
    capabilities, later, most = LOADS[function]
    modules = loaded(function)
    ours = {name.removeprefix("handlers.") for name in modules if name.startswith("handlers.")}
    assert {name.partition(".")[0] for name in ours} & CAPABILITIES == capabilities
    assert sorted(one for one in ours if f"{one}.".startswith(tuple(f"{name}." for name in later))) == []
    never = set(NEVER) - set(IN_THE_LAYER if function == "api" else ())
    assert sorted(one for one in modules if f"{one}.".startswith(tuple(f"{name}." for name in never))) == []
    assert sorted(one for one in ours if one.rpartition(".")[2] == "memory") == []
    counted = sum(name.partition(".")[0] in ("handlers", "contract") for name in modules)
    assert counted <= most, f"{function} loads {counted} modules of ours; is each needed by most of its calls?"
