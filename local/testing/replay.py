"""Evaluates a program once per configuration; later deployments replay its registrations on a new endpoint.

Only the evaluation is skipped: every resource is created again. This works because names, ARNs and therefore all
inputs of a deployment are the same each time, which is checked.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs

from infra.packages.requirements import FILE
from infra.packaging import archive_members, content_hash
from local.deploy.errors import DeployError
from local.deploy.program import Engine, evaluate
from local.deploy.project import Stack

#: Resources whose ids the endpoint generates; nothing else in a program refers to them.
NUMBERED = ("Subscription", "EventSourceMapping")

Answer = tuple[str | None, dict[str, Any]]


class ReplayedEvaluation:
    """See ``local.deploy.program.Evaluate``."""

    def __init__(self) -> None:
        self._known: dict[object, tuple[list[tuple[MockResourceArgs, Answer]], dict[str, Any]]] = {}

    def __call__(self, project_dir: Path, stack: Stack, engine: Engine) -> dict[str, Any]:
        """Evaluate, or replay the registrations of an earlier evaluation of the same program and configuration."""
        folders = json.loads(stack.config.get(f"{stack.project}:applicationPackages", "[]"))
        key = (fingerprint(project_dir, folders), stack.name, tuple(sorted(stack.config.items())))
        if key not in self._known:
            recorder = Recorder(engine)
            outputs = evaluate(project_dir, stack, recorder)
            self._known[key] = (recorder.registrations, outputs)
            return outputs
        registrations, outputs = self._known[key]
        for registration, before in registrations:
            now = engine.new_resource(registration)
            if now != before and not registration.typ.endswith(NUMBERED):
                raise AssertionError(
                    f"{registration.typ} {registration.name}: {now} is not {before}: can't be replayed"
                )
        return outputs


class Recorder(Engine):
    """Passes every call on and records the registrations in order."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.registrations: list[tuple[MockResourceArgs, Answer]] = []

    def new_resource(self, args: MockResourceArgs) -> Answer:
        """See Engine."""
        answer = self._engine.new_resource(args)
        self.registrations.append((args, answer))
        return answer

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        """See Engine."""
        answer: tuple[dict[str, Any], list[tuple[str, str]] | None] = self._engine.call(args)
        return answer

    def abort(self, error: DeployError) -> None:
        """See Engine."""
        self._engine.abort(error)


def fingerprint(project_dir: Path, folders: Sequence[str] = ()) -> str:
    """A hash of the archive's code, definitions and requirements; the rest of the program is the test process's own."""
    members = archive_members(project_dir, folders)
    needed = project_dir / FILE
    members |= {FILE: needed} if needed.is_file() else {}
    state = tuple((name, (found := path.stat()).st_mtime_ns, found.st_size) for name, path in members.items())
    if (project_dir, state) not in _fingerprints:
        _fingerprints[project_dir, state] = content_hash(members)
    return _fingerprints[project_dir, state]


#: By folder, and by the times and sizes of its files.
_fingerprints: dict[object, str] = {}
