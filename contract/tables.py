"""Tables by their logical names, their index, and what a stream calls a change."""

from __future__ import annotations

COMMANDS = "commands"
DATA = "data"
HISTORY = "history"
TASKS = "tasks"
IMPORT_TMP = "import_tmp"
TABLES = (COMMANDS, DATA, HISTORY, TASKS, IMPORT_TMP)
#: ``history`` is only ever read by key.
WITH_STREAM = (COMMANDS, DATA, TASKS, IMPORT_TMP)
#: Those whose rows may outlive their use: configuration says how long each is kept.
WITH_TTL_POLICIES = (COMMANDS, DATA, HISTORY)
#: The longest that it may say: a hundred years.
MAX_TTL_DAYS = 36_500

#: The sparse index of the rows that have no outcome yet, where the sweeper finds what is due.
OPEN_INDEX = "open"
WITH_OPEN_INDEX = (COMMANDS, TASKS, IMPORT_TMP)
#: Its keys and other attributes. It shows which rows to look at; decisions are made on reads of the table.
OPEN_SHARD = "openShard"
DUE_AT = "dueAt"
OPEN_ATTRIBUTES = ("status", "rank", "attempt")

#: ``eventName`` of a stream's records, without REMOVE, which nothing follows from.
INSERT = "INSERT"
MODIFY = "MODIFY"
