"""Documents the state machines: a page with a Mermaid diagram and a table for each definition file.

Mermaid's ``stateDiagram-v2``; GitHub and most editors render it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from infra.definitions import json_files

DEFINITIONS = Path("infra", "state_machines")
PAGES = Path("docs", "diagrams")
SUFFIX = ".asl.json"
#: Prefix of the command machines' files.
COMMANDS = "command"
INDENT = "    "
END = "[*]"
NOTE = "<!-- generated from {source} by ./cqrs docs; do not edit -->"
_COMPARISONS = {
    "NumericEquals": "=",
    "NumericGreaterThan": ">",
    "NumericGreaterThanEquals": ">=",
    "NumericLessThan": "<",
    "NumericLessThanEquals": "<=",
    "StringEquals": "=",
    "BooleanEquals": "=",
    "IsPresent": "is present",
    "IsNull": "is null",
}


def pages(root: Path) -> dict[Path, str]:
    """Page to its up-to-date text, one for each definition in ``root``."""
    return {
        root / PAGES / f"{source.name.removesuffix(SUFFIX)}.md": page(source, root)
        for source in sorted((root / DEFINITIONS).glob(f"*{SUFFIX}"))
    }


def page(source: Path, root: Path) -> str:
    """One definition's page."""
    definition = json_files.read(source)
    lines = [
        NOTE.format(source=source.relative_to(root).as_posix()),
        f"# {source.name.removesuffix(SUFFIX).replace('_', ' ').capitalize()} state machine",
        "",
        definition["Comment"],
        "",
        "```mermaid",
        *diagram(definition),
        "```",
        "",
        "| state | type | timeout | what it does |",
        "| --- | --- | --- | --- |",
        *(_row(name, state) for name, state in _all_states(definition)),
    ]
    return "\n".join(lines) + "\n"


def graphs(root: Path) -> str:
    """The command machines for the console, as JSON: states with their next states, separately for errors."""
    found = {}
    for source in sorted((root / DEFINITIONS).glob(f"{COMMANDS}*{SUFFIX}")):
        definition = json_files.read(source)
        states = [
            {
                "name": name,
                "type": state["Type"],
                "next": list(dict.fromkeys(_following(state))),
                "errors": list(dict.fromkeys(one["Next"] for one in state.get("Catch", ()))),
                "isEnd": state["Type"] in ("Succeed", "Fail"),
            }
            for name, state in definition["States"].items()
        ]
        found[source.name.removesuffix(SUFFIX)] = {"startAt": definition["StartAt"], "states": states}
    return json.dumps(found, indent=1) + "\n"


def _following(state: Mapping[str, Any]) -> Iterator[str]:
    for one in (state, *state.get("Choices", ())):
        if "Next" in one:
            yield one["Next"]
    if "Default" in state:
        yield state["Default"]


def diagram(definition: Mapping[str, Any]) -> list[str]:
    """The lines of the Mermaid diagram."""
    return ["stateDiagram-v2", *(f"{INDENT}{line}" for line in _machine(definition))]


def _machine(machine: Mapping[str, Any]) -> Iterator[str]:
    states = machine["States"]
    for name, state in states.items():
        if _id(name) != name:
            yield f"{_id(name)}: {name}"
        if state["Type"] == "Choice":
            yield f"state {_id(name)} <<choice>>"
        inner = [state["ItemProcessor"]] if state["Type"] == "Map" else state.get("Branches", [])
        if inner:
            yield f"state {_id(name)} {{"
            for number, one in enumerate(inner):
                if number:
                    yield f"{INDENT}--"
                yield from (f"{INDENT}{line}" for line in _machine(one))
            yield "}"
    yield f"[*] --> {_id(machine['StartAt'])}"
    for name, state in states.items():
        for target, label in _ways(state):
            yield f"{_id(name)} --> {target if target == END else _id(target)}{f': {label}' if label else ''}"


def _id(name: str) -> str:
    """A state's name as a Mermaid id, which ``-`` and white space would end."""
    return re.sub(r"\W", "_", name)


def _ways(state: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for choice in state.get("Choices", []):
        yield choice["Next"], _condition(choice)
    if "Default" in state:
        yield state["Default"], "otherwise"
    if "Next" in state:
        yield state["Next"], ""
    if state.get("End") or state["Type"] in ("Succeed", "Fail"):
        yield END, ""
    for catcher in state.get("Catch", []):
        errors = ", ".join(catcher["ErrorEquals"])
        yield catcher["Next"], "on any error" if errors == "States.ALL" else f"on {errors}"


def _condition(choice: Mapping[str, Any]) -> str:
    """A comparison in words; for nested ones, the names of their operators."""
    for operator, sign in _COMPARISONS.items():
        if operator in choice:
            variable = choice["Variable"].removeprefix("$.")
            value = choice[operator]
            if operator.startswith("Is"):
                return f"{variable} {sign}" if value else f"not ({variable} {sign})"
            return f"{variable} {sign} {json.dumps(value) if isinstance(value, bool) else value}"
    names = [name for name in choice if name not in ("Next", "Comment", "Variable")]
    return f"{choice.get('Variable', '')} {' '.join(names)}".strip()


def _all_states(machine: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, state in machine["States"].items():
        yield name, state
        inner = [state["ItemProcessor"]] if state["Type"] == "Map" else state.get("Branches", [])
        for one in inner:
            yield from _all_states(one)


def _mode(state: Mapping[str, Any]) -> str:
    """For a Map in Distributed mode, the type and maximum concurrency of its children."""
    config = state.get("ItemProcessor", {}).get("ProcessorConfig", {})
    if config.get("Mode") != "DISTRIBUTED":
        return ""
    most = state.get("MaxConcurrency", state.get("MaxConcurrencyPath", 0))
    return f" (distributed: {config['ExecutionType']} children{f', at most {most} at once' if most else ''})"


def _row(name: str, state: Mapping[str, Any]) -> str:
    waits = " (waits for its token)" if state.get("Resource", "").endswith(".waitForTaskToken") else ""
    timeout = f"{state['TimeoutSeconds']} s" if "TimeoutSeconds" in state else ""
    comment = state.get("Comment", "").replace("|", "\\|")
    return f"| `{name}` | {state['Type']}{_mode(state)}{waits} | {timeout} | {comment} |"
