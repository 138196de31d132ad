"""The machines of the application's workflows, and what the workflow function may do with them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from infra.config import StackConfig
from infra.custom_workflows import MAX_ARNS_BYTES, CustomWorkflow
from infra.definitions import DefinitionError
from infra.functions import Function
from infra.naming import Account, Names
from infra.workflows import STANDARD, Workflow, WorkflowArgs

DESCRIBE = "states:DescribeExecution"
#: Answers to tokens, which only STANDARD machines have.
TOKEN_ACTIONS = ("states:SendTaskFailure", "states:SendTaskHeartbeat", "states:SendTaskSuccess")


def custom_machine_arns(names: Names, account: Account, workflows: Sequence[CustomWorkflow]) -> dict[str, str]:
    """Workflow to ARN, built from names: the function and the machines need each other's.

    Raises:
        DefinitionError: a name is too long with the stack's, or there are too many for the function's environment.
    """
    try:
        arns = {one.name: account.arn("states", f"stateMachine:{names.of(one.name)}") for one in workflows}
    except ValueError as error:
        raise DefinitionError("cqrs:handlerModules", [str(error)]) from None
    size = len(json.dumps(arns, separators=(",", ":")))
    if size > MAX_ARNS_BYTES:
        raise DefinitionError(
            "cqrs:handlerModules", [f"{len(arns)} workflows need {size} bytes of environment; at most {MAX_ARNS_BYTES}"]
        )
    return arns


def custom_permissions(workflows: Sequence[CustomWorkflow], arns: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """What the workflow function may do: ARN to actions. Nothing without workflows.

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
    workflows: Sequence[CustomWorkflow], function: Function, names: Names, config: StackConfig
) -> dict[str, Workflow]:
    """Each workflow's machine, with its role and log group, by name."""
    functions = {"WorkflowFunctionArn": function.function.arn}
    return {
        one.name: Workflow(
            one.name, WorkflowArgs(one.name, one.definition, functions, functions, names, config, type=one.type)
        )
        for one in workflows
    }
