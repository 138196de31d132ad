"""The machine that imports the files of an archive one after the other."""

from __future__ import annotations

import pulumi

from contract.state_machines import IMPORT_ZIP, TRIGGER_SINGLE_CSV, ZIP_MAP
from infra.components.deployment import Deployment
from infra.components.functions import Function
from infra.components.state_machines import ONE_HOUR, StateMachine, StateMachineArgs, load_definition
from infra.configuration.stack_config import StackConfig

#: Step Functions service quotas, "Maximum execution time".
ONE_YEAR = 31_536_000
TRIGGER = f"/States/{ZIP_MAP}/ItemProcessor/States/{TRIGGER_SINGLE_CSV}/TimeoutSeconds"


def import_zip_machine(
    loader: Function, imports: Function, deployment: Deployment, opts: pulumi.ResourceOptions
) -> StateMachine:
    """The machine with its role and log group."""
    config = deployment.config
    return StateMachine(
        IMPORT_ZIP,
        StateMachineArgs(
            load_definition("import_zip"),
            [loader, imports],
            deployment,
            numbers_of(config),
            may_take_seconds=config.import_timeout_hours * ONE_HOUR,
        ),
        opts,
    )


def numbers_of(config: StackConfig) -> dict[str, int]:
    """The configured timeouts. A file has one hour more than its job, so that the job can end on its own."""
    file_seconds = (config.import_timeout_hours + 1) * ONE_HOUR
    return {
        "/TimeoutSeconds": min(config.zip_max_entries * file_seconds + ONE_HOUR, ONE_YEAR),
        TRIGGER: file_seconds,
    }
