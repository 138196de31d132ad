"""ENG-03, ENG-04, ENG-08: what a change of the configuration is to the real engine, and what it refuses."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from pulumi import AssetArchive

from infra.configuration.stack_config import NAMESPACE, ConfigError, StackConfig
from local.deploy.project_rules import check_values, declarations, kept_text
from tests.infra.test_config import REFUSED
from tests.real.configuration import OTHER, WITH
from tests.real.world import Project, World, errors
from tests.support.evaluation import Registration, evaluated

pytestmark = pytest.mark.real
#: Replacing one of these loses data, messages or subscribers.
KEPT = ("aws:dynamodb/table:Table", "aws:s3/bucket:Bucket", "aws:sns/topic:Topic", "aws:sqs/queue:Queue")


@pytest.fixture(scope="module")
def project(world: World) -> Project:
    project = world.program()
    project.init("dev")
    project.up("dev")
    return project


@pytest.fixture(scope="module")
def as_committed() -> Mapping[tuple[str, str], Registration]:
    return registrations({})


def registrations(config: Mapping[str, str]) -> dict[tuple[str, str], Registration]:
    return {(one.type, one.name): one for one in evaluated("dev", config).registrations if one.custom}


def differing(before: Mapping[tuple[str, str], Registration], key: str, value: Any) -> set[tuple[str, str]]:
    """What our own mocks say that the change reaches."""
    given = {key: value, **WITH.get(key, {})}
    after = registrations(
        {f"cqrs:{one}": text if isinstance(text, str) else json.dumps(text) for one, text in given.items()}
    )
    return {one for one in {*before, *after} if _props(before, one) != _props(after, one)}


def _props(found: Mapping[tuple[str, str], Registration], key: tuple[str, str]) -> dict[str, Any] | None:
    """Archives by the names of their members: all else in them is the same in both."""
    if key not in found:
        return None
    return {k: sorted(v.assets) if isinstance(v, AssetArchive) else v for k, v in found[key].props.items()}


@pytest.mark.parametrize("key", sorted(OTHER))
def test_eng_03_a_changed_key_reaches_what_is_meant(
    project: Project, as_committed: Mapping[tuple[str, str], Registration], key: str
) -> None:
    value, types = OTHER[key]
    with project.configured("dev", {key: value, **WITH.get(key, {})}):
        changes = project.changes("dev")
    changes = {one: change for one, change in changes.items() if not one[0].startswith("cqrs:")}  # components
    stack = changes.pop(("pulumi:pulumi:Stack", "cqrs-dev"), None)
    assert stack is None or stack["op"] in ("same", "update")  # its outputs
    assert {type_ for type_, _ in changes} <= set(types)
    assert set(changes) == differing(as_committed, key, value)
    assert bool(changes) == bool(types)
    replaced = [one for one, change in changes.items() if change["replace"] or "replace" in change["op"]]
    assert [one for one in replaced if one[0] in KEPT] == []
    assert replaced == []


DECLARED = declarations(
    yaml.safe_load((World.source / "Pulumi.yaml").read_text(encoding="utf-8"))["config"], NAMESPACE, []
)


def refused_by_the_cli(key: str, value: Any) -> bool:
    """By our copy of its rules (``local.deploy.project_rules``): types are checked before the program runs."""
    return bool(list(check_values(DECLARED, {f"{NAMESPACE}:{key}": value}, NAMESPACE)))


def told_by_the_program(key: str, value: Any) -> str | None:
    """Its line, None if nothing is wrong with the text that the CLI makes of the value ("true" is true)."""
    try:
        StackConfig.from_texts({f"{NAMESPACE}:{key}": kept_text(value)}, NAMESPACE)
    except ConfigError as error:
        (line,) = error.problems
        return line
    return None


def refused(project: Project, values: Mapping[str, Any]) -> str:
    with project.configured("dev", values):
        output = project.run("preview", "--stack", "dev", refused=True)
    for sign in ("Traceback", "panic", "unhandled", "to create", "created"):
        assert sign not in output
    return output


#: A null is no value to the CLI: the default counts.
VALUES = [(key, value) for key, value in REFUSED if value is not None]
BY_THE_CLI = [(key, value) for key, value in VALUES if refused_by_the_cli(key, value)]
BY_THE_PROGRAM = [(key, value) for key, value in VALUES if (key, value) not in BY_THE_CLI]


def test_eng_04_the_cli_refuses_wrong_types_itself(project: Project) -> None:
    """Before it starts the program; our copy of its rules agrees with it, value by value."""
    assert len(BY_THE_CLI) > 50
    for key, value in BY_THE_CLI:
        messages = errors(refused(project, {key: value}))
        assert len(messages) == 1, (key, value, messages)
        assert f"'{NAMESPACE}:{key}'" in messages[0] or f"'{key}'" in messages[0], (key, value, messages)


def rounds() -> list[dict[str, tuple[Any, str]]]:
    """Wrong values of many keys at once, with the line that each is told: the program tells all of them."""
    found: list[dict[str, tuple[Any, str]]] = []
    for key, value in BY_THE_PROGRAM:
        line = told_by_the_program(key, value)
        if line is None:
            continue
        place = next((one for one in found if key not in one), None)
        if place is None:
            place = {}
            found.append(place)
        place[key] = (value, line)
    return found


ROUNDS = rounds()


@pytest.mark.parametrize("number", range(len(ROUNDS)))
def test_eng_04_the_program_refuses_what_the_cli_lets_through(project: Project, number: int) -> None:
    output = refused(project, {key: value for key, (value, _) in ROUNDS[number].items()})
    _, _, diagnostics = output.partition("Diagnostics:")
    lines = [line.strip() for line in diagnostics.partition("Resources:")[0].splitlines()]
    told = [line.removeprefix("error: ") for line in lines[2:] if line]
    assert sorted(told) == sorted(line for _, line in ROUNDS[number].values())
    assert sum(line.startswith("error: ") for line in lines) == 1


def test_eng_08_a_preview_comments_on_the_pull_request(project: Project) -> None:
    with project.configured("dev", {"alarmFailedExecutions": 7}):
        preview = project.json("preview", "--stack", "dev")
        comment = subprocess.run(
            ["sh", str(World.source / ".github" / "scripts" / "pulumi_preview.sh"), "dev"],
            cwd=project.folder,
            env=project.world.environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    changed = [step for step in preview["steps"] if step["op"] == "update"]
    assert {step["oldState"]["inputs"]["threshold"] for step in changed} == {1}
    assert {step["newState"]["inputs"]["threshold"] for step in changed} == {7}
    assert preview["changeSummary"]["update"] == len(changed) == 5
    assert comment.startswith("### Preview of `dev`")
    assert comment.count("~ threshold: 1 => 7") == len(changed)
    assert "The preview failed" not in comment
