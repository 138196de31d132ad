"""Names of the stack's state machines and of the states that invoke a function; those of the command state machines
are in ``command_status``.
"""

from __future__ import annotations

COMMAND_HANDLER = "command-handler"
COMMAND_HANDLER_EXPRESS = "command-handler-express"
TASK_HANDLER = "task-handler"
IMPORT_CSV = "import-csv"
IMPORT_ZIP = "import-zip"
MACHINES = (COMMAND_HANDLER, COMMAND_HANDLER_EXPRESS, TASK_HANDLER, IMPORT_CSV, IMPORT_ZIP)

#: Types of state machines.
STANDARD = "STANDARD"
EXPRESS = "EXPRESS"
#: Type of the command state machine to its name.
COMMAND_MACHINES = {STANDARD: COMMAND_HANDLER, EXPRESS: COMMAND_HANDLER_EXPRESS}
#: Not a state machine: the stream consumer applies commands.
INLINE = "INLINE"
#: ``commandWorkflow`` to the state machine that is started; with INLINE, for commands that can't end in the consumer.
STARTED_MACHINES = {**COMMAND_MACHINES, INLINE: COMMAND_HANDLER_EXPRESS}

#: ``source`` of the payload that a state passes to its function.
SOURCE = "step-function"
#: ``source`` of EventBridge's events about execution status.
STATUS_SOURCE = "aws.states"

#: EXPRESS only: replaces the wait, since EXPRESS has no task tokens. A parked command's status is also
#: ``wait_prev_command:STARTED``.
PARK = "park"

#: task-handler
ITERATOR = "iterator"
RECORD_ITEM_FAILURE = "record_item_failure"
FINALIZE_TASK = "finalize_task"
RECORD_FAILURE = "record_failure"

#: import-csv
CSV_LOADER = "csv_loader"
CSV_MAP = "import-csv"
CSV_ROWS_HANDLER = "csv_rows_handler"
JSONL_MAP = "import-jsonl"
JSONL_ROWS_HANDLER = "jsonl_rows_handler"
WAIT_ROWS = "wait_rows"
CHECK_ROWS = "check_rows"
FINALIZE_PARENT_JOB = "finalize_parent_job"

#: import-zip
ZIP_LOADER = "zip_loader"
ZIP_MAP = "csv_files"
TRIGGER_SINGLE_CSV = "trigger_single_csv"
CANCEL_SINGLE_CSV = "cancel_single_csv"
FINALIZE_ZIP_JOB = "finalize_zip_job"
