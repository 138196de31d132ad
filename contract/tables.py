"""Tables by logical name, their index, and the event names of stream records."""

from __future__ import annotations

COMMANDS = "commands"
DATA = "data"
HISTORY = "history"
TASKS = "tasks"
IMPORT_TMP = "import_tmp"
TABLES = (COMMANDS, DATA, HISTORY, TASKS, IMPORT_TMP)
#: ``history`` is only ever read by key.
WITH_STREAM = (COMMANDS, DATA, TASKS, IMPORT_TMP)
#: Tables whose retention is configurable.
WITH_TTL_POLICIES = (COMMANDS, DATA, HISTORY)
#: The longest retention: a hundred years.
MAX_TTL_DAYS = 36_500

#: The sparse index of rows without an outcome, in which the sweeper finds due rows.
OPEN_INDEX = "open"
WITH_OPEN_INDEX = (COMMANDS, TASKS, IMPORT_TMP)
#: Its keys and other attributes. It shows which rows to check; decisions are based on reads of the table.
OPEN_SHARD = "openShard"
DUE_AT = "dueAt"
OPEN_ATTRIBUTES = ("status", "rank", "attempt")

#: ``eventName`` of stream records, without REMOVE, which is ignored.
INSERT = "INSERT"
MODIFY = "MODIFY"
