"""The program with its state in a folder, and copies of the folder as they were at some moments."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Container
from pathlib import Path
from typing import Any

from local.aws.model import AwsCall, Faults
from local.deploy.program import Engine
from local.deploy.project import Stack
from local.runtime import LocalRuntime
from local.scheduler import Scheduler
from local.testing import ApplicationTest
from local.testing.application import shared_work_dir
from tests.support.deployments import REPLAYED
from tests.support.projects import shared_project


class KeptApplication(ApplicationTest):
    """``ApplicationTest`` with its state in ``data``, opened when so many seconds have passed in virtual time."""

    def __init__(
        self, modules: list[str], data: Path, *, opened_after: float = 0.0, faults: Faults | None = None, seed: int = 0
    ) -> None:
        super().__init__(modules)
        self.scheduler = Scheduler.virtual(seed)
        self._opened_after = opened_after
        self.runtime = LocalRuntime(
            project_dir=shared_project(),
            scheduler=self.scheduler,
            evaluate=self._evaluate,
            work_dir=shared_work_dir(),
            config={"handlerModules": json.dumps(modules)},
            faults=faults,
            data=data,
        )

    def _evaluate(self, project_dir: Path, stack: Stack, engine: Engine) -> dict[str, Any]:
        """All deployments are of the same moment, so that they can be replayed; then the time passes."""
        outputs = REPLAYED(project_dir, stack, engine)
        self.scheduler.run_for(self._opened_after)
        return outputs


class Copies(Faults):
    """Copies the folder before some of the calls, by their numbers: what a process that was killed there leaves.

    ``noted`` is asked at each copy for what the test wants to know of that moment.
    """

    def __init__(self, data: Path, into: Path, at: Container[int], noted: Callable[[], object]) -> None:
        self.calls = 0
        self.taken: list[tuple[Path, object]] = []
        self._data, self._into, self._at, self._noted = data, into, at, noted

    def before(self, call: AwsCall) -> str | None:
        """Nothing fails."""
        self.calls += 1
        if self.calls in self._at:
            copy = self._into / str(self.calls)
            shutil.copytree(self._data, copy)
            self.taken.append((copy, self._noted()))
        return None

    def after(self, call: AwsCall) -> None:
        """Nothing."""
