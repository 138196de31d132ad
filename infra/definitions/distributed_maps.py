"""The checks of Maps in Distributed mode.

Source: Step Functions Developer Guide, "Using Map state in Distributed mode", "ItemReader (Map)", "ItemBatcher (Map)",
"ResultWriter (Map)". Our own rules: limits of concurrency and batch size, a tolerated failure, and a Catch are set.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from contract.state_machines import EXPRESS, STANDARD

GET_OBJECT = "arn:aws:states:::s3:getObject"
PUT_OBJECT = "arn:aws:states:::s3:putObject"
#: The longest EXPRESS execution, in seconds ("Step Functions service quotas").
EXPRESS_SECONDS = 300
NEEDS_CATCH = "a Distributed Map needs Catch"

_LABEL = re.compile(r"""[^\s?*<>{}\[\]:;,\\|^~$#%&`"\x00-\x1f\x7f-\x9f]{1,40}""")
_PARAMETERS = {
    "ItemReader": (GET_OBJECT, ("Bucket", "Key")),
    "ResultWriter": (PUT_OBJECT, ("Bucket",)),
}
_TOLERANCE = tuple(f"ToleratedFailure{what}{end}" for what in ("Percentage", "Count") for end in ("", "Path"))
_INPUT_TYPES = ("CSV", "JSON", "JSONL")


def is_distributed(state: Mapping[str, Any]) -> bool:
    """Whether a Map runs its items as child executions."""
    processor = state.get("ItemProcessor") or {}
    return state.get("Type") == "Map" and (processor.get("ProcessorConfig") or {}).get("Mode") == "DISTRIBUTED"


def check_distributed_map(state: Mapping[str, Any], path: str) -> Iterator[str]:
    """The problems of one Distributed Map, at any depth of it."""
    processor = state["ItemProcessor"]
    kind = processor["ProcessorConfig"].get("ExecutionType")
    label = state.get("Label")
    if not isinstance(label, str) or not _LABEL.fullmatch(label):
        yield f"{path}: needs a Label of 1 to 40 characters, none of them special, not {label!r}"
    if kind not in (STANDARD, EXPRESS):
        yield f"{path}: ExecutionType {kind!r} is not STANDARD or EXPRESS"
    if not any(field in state for field in ("MaxConcurrency", "MaxConcurrencyPath")):
        yield f"{path}: needs MaxConcurrency"
    if not any(field in state for field in _TOLERANCE):
        yield f"{path}: needs one of {', '.join(_TOLERANCE)}"
    yield from _reader(state, path)
    for field, (resource, names) in _PARAMETERS.items():
        if field in state:
            yield from _object(state[field], f"{path}: {field}", resource, names)
    if "ItemBatcher" in state and not any(field.startswith("Max") for field in state["ItemBatcher"]):
        yield f"{path}: ItemBatcher needs MaxItemsPerBatch or MaxInputBytesPerBatch"
    if not state.get("Catch"):
        yield f"{path}: {NEEDS_CATCH}"
    if kind == EXPRESS:
        yield from _express(processor, path)


def _reader(state: Mapping[str, Any], path: str) -> Iterator[str]:
    config = state.get("ItemReader", {}).get("ReaderConfig", {})
    input_type = config.get("InputType")
    if "ItemReader" not in state:
        return
    if input_type not in _INPUT_TYPES:
        yield f"{path}: ReaderConfig.InputType {input_type!r} is not one of {', '.join(_INPUT_TYPES)}"
    location = config.get("CSVHeaderLocation")
    if input_type == "CSV" and location not in ("FIRST_ROW", "GIVEN"):
        yield f"{path}: ReaderConfig.CSVHeaderLocation {location!r} is not FIRST_ROW or GIVEN"
    if location == "GIVEN" and not config.get("CSVHeaders"):
        yield f"{path}: ReaderConfig needs CSVHeaders"


def _object(value: Mapping[str, Any], where: str, resource: str, names: tuple[str, ...]) -> Iterator[str]:
    if value.get("Resource") != resource:
        yield f"{where}.Resource {value.get('Resource')!r} is not {resource}"
    for name in names:
        if not {name, f"{name}.$"} & set(value.get("Parameters", {})):
            yield f"{where} needs the parameter {name}"


def _express(machine: Mapping[str, Any], path: str) -> Iterator[str]:
    """Problems of states in EXPRESS children: no task tokens, no nested child executions, at most five minutes."""
    for name, state in machine.get("States", {}).items():
        where = f"{path}/{name}"
        if str(state.get("Resource", "")).endswith(".waitForTaskToken"):
            yield f"{where}: an EXPRESS child can't wait for a task token"
        timeout = state.get("TimeoutSeconds")
        if isinstance(timeout, int) and timeout >= EXPRESS_SECONDS:
            yield f"{where}: TimeoutSeconds {timeout} is not below {EXPRESS_SECONDS}, when an EXPRESS child ends"
        if is_distributed(state):
            yield f"{where}: a Distributed Map can't run in an EXPRESS child"
        inner = [state.get("ItemProcessor") or {}] if state.get("Type") == "Map" else state.get("Branches", [])
        for one in inner:
            yield from _express(one, where)
