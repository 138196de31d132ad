"""Topics, queues and the event bus, and the message actions by which the main topic fans out."""

from __future__ import annotations

MAIN_TOPIC = "main-topic"
ALARM_TOPIC = "alarm-topic"
TOPICS = (MAIN_TOPIC, ALARM_TOPIC)
EVENT_BUS = "events"

#: The message attribute that the queues' filters match, and its values on the main topic.
ACTION = "action"
TASK_EXECUTE = "task-execute"
TASK_STATUS = "task-status"
ITEM_STATUS = "sub-task-status"
COMMAND_STATUS = "command-status"
IMPORT_EXECUTE = "import-execute"
IMPORT_STATUS = "import-status"

TASK_QUEUE = "task-action-queue"
NOTIFICATION_QUEUE = "notification-queue"
IMPORT_QUEUE = "import-action-queue"
#: Queue to the actions that it receives (docs/spec/capabilities.md).
QUEUES = {
    TASK_QUEUE: (TASK_EXECUTE,),
    NOTIFICATION_QUEUE: (COMMAND_STATUS, TASK_STATUS, ITEM_STATUS, IMPORT_STATUS),
    IMPORT_QUEUE: (IMPORT_EXECUTE,),
}
#: Queue to its dead-letter queue.
DEAD_LETTER_QUEUES = {queue: f"{queue}-dlq" for queue in QUEUES}
#: Queue for stream records whose retries are exhausted.
STREAM_FAILURES = "stream-failures"
#: Queue for a rule's events whose function could not be invoked, or failed at every attempt.
INVOCATION_FAILURES = "invocation-failures"
#: Dead-letter queues of sources that aren't queues.
FAILURE_QUEUES = (STREAM_FAILURES, INVOCATION_FAILURES)
