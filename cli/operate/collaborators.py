"""What the application's classes get when a command of an operator makes them: the stack's, with our credentials."""

from __future__ import annotations

from functools import partial

from cli.operate.stack import Stack
from handlers.core.clock import SystemClock
from handlers.entrypoints.wiring.collaborators import Collaborators
from handlers.entrypoints.wiring.settings import ApplicationSettings
from handlers.objects.s3 import S3Objects
from handlers.secrets.aws import AwsSecrets
from handlers.state_machines.stepfunctions import StepFunctionsWorkflows


def collaborators_of(stack: Stack, settings: ApplicationSettings) -> Collaborators:
    """The set that classes of every kind may ask for."""
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
