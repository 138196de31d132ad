"""The machines of the application's workflows, and what the states function may do with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from contract.state_machines import STANDARD
from infra.components.functions import Function
from infra.components.state_machines import StateMachine, StateMachineArgs
from infra.configuration.stack_config import StackConfig
from infra.definitions.custom_workflows import CustomWorkflow
from infra.naming.names import Account, Names
from infra.permissions.task_tokens import TOKEN_ACTIONS

DESCRIBE = "states:DescribeExecution"


def custom_machine_arns(names: Names, account: Account, workflows: Sequence[CustomWorkflow]) -> dict[str, str]:
    """Workflow to ARN, built from names: the function and the machines need each other's."""
    return {one.name: account.arn("states", f"stateMachine:{names.of(one.name)}") for one in workflows}


def custom_permissions(workflows: Sequence[CustomWorkflow], arns: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """What the states function may do: ARN to actions. Nothing without workflows.

    An execution is described where its name is taken: was it started with the same input? EXPRESS takes any name.
    """
    machines = {
        arns[one.name]: ("states:StartExecution", *(TOKEN_ACTIONS if one.type == STANDARD else ())) for one in workflows
    }
    executions = {
        f"{arns[one.name].replace(':stateMachine:', ':execution:')}:*": (DESCRIBE,)
        for one in workflows
        if one.type == STANDARD
    }
    return {**machines, **executions}


def custom_workflows(
    workflows: Sequence[CustomWorkflow], function: Function, names: Names, account: Account, config: StackConfig
) -> dict[str, StateMachine]:
    """Each workflow's machine, with its role and log group, by name."""
    functions = {"StatesFunctionArn": function.function.arn}
    return {
        one.name: StateMachine(
            one.name,
            StateMachineArgs(one.name, one.definition, functions, functions, names, account, config, type=one.type),
        )
        for one in workflows
    }
