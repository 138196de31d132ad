"""Step Functions on one machine: an interpreter of Amazon States Language (JSONPath) and its executions.

``ExecutionManager`` is the API; ``validate`` checks a definition and refuses unsupported features by name.
"""

from local.states.definition.parser import validate
from local.states.errors import ApiError, InvalidDefinition, UnsupportedFeature
from local.states.manager import ExecutionManager
from local.states.running.executions import Execution, Machine
from local.states.running.history import visited_states

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
