"""A parsed definition: what the interpreter runs. Built once by ``definition.parse_definition``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.states.data.paths import ROOT, Path
from local.states.data.templates import Template
from local.states.definition.choice import Rule
from local.states.running.retry import Catcher, Retrier

STANDARD = "STANDARD"
EXPRESS = "EXPRESS"


@dataclass(frozen=True)
class State:
    """The fields of every state. ``next`` None: it ends its branch. A path of None represents JSON null."""

    name: str
    type: str
    input_path: Path | None = ROOT
    output_path: Path | None = ROOT
    next: str | None = None


@dataclass(frozen=True)
class PassState(State):
    """``Pass``. ``result`` counts only with ``has_result``."""

    parameters: Template | None = None
    has_result: bool = False
    result: Any = None
    result_path: Path | None = ROOT


@dataclass(frozen=True)
class SucceedState(State):
    """``Succeed``."""


@dataclass(frozen=True)
class FailState(State):
    """``Fail``. Both templates give the text or None."""

    error: Template | None = None
    cause: Template | None = None


@dataclass(frozen=True)
class ChoiceState(State):
    """``Choice``: the rules, each with its next state."""

    rules: tuple[tuple[Rule, str], ...] = ()
    default: str | None = None


@dataclass(frozen=True)
class WaitState(State):
    """``Wait``: exactly one of the four is set. ``timestamp`` in epoch seconds."""

    seconds: float | None = None
    seconds_path: Path | None = None
    timestamp: float | None = None
    timestamp_path: Path | None = None


@dataclass(frozen=True)
class WorkState(State):
    """The common fields of Task, Map and Parallel: they have a result, and errors that can be retried and caught."""

    parameters: Template | None = None
    result_selector: Template | None = None
    result_path: Path | None = ROOT
    retriers: tuple[Retrier, ...] = ()
    catchers: tuple[Catcher, ...] = ()


@dataclass(frozen=True)
class TaskState(WorkState):
    """``Task``. ``function`` is set where the resource is a function's ARN. Times in seconds."""

    resource: str = ""
    function: str | None = None
    wait_for_token: bool = False
    timeout: float | None = None
    timeout_path: Path | None = None
    heartbeat: float | None = None
    heartbeat_path: Path | None = None


@dataclass(frozen=True)
class Branch:
    """States that lead to each other: a whole machine, a branch of a Parallel, a Map's item processor."""

    start_at: str
    states: Mapping[str, State]


@dataclass(frozen=True)
class ItemReader:
    """ItemReader: an S3 object of items. ``headers`` None: the first row. ``max_items`` 0: all of them."""

    parameters: Template
    input_type: str
    delimiter: str = ","
    headers: tuple[str, ...] | None = None
    max_items: int = 0
    max_items_path: Path | None = None


@dataclass(frozen=True)
class ItemBatcher:
    """ItemBatcher. At least one limit is set, each as a number or as a path."""

    max_items: int | None = None
    max_items_path: Path | None = None
    max_bytes: int | None = None
    max_bytes_path: Path | None = None
    batch_input: Template | None = None


@dataclass(frozen=True)
class Tolerance:
    """The tolerated failures. Absent limits are ignored; without any limit no failure is tolerated."""

    count: int | None = None
    count_path: Path | None = None
    percentage: float | None = None
    percentage_path: Path | None = None


@dataclass(frozen=True)
class Distributed:
    """The fields of a Map in Distributed mode. ``execution_type``: of its child executions."""

    execution_type: str
    label: str
    tolerance: Tolerance = Tolerance()
    reader: ItemReader | None = None
    batcher: ItemBatcher | None = None
    #: Parameters of the ResultWriter: Bucket and Prefix
    writer: Template | None = None


@dataclass(frozen=True)
class MapState(WorkState):
    """``Map``. ``parameters`` is its ItemSelector (or Parameters, the older name)."""

    processor: Branch | None = None
    items_path: Path = ROOT
    max_concurrency: int = 0
    max_concurrency_path: Path | None = None
    distributed: Distributed | None = None


@dataclass(frozen=True)
class ParallelState(WorkState):
    """``Parallel``."""

    branches: tuple[Branch, ...] = ()


@dataclass(frozen=True)
class Definition:
    """A whole machine. ``timeout`` in seconds."""

    branch: Branch
    timeout: float | None = None
