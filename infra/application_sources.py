"""What the program takes from the application's sources, read without running them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra.configuration.stack_config import StackConfig
from infra.definitions.custom_workflows import CustomWorkflow, find_workflows
from infra.definitions.handler_classes import HandlerClass, handler_classes
from infra.packages.layer import ApplicationPackages, application_packages
from infra.packaging import archive_members, check_modules
from infra.physical_names import taken_names


@dataclass(frozen=True)
class ApplicationSources:
    """Two equal instances with the same configuration declare the same stack, apart from the functions' code.

    ``members``: the functions' own files, by their paths in the archive.
    """

    members: Mapping[str, Path] = field(compare=False)
    packages: ApplicationPackages | None
    workflows: list[CustomWorkflow]
    classes: list[HandlerClass]


def application_sources(config: StackConfig, root: Path) -> ApplicationSources:
    """Read the application's sources. ``root`` contains the ``handlers`` package.

    Raises:
        PackagingError, DefinitionError: a source can't be deployed.
    """
    members = archive_members(root, config.application_packages)
    packages = application_packages(root, config, members)
    sources = members if packages is None else {**packages.sources, **members}
    check_modules(members, sources, config.handler_modules)
    workflows = find_workflows(sources, config.handler_modules, taken_names())
    return ApplicationSources(members, packages, workflows, handler_classes(sources, config.handler_modules))
