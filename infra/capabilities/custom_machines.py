"""The state machines of the application's workflows, and the permissions to start and answer them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from contract.state_machines import STANDARD
from infra.components.deployment import Deployment
from infra.components.functions import Function
from infra.components.state_machines import StateMachine, StateMachineArgs
from infra.definitions.custom_workflows import CustomWorkflow
from infra.permissions.task_tokens import TOKEN_ACTIONS

DESCRIBE = "states:DescribeExecution"
HISTORY = "states:GetExecutionHistory"
LIST = "states:ListExecutions"


def custom_permissions(
    workflows: Sequence[CustomWorkflow], arns: Mapping[str, str], *, shown: bool = False
) -> dict[str, tuple[str, ...]]:
    """Permissions of a function that starts and answers workflows: ARN to actions. Empty without workflows.

    If an execution's name is taken, its description shows whether its input was the same; EXPRESS accepts any name.
    ``shown``: also list executions and read their history.
    """
    machines = {
        arns[one.name]: (
            "states:StartExecution",
            *(TOKEN_ACTIONS if one.type == STANDARD else ()),
            *((LIST,) if shown else ()),  # of EXPRESS, too: authorised callers get the answer that it has no list
        )
        for one in workflows
    }
    executions = {
        f"{arns[one.name].replace(':stateMachine:', ':execution:')}:*": (DESCRIBE, *((HISTORY,) if shown else ()))
        for one in workflows
        if one.type == STANDARD
    }
    return {**machines, **executions}


def custom_machines(states: Function, deployment: Deployment) -> dict[str, StateMachine]:
    """Each workflow's machine, with its role and log group, by name."""
    return {
        one.name: StateMachine(
            one.name,
            StateMachineArgs(
                one.definition,
                [states],
                deployment,
                type=one.type,
                # Workflows may wait for people: they are slow only beyond what their definition allows.
                may_take_seconds=one.definition["TimeoutSeconds"],
            ),
        )
        for one in deployment.workflows
    }
