"""Collaborators of the application's classes in operators' commands: the stack's, with the user's credentials."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from cli.errors import CommandError
from cli.operate.stack import ROOT, Stack
from handlers.core.clock import SystemClock
from handlers.entrypoints.wiring.collaborators import Collaborators
from handlers.entrypoints.wiring.settings import ApplicationSettings
from handlers.objects.s3 import S3Objects
from handlers.secrets.aws import AwsSecrets
from handlers.state_machines.stepfunctions import StepFunctionsWorkflows
from infra.packages.here import make_importable
from infra.packaging import PackagingError

_KEY = ":applicationPackages"


def application_folders(file: Path) -> list[str]:
    """``applicationPackages`` of a stack's file; empty if it can't be read, in which case modules aren't found."""
    import yaml  # comes with pulumi; imported only if needed

    try:
        config = (yaml.safe_load(file.read_bytes()) or {}).get("config") or {}
    except (OSError, yaml.YAMLError, AttributeError):
        return []
    return [str(folder) for key, value in config.items() if str(key).endswith(_KEY) for folder in value]


def collaborators_of(stack: Stack, settings: ApplicationSettings, root: Path = ROOT) -> Collaborators:
    """The collaborators for classes of every kind. Also makes their modules, and the packages that the repository
    (``root``) lists for them, importable in this process.

    Raises:
        CommandError: the packages can't be installed.
    """
    try:
        make_importable(root, application_folders(stack.file))
    except PackagingError as error:
        raise CommandError(str(error)) from error
    clock = SystemClock()
    return Collaborators(
        settings,
        stack.store,
        clock,
        objects=S3Objects(partial(stack.client, "s3"), settings.bucket),
        workflows=StepFunctionsWorkflows(partial(stack.client, "stepfunctions"), settings.custom_machines),
        secrets=AwsSecrets(
            settings.secrets,
            clock,
            secrets_manager=partial(stack.client, "secretsmanager"),
            ssm=partial(stack.client, "ssm"),
        ),
    )
