"""The program's own figures for imports: environments, timeouts, mappings, rules and definitions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from infra.capabilities import import_csv, import_zip, loader
from infra.capabilities import imports as rows
from infra.components.messaging import VISIBILITY_TIMES_TIMEOUT
from infra.components.state_machines import load_definition
from infra.configuration.stack_config import StackConfig
from infra.definitions.substitution import override
from local.sources.eventbridge import Rule
from local.sources.filters import FilterSet
from local.sources.mappings import QueueMapping, StreamMapping
from tests.simulation import deployment
from tests.simulation.deployment import ACCOUNT, REGION
from tests.simulation.import_ports import BUCKET

STREAM = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/cqrs-sim-import_tmp/stream/1"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:cqrs-sim-import-action-queue"
TIMEOUTS = {one.name: one.timeout for one in (rows.SPEC, loader.SPEC)}
VISIBILITY_SECONDS = VISIBILITY_TIMES_TIMEOUT * rows.SPEC.timeout
CSV, ZIP = "import-csv", "import-zip"
MACHINES = {name: f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:cqrs-sim-{name}" for name in (CSV, ZIP)}


def environments(config: Mapping[str, Any], modules: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """What the two functions find in their environment."""
    own = {"BUCKET_NAME": BUCKET, "IMPORT_BUCKETS": BUCKET}
    declared = deployment.environments(config, modules, machines=MACHINES)
    return {name: {key: own.get(key, value) for key, value in declared[name].items()} for name in ("imports", "loader")}


def stream_mappings(lanes: int) -> list[StreamMapping]:
    """What the import table's stream feeds."""
    return [
        deployment.stream_mapping("loader", STREAM, loader.PATTERNS, lanes, batch_size=1),
        deployment.stream_mapping("imports", STREAM, [rows.CHANGED], lanes),
    ]


def queue_mapping() -> QueueMapping:
    """The import queue's consumer."""
    return QueueMapping(
        id="imports-action-queue",
        function="imports",
        queue_arn=QUEUE,
        filters=FilterSet([]),
        batch_size=StackConfig().queue_batch_size,
        partial_responses=True,
    )


def rules() -> list[Rule]:
    """Executions that ended without recording it reach the loader."""
    return [deployment.ended_rule("imports-ended-badly", list(MACHINES.values()), "loader")]


@cache
def definition_text(name: str, import_timeout_hours: int, batch_rows: int) -> str:
    """The definition of a machine as it is deployed."""
    config = StackConfig.from_mapping({"importTimeoutHours": import_timeout_hours, "importBatchRows": batch_rows})
    numbers = {CSV: import_csv.numbers_of, ZIP: import_zip.numbers_of}[name](config)
    text = json.dumps(override(load_definition(name.replace("-", "_")), numbers))
    return deployment.with_functions(text).replace("${BucketName}", BUCKET)
