"""Reads the Pulumi CLI's project and stack files.

Shapes: Pulumi documentation, "Pulumi project file reference" (``name``, ``config`` with ``type``, ``default``,
``value``) and "Pulumi stack settings file reference" (``config``). A key without a namespace belongs to the project.
Files that the CLI would refuse are refused here, too (``project_rules``), so that no test passes with files that
``pulumi up`` rejects.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from botocore.session import get_session

from infra.definitions import json_files
from local.aws.environment import clean_environment
from local.deploy.errors import DeployError
from local.deploy.project_rules import (
    STACK_FIELDS,
    STACK_NAME,
    Declared,
    check_project,
    check_values,
    declarations,
    is_secret,
    kept_text,
    qualified,
    unknown_fields,
)
from local.deploy.yaml_files import read_mapping

PROJECT_FILE = "Pulumi.yaml"
#: A setting of the engine, not of the program.
AUTONAMING = "pulumi:autonaming"
REGION = "aws:region"
#: The region if none is configured. The user's own AWS settings aren't used here.
DEFAULT_REGION = "us-east-1"
#: Fields of the two files that the CLI supports and the local runtime doesn't.
_NOT_LOCAL = {PROJECT_FILE: ("main", "stackConfigDir"), "stack": ("environment",)}


@dataclass(frozen=True)
class Stack:
    """A stack's effective configuration: the project's defaults, the stack's file, then the overrides.

    ``config``: qualified key to text, as the engine passes it to the program.
    """

    project: str
    name: str
    config: Mapping[str, str]
    autonaming: str | None = None

    @property
    def region(self) -> str:
        """The configured AWS region."""
        return self.config.get(REGION, DEFAULT_REGION)


def stack_names(project_dir: Path) -> list[str]:
    """The stacks with a file, sorted."""
    files = (path.name for path in project_dir.glob("Pulumi.*.yaml"))
    return sorted(name.removeprefix("Pulumi.").removesuffix(".yaml") for name in files)


def load_stack(project_dir: Path, stack: str, overrides: Mapping[str, str] | None = None) -> Stack:
    """Read ``Pulumi.yaml`` and ``Pulumi.<stack>.yaml``, and check them by the CLI's rules.

    Args:
        project_dir: the folder with both files.
        stack: its name.
        overrides: values that override the stack's file; keys with or without the project's namespace. Lists and
            objects are given as JSON.

    Raises:
        DeployError: a file is missing or the CLI would refuse it, or the stack is unknown (the text lists the existing
            ones). One line per problem.
    """
    project_file = project_dir / PROJECT_FILE
    if not project_file.is_file():
        raise DeployError(f"no {PROJECT_FILE} in {project_dir}")
    project = read_mapping(project_file)
    problems = [*check_project(project), *_not_local(project, PROJECT_FILE)]
    _refuse(PROJECT_FILE, problems)
    name = str(project["name"])
    declared = declarations(project.get("config") or {}, name, problems)
    _refuse(PROJECT_FILE, problems)
    if not STACK_NAME.fullmatch(stack):
        raise DeployError(f"stack {stack!r} is not allowed; expected 1 to 100 letters, digits, '-', '_' and '.'")
    known = stack_names(project_dir)
    if stack not in known:
        raise DeployError(f"unknown stack {stack!r}; stacks: {', '.join(known) or 'none'}")
    stack_file = f"Pulumi.{stack}.yaml"
    settings = read_mapping(project_dir / stack_file)
    problems = [*unknown_fields(settings, STACK_FIELDS), *_not_local(settings, "stack")]
    values = _values(settings.get("config"), name, problems)
    _refuse(stack_file, problems)
    autonaming = _pattern(values.pop(AUTONAMING, None), stack_file)
    for key, text in (overrides or {}).items():
        qualified_key = _qualified(key, name)
        values[qualified_key] = _overriding(qualified_key, text, declared.get(qualified_key))
    problems = list(check_values(declared, values, name))
    problems += [
        f"{key}: is encrypted and can't be read locally; override it"
        for key, value in values.items()
        if is_secret(value)
    ]
    _refuse(stack_file, problems)
    effective = {key: one.value for key, one in declared.items() if one.has_value} | values
    config = {key: kept_text(value) for key, value in effective.items()}
    _check_region(config.get(REGION, DEFAULT_REGION))
    return Stack(name, stack, config, autonaming)


def _check_region(region: str) -> None:
    """The AWS provider's check of the region before any operation (pulumi-aws, ``skipRegionValidation``)."""
    known = _regions()
    if region not in known:
        close = difflib.get_close_matches(region, known, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise DeployError(f"{REGION}: {region} is not a region{hint}")


@cache
def _regions() -> tuple[str, ...]:
    """All regions in botocore's own data, regardless of the user's settings."""
    with clean_environment(DEFAULT_REGION):
        session = get_session()
        return tuple(
            one
            for partition in session.get_available_partitions()
            for one in session.get_available_regions("dynamodb", partition)
        )


def _refuse(file: str, problems: list[str]) -> None:
    if problems:
        raise DeployError("\n".join(f"{file}: {problem}" for problem in problems))


def _not_local(document: Mapping[str, Any], file: str) -> list[str]:
    """Problems with fields that would change what is read or run, and aren't supported here."""
    return [f"{field!r} is not supported by the local runtime" for field in _NOT_LOCAL[file] if document.get(field)]


def _values(config: Any, project: str, problems: list[str]) -> dict[str, Any]:
    """The values of a stack's file by qualified key. Errors are added to ``problems``."""
    if config is None:
        return {}
    if not isinstance(config, Mapping):
        problems.append(f"config: {json.dumps(config)} is not allowed; expected keys with their values")
        return {}
    values: dict[str, Any] = {}
    for key, value in config.items():
        try:
            name = qualified(key, project)
        except ValueError as error:
            problems.append(str(error))
            continue
        if name in values:
            # The CLI uses either of them, at random.
            problems.append(f"{name} is there twice, once without its namespace")
        if value is None:
            problems.append(f'{name}: has no value; write "" for an empty text, or leave the key out')
        values[name] = value
    return values


def _qualified(key: str, project: str) -> str:
    try:
        return qualified(key, project)
    except ValueError as error:
        raise DeployError(str(error)) from None


def _overriding(key: str, text: str, declared: Declared | None) -> Any:
    """A value given as text, which is JSON if the project declares a list or an object."""
    if declared is None or declared.type not in ("array", "object"):
        return text
    try:
        return json_files.parse(text)
    except json_files.RepeatedKey as error:
        raise DeployError(f"{key}: {error}") from None
    except ValueError:
        return text


def _pattern(setting: Any, where: str) -> str | None:
    """The ``pattern`` of the ``pulumi:autonaming`` setting (Pulumi documentation, "Autonaming configuration")."""
    if setting is None:
        return None
    if not isinstance(setting, Mapping) or set(setting) - {"pattern"} or not isinstance(setting.get("pattern"), str):
        raise DeployError(f"{where}: {AUTONAMING} is {json.dumps(setting)}; supported locally: a pattern")
    return str(setting["pattern"])
