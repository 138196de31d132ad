"""The project and stack files that the Pulumi CLI would read.

Shapes: Pulumi documentation, "Pulumi project file reference" (``name``, ``config`` with ``type``, ``default``,
``value``) and "Pulumi stack settings file reference" (``config``). A key without a namespace belongs to the project.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # comes with pulumi

from local.deploy.errors import DeployError

#: Settings of the engine, not of the program.
AUTONAMING = "pulumi:autonaming"


@dataclass(frozen=True)
class Stack:
    """A stack's effective configuration: the project's defaults, the stack's file, then the overrides."""

    project: str
    name: str
    config: Mapping[str, str]
    autonaming: str | None = None


def stack_names(project_dir: Path) -> list[str]:
    """The stacks that have a file, sorted."""
    return sorted(path.name.split(".")[1] for path in project_dir.glob("Pulumi.*.yaml"))


def load_stack(project_dir: Path, stack: str, overrides: Mapping[str, str] | None = None) -> Stack:
    """Read ``Pulumi.yaml`` and ``Pulumi.<stack>.yaml``.

    Args:
        project_dir: the folder with both files.
        stack: its name.
        overrides: values that win over the stack's file; keys with or without the project's namespace.

    Raises:
        DeployError: a file is missing or unusable, or the stack is unknown (the text lists those that exist).
    """
    project_file = project_dir / "Pulumi.yaml"
    if not project_file.is_file():
        raise DeployError(f"no Pulumi.yaml in {project_dir}")
    project = _read(project_file)
    name = project.get("name")
    if not isinstance(name, str):
        raise DeployError("Pulumi.yaml has no name")
    known = stack_names(project_dir)
    if stack not in known:
        raise DeployError(f"unknown stack {stack!r}; stacks: {', '.join(known) or 'none'}")
    stack_file = project_dir / f"Pulumi.{stack}.yaml"
    values: dict[str, Any] = {}
    for key, declared in (project.get("config") or {}).items():
        if isinstance(declared, Mapping):
            for field in ("default", "value"):
                if field in declared:
                    values[_qualified(key, name)] = declared[field]
        else:
            values[_qualified(key, name)] = declared
    for key, value in (_read(stack_file).get("config") or {}).items():
        if isinstance(value, Mapping) and set(value) == {"secure"}:
            raise DeployError(f"{stack_file.name}: {key} is encrypted and can't be read locally; override it")
        values[_qualified(key, name)] = value
    autonaming = values.pop(AUTONAMING, None)
    values.update({_qualified(key, name): value for key, value in (overrides or {}).items()})
    return Stack(
        project=name,
        name=stack,
        config={key: _text(value) for key, value in values.items() if value is not None},
        autonaming=_pattern(autonaming, stack_file.name),
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        parsed = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise DeployError(f"{path.name} is not YAML: {' '.join(str(error).split())}") from error
    if parsed is None:
        return {}
    if not isinstance(parsed, dict):
        raise DeployError(f"{path.name} must hold a mapping")
    return parsed


def _qualified(key: str, project: str) -> str:
    return key if ":" in key else f"{project}:{key}"


def _text(value: Any) -> str:
    """Configuration values are strings; objects, lists, numbers and booleans are their JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def _pattern(setting: Any, where: str) -> str | None:
    """The ``pattern`` of the ``pulumi:autonaming`` setting (Pulumi documentation, "Autonaming configuration")."""
    if setting is None:
        return None
    if not isinstance(setting, Mapping) or set(setting) - {"pattern"} or not isinstance(setting.get("pattern"), str):
        raise DeployError(f"{where}: {AUTONAMING} is {json.dumps(setting)}; supported locally: a pattern")
    return str(setting["pattern"])
