"""Topics, queues and the event bus, and the actions of messages by which the main topic fans out."""

from __future__ import annotations

MAIN_TOPIC = "main-topic"
ALARM_TOPIC = "alarm-topic"
TOPICS = (MAIN_TOPIC, ALARM_TOPIC)
EVENT_BUS = "events"

#: The message attribute that the queues' filters look at, and its values on the main topic.
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
#: Queue to the actions that it gets (docs/spec/capabilities.md).
QUEUES = {
    TASK_QUEUE: (TASK_EXECUTE,),
    NOTIFICATION_QUEUE: (COMMAND_STATUS, TASK_STATUS, ITEM_STATUS, IMPORT_STATUS),
    IMPORT_QUEUE: (IMPORT_EXECUTE,),
}
#: Queue to the queue of what was received too often.
DEAD_LETTER_QUEUES = {queue: f"{queue}-dlq" for queue in QUEUES}
#: Where records of streams go that were tried too often.
STREAM_FAILURES = "stream-failures"
#: Where a rule's event goes whose function could not be called, or failed at each try.
INVOCATION_FAILURES = "invocation-failures"
#: Dead-letter queues of what is no queue.
FAILURE_QUEUES = (STREAM_FAILURES, INVOCATION_FAILURES)
