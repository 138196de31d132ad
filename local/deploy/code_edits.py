"""Detects edits that only change the functions' code, as nearly all do, so that the program needn't be evaluated.

Evaluating the program takes half of a deployment's time. Its declarations depend on the configuration, on what it reads
in the application's sources, and on the files below; if those are unchanged, only the functions' code can have changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pulumi

from infra.application_sources import ApplicationSources, application_sources
from infra.configuration.stack_config import ConfigError, StackConfig
from infra.definitions.checks import DefinitionError
from infra.packages.requirements import FILE
from infra.packaging import PackagingError, functions_archive
from local.deploy.program import PROGRAM
from local.deploy.project import Stack
from local.deploy.workspace import Workspace


@dataclass(frozen=True)
class Declared:
    """The inputs of a program's declarations."""

    settings: Stack
    texts: tuple[bytes, ...]
    sources: ApplicationSources


def declared_from(project_dir: Path, settings: Stack) -> Declared | None:
    """The current inputs; None if the program would refuse them, or isn't this repository's program."""
    try:
        config = StackConfig.from_texts(settings.config, settings.project)
        sources = application_sources(config, project_dir)
    except (ConfigError, PackagingError, DefinitionError):
        return None
    texts = (path for path in (project_dir / PROGRAM, project_dir / FILE) if path.is_file())
    return Declared(settings, tuple(path.read_bytes() for path in texts), sources)


def archive_of(declared: Declared, project_dir: Path) -> pulumi.AssetArchive:
    """The functions' code. Raises PackagingError: the folder for bytecode isn't writable."""
    config = StackConfig.from_texts(declared.settings.config, declared.settings.project)
    return functions_archive(declared.sources.members, config, project_dir)


def is_deployed(declared: Declared, project_dir: Path, workspace: Workspace) -> bool:
    """Whether all functions have this code, since a program could give them different code."""
    folder = workspace.archives.unpack(archive_of(declared, project_dir), "the functions").folder
    return all(spec.archive_dir == folder for spec in workspace.deployment.functions.values())
