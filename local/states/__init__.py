"""Step Functions on one machine: an interpreter of Amazon States Language (JSONPath) and its executions.

``ExecutionManager`` is the API, ``validate`` checks a definition and refuses what isn't known by name.
"""

from local.states.definition import validate
from local.states.errors import ApiError, InvalidDefinition, UnsupportedFeature
from local.states.executions import Execution, Machine
from local.states.history import visited_states
from local.states.manager import ExecutionManager

__all__ = [
    "ApiError",
    "Execution",
    "ExecutionManager",
    "InvalidDefinition",
    "Machine",
    "UnsupportedFeature",
    "validate",
    "visited_states",
]
