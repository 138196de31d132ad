"""Names of the stack's outputs, which other projects read (docs/outputs.md).

Never changed or removed without raising ``infra.outputs.SCHEMA_VERSION``; a test pins the list.
"""

from __future__ import annotations

from contract.functions import FUNCTIONS
from contract.messages import IMPORT_QUEUE, NOTIFICATION_QUEUE, TASK_QUEUE
from contract.state_machines import IMPORT_CSV, IMPORT_ZIP, TASK_HANDLER
from contract.tables import TABLES, WITH_STREAM

SCHEMA_VERSION = "schemaVersion"
#: Table to the outputs with its name and its ARNs.
TABLE_NAME = {table: f"{table}TableName" for table in TABLES}
TABLE_ARN = {table: f"{table}TableArn" for table in TABLES}
STREAM_ARN = {table: f"{table}StreamArn" for table in WITH_STREAM}
BUCKET_NAME = "bucketName"
INLINE_ATTRIBUTE_LIMIT = "inlineAttributeLimit"
ENTITY_TYPES = "entityTypes"
MAIN_TOPIC_ARN = "mainTopicArn"
ALARM_TOPIC_ARN = "alarmTopicArn"
_QUEUES = {
    TASK_QUEUE: "taskActionQueue",
    NOTIFICATION_QUEUE: "notificationQueue",
    IMPORT_QUEUE: "importActionQueue",
}
QUEUE_URL = {queue: f"{prefix}Url" for queue, prefix in _QUEUES.items()}
QUEUE_ARN = {queue: f"{prefix}Arn" for queue, prefix in _QUEUES.items()}
DEAD_LETTER_QUEUE_URLS = "deadLetterQueueUrls"
EVENT_BUS_NAME = "eventBusName"
EVENT_BUS_ARN = "eventBusArn"
#: The state machine in which executions of commands are started.
COMMAND_STATE_MACHINE_ARN = "commandStateMachineArn"
#: The other state machines.
MACHINE_ARN = {
    TASK_HANDLER: "taskStateMachineArn",
    IMPORT_CSV: "importCsvStateMachineArn",
    IMPORT_ZIP: "importZipStateMachineArn",
}
CUSTOM_STATE_MACHINE_ARNS = "customStateMachineArns"
TASK_MAX_CONCURRENCY = "taskMaxConcurrency"
TASK_TIMEOUT_MINUTES = "taskTimeoutMinutes"
FUNCTION_ARN = {function: f"{function}FunctionArn" for function in FUNCTIONS}
#: Only if the stack is encrypted with a KMS key (``kmsKey``, ``kmsKeyArn``).
KMS_KEY_ARN = "kmsKeyArn"
#: Only with the HTTP API (``apiEnabled``), and the console (``consoleEnabled``).
API_URL = "apiUrl"
#: With ``/*`` appended, the resource on which a caller's role needs ``execute-api:Invoke``.
API_EXECUTION_ARN = "apiExecutionArn"
CONSOLE_URL = "consoleUrl"
#: The policy that allows other projects' roles to publish without the API.
PUBLISHER_POLICY_ARN = "publisherPolicyArn"
DASHBOARD_URL = "dashboardUrl"
