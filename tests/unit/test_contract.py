"""HOUSE-04: the words of contract/ are typed there and nowhere else, and the definitions use them."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import contract
from contract import (
    command_status,
    functions,
    messages,
    options,
    outputs,
    rows,
    state_machines,
    tables,
    targets,
    work_status,
)
from infra.capabilities import catalogue
from infra.components.state_machines import DEFINITIONS, SUFFIX, load_definition, placeholder

ROOT = Path(__file__).parents[2]
FOLDERS = ("handlers", "infra", "cli", "local", "bench", "policy")
#: A word that nothing else is called: made of several words, or in camel case.
DISTINCTIVE = re.compile(r"[A-Za-z]+([-_/:].*)|[a-z]+[A-Z].*")
#: What other things are called too.
COMMON = {
    state_machines.RECORD_FAILURE: "a step of tests and of two machines",
    state_machines.STATUS_SOURCE: "AWS's own word",
    outputs.EVENT_BUS_NAME: "pulumi-aws's property too",
    outputs.KMS_KEY_ARN: "pulumi-aws's property too",
    tables.DUE_AT: "a field like others in handlers",
    tables.OPEN_SHARD: "a field like others in handlers",
}
#: Words that other code means something else by, refused where they can only mean ours.
STATUSES = {work_status.CREATED, work_status.QUEUED, work_status.PROCESSING, work_status.CANCELLED}
STATUSES |= {work_status.SUPERSEDED}
CHANGES = {tables.INSERT, tables.MODIFY}
MACHINE_TYPES = {state_machines.STANDARD, state_machines.EXPRESS}
OURS = STATUSES | CHANGES | MACHINE_TYPES | {options.TERMINAL, targets.EVENTBRIDGE}
LOGICAL_NAMES = {*functions.FUNCTIONS, *tables.TABLES}


def words_of(value: object) -> Iterator[str]:
    """All texts of a constant."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (word for pair in value.items() for one in pair for word in words_of(one))
    elif isinstance(value, tuple | list | set | frozenset):
        yield from (word for one in value for word in words_of(one))


def contract_words() -> set[str]:
    """All texts in the package."""
    modules = [importlib.import_module(f"contract.{one.name}") for one in pkgutil.iter_modules(contract.__path__)]
    constants = [vars(module)[name] for module in modules for name in vars(module) if name.isupper()]
    return {word for value in constants for word in words_of(value)}


def literals(tree: ast.AST) -> Iterator[ast.Constant]:
    """All texts in code but those of ``__all__``, which are names."""
    names = {
        id(one)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and any(getattr(to, "id", "") == "__all__" for to in node.targets)
        for one in ast.walk(node.value)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in names:
            yield node


def typed_again(source: str, words: set[str]) -> list[str]:
    """The words of the contract that a module has as texts of its own."""
    return [f"line {one.lineno}: {one.value!r}" for one in literals(ast.parse(source)) if one.value in words]


def refused_in(folder: str) -> set[str]:
    """The words that may not be typed in a folder."""
    distinctive = {word for word in contract_words() if DISTINCTIVE.fullmatch(word)} - set(COMMON)
    # The embedded AWS and the guard rails speak AWS's language: INSERT and STANDARD are theirs too.
    return distinctive if folder in ("local", "policy") else distinctive | OURS


@pytest.mark.parametrize("folder", FOLDERS)
def test_house_04_no_word_is_typed_again(folder: str) -> None:
    words = refused_in(folder)
    found = {
        path.relative_to(ROOT).as_posix(): again
        for path in sorted((ROOT / folder).rglob("*.py"))
        if (again := typed_again(path.read_text(encoding="utf-8"), words))
    }
    assert found == {}, "contract/ has these words: import them"


def test_house_04_the_scan_sees_what_it_looks_for() -> None:
    words = refused_in("handlers")
    assert {"import_tmp", "task-action-queue", "imports/", "cancelRequested", "commandStateMachineArn"} <= words
    assert {"sub-task-status", "command-handler", "csv_rows_handler", "QUEUED", "INSERT", "eventbridge"} <= words
    assert not {"commands", "task", "open", "FAILED", "status"} & words
    source = '__all__ = ("QUEUED",)\n"""QUEUED"""\nstatus = "QUEUED"\nother = f"{x}import_tmp"\n'
    assert typed_again(source, words) == ["line 2: 'QUEUED'", "line 3: 'QUEUED'", "line 4: 'import_tmp'"]


def test_house_04_the_program_names_tables_and_functions_by_the_contract() -> None:
    """The service ``states`` of an ARN is AWS's word."""
    found = []
    for path in sorted((ROOT / "infra").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        of_aws = {id(call.args[0]) for call in calls if getattr(call.func, "attr", "") == "arn" and call.args}
        found += [
            f"{path.relative_to(ROOT)} line {one.lineno}: {one.value!r}"
            for one in literals(tree)
            if one.value in LOGICAL_NAMES and id(one) not in of_aws
        ]
    assert found == []


def filters_in(tree: ast.AST) -> Iterator[ast.Dict]:
    """What event filters ask of a row."""
    for node in ast.walk(tree):
        for key, value in zip(getattr(node, "keys", ()), getattr(node, "values", ()), strict=False):
            if isinstance(key, ast.Constant) and key.value == "NewImage" and isinstance(value, ast.Dict):
                yield value


def test_house_04_event_filters_name_no_value_themselves() -> None:
    """A value that only one side changed would deploy, and let nothing through."""
    seen, found = 0, []
    for path in sorted((ROOT / "infra").rglob("*.py")):
        for image in filters_in(ast.parse(path.read_text(encoding="utf-8"))):
            seen += 1
            lists = [node for node in ast.walk(image) if isinstance(node, ast.List)]
            values = [one for node in lists for one in node.elts if isinstance(one, ast.Constant)]
            found += [
                f"{path.relative_to(ROOT)} line {one.lineno}: {one.value!r}" for one in values if one.value != "0"
            ]
    assert seen >= 10
    assert found == []


#: Definition to the states whose work is a function's.
COMMAND_STATES = set(command_status.STATE_RANKS) - {command_status.PUBLISH} | {command_status.RECORD_FAILURE}
STATES: dict[str, set[str]] = {
    "command": COMMAND_STATES,
    "command_express": COMMAND_STATES - {command_status.WAIT_PREV_COMMAND} | {state_machines.PARK},
    "task": {
        state_machines.ITERATOR,
        state_machines.RECORD_ITEM_FAILURE,
        state_machines.FINALIZE_TASK,
        state_machines.RECORD_FAILURE,
    },
    "import_csv": {
        state_machines.CSV_LOADER,
        state_machines.CSV_ROWS_HANDLER,
        state_machines.JSONL_ROWS_HANDLER,
        state_machines.WAIT_ROWS,
        state_machines.CHECK_ROWS,
        state_machines.FINALIZE_PARENT_JOB,
    },
    "import_zip": {
        state_machines.ZIP_LOADER,
        state_machines.TRIGGER_SINGLE_CSV,
        state_machines.CANCEL_SINGLE_CSV,
        state_machines.FINALIZE_ZIP_JOB,
    },
}
MAPS = {"import_csv": (state_machines.CSV_MAP, state_machines.JSONL_MAP), "import_zip": (state_machines.ZIP_MAP,)}


def all_states(machine: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """States by name, those of Maps too."""
    for name, state in machine["States"].items():
        yield name, state
        if state["Type"] == "Map":
            yield from all_states(state["ItemProcessor"])


@pytest.mark.parametrize("name", sorted(path.name.removesuffix(SUFFIX) for path in DEFINITIONS.glob(f"*{SUFFIX}")))
def test_house_04_definitions_and_contract_agree(name: str) -> None:
    states = dict(all_states(load_definition(name)))
    tasks = {state: body for state, body in states.items() if body["Type"] == "Task"}
    assert set(tasks) == STATES[name]
    assert {body["Parameters"]["Payload"]["source"] for body in tasks.values()} == {state_machines.SOURCE}
    called = {body["Parameters"]["FunctionName"] for body in tasks.values()}
    assert called <= {f"${{{placeholder(function)}}}" for function in functions.FUNCTIONS}
    assert all(states[one]["Type"] == "Map" for one in MAPS.get(name, ()))


def test_house_04_each_function_is_specified_once() -> None:
    """What is checked before anything is declared goes over this list."""
    assert sorted(one.name for one in catalogue.FUNCTIONS) == sorted(functions.FUNCTIONS)
    entrypoints = {path.stem for path in (ROOT / "handlers" / "entrypoints").glob("*.py")}
    assert entrypoints - {"__init__"} == set(functions.FUNCTIONS)


def test_house_04_each_machine_has_a_definition() -> None:
    assert len(STATES) == len(state_machines.MACHINES)
    assert set(state_machines.COMMAND_MACHINES.values()) <= set(state_machines.MACHINES)


def test_house_04_the_contract_imports_nothing_but_itself() -> None:
    """It is loaded at every cold start."""
    for path in (ROOT / "contract").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not isinstance(node, ast.Import), path
            if isinstance(node, ast.ImportFrom):
                assert node.module is not None
                assert node.module.partition(".")[0] in ("__future__", "contract"), path
            assert not isinstance(node, ast.FunctionDef | ast.ClassDef), path


def test_house_04_every_action_goes_to_one_queue() -> None:
    actions = [action for wanted in messages.QUEUES.values() for action in wanted]
    assert len(set(actions)) == len(actions) == 6
    assert {rows.TASK, rows.BATCH, rows.ITEM}.isdisjoint({rows.JOB, rows.ROW, rows.COUNTERS, rows.FILE})
