"""What the program of this repository declares, and how a snapshot shows it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pulumi

from local.deploy import registrations
from local.deploy.registrations import ACCOUNT, REGION, Evaluation, Recorder, Registration, invokes
from tests.support.projects import shared_project

__all__ = ["ACCOUNT", "PROJECT_DIR", "REGION", "Evaluation", "Recorder", "Registration", "invokes"]

PROJECT_DIR = Path(__file__).resolve().parents[2]
#: Settings that have nothing to do with each other, for those who look at one of them: one evaluation for all.
TUNED = {
    "apiBurstLimit": "9",
    "apiRateLimit": "7",
    "bucketAccessLog": "logs-of-others",
    "handlerModules": '["handlers.domain.approval"]',
    "kmsKey": "create",
    "taskTimeoutMinutes": "60",
}


def evaluated(
    stack: str,
    config: Mapping[str, str] | None = None,
    *,
    preview: bool = False,
    project_dir: Path | None = None,
) -> Evaluation:
    """See ``registrations.evaluated``; this repository with the tests' stacks and modules, where no other is named.

    That is evaluated once for each configuration and process; nobody changes what was declared.
    """
    if project_dir is not None:
        return registrations.evaluated(stack, config, preview=preview, project_dir=project_dir)
    return _shared(stack, tuple(sorted((config or {}).items())), preview)


@cache
def _shared(stack: str, config: tuple[tuple[str, str], ...], preview: bool) -> Evaluation:
    return registrations.evaluated(stack, dict(config), preview=preview, project_dir=shared_project())


def evaluate_into(
    evaluation: Evaluation,
    config: Mapping[str, str] | None = None,
    *,
    preview: bool = False,
    project_dir: Path | None = None,
) -> None:
    """See ``registrations.evaluate_into``."""
    registrations.evaluate_into(evaluation, config, preview=preview, project_dir=project_dir or shared_project())


def readable(value: Any) -> Any:
    """Props for a snapshot: JSON texts parsed, archives and definitions in short (their files are reviewed)."""
    if isinstance(value, pulumi.Archive):
        return "archive of handlers"
    if isinstance(value, Mapping):
        return {key: readable(one) for key, one in value.items()}
    if isinstance(value, list):
        return [readable(one) for one in value]
    if isinstance(value, str) and value[:1] in ("{", "["):
        parsed = json.loads(value)
        return readable(_summary(parsed) if "StartAt" in parsed else parsed)
    return value


def _summary(definition: Mapping[str, Any]) -> dict[str, Any]:
    """A definition by state: what it is, what it calls, for how long, where it goes."""
    states = {}
    for name, state in definition["States"].items():
        inner = state.get("ItemProcessor")
        facts = {
            "calls": state.get("Parameters", {}).get("FunctionName"),
            "resource": state.get("Resource"),
            "timeout": state.get("TimeoutSeconds"),
            "catch": [f"{','.join(one['ErrorEquals'])} -> {one['Next']}" for one in state.get("Catch", [])],
            "next": state.get("Next") or state.get("Default"),
            "states": _summary(inner)["states"] if inner else None,
        }
        states[name] = {"type": state["Type"], **{key: fact for key, fact in facts.items() if fact}}
    return {"startAt": definition["StartAt"], "timeout": definition.get("TimeoutSeconds"), "states": states}
