"""Ways to break the protocol, one at a time, each with the tests that must notice.

A mutation is a small edit of the source: the old text occurs exactly once. ``tests`` are arguments for pytest, chosen
so that the check is quick; the whole suite has more that would notice.
"""

from __future__ import annotations

from dataclasses import dataclass

PIPELINE = "handlers/commands/pipeline"
#: Random runs; without faults also "nobody waits for a poll".
SEEDS = ("tests/simulation/test_seeds.py", "-k", "test_ord_14_without or test_ord_14_guarantees")
EVERY_CALL = ("tests/simulation/test_every_call.py",)
HANDSHAKE = (*EVERY_CALL, "-k", "test_ord_06")
IMPORTS = ("tests/simulation/test_import_seeds.py", "tests/simulation/test_import_every_call.py")
INLINE = "handlers/commands/inline"
INLINE_UNIT = tuple(f"tests/unit/handlers/commands/test_inline{part}.py" for part in ("", "_again", "_handover"))
INLINE_EVERY_CALL = ("tests/simulation/test_every_call.py",)
INLINE_TESTS = ("tests/simulation/test_inline.py",)
BOOK = "handlers/imports/jobs/repository.py"
READ_AHEAD = ("tests/unit/handlers/imports/test_read_ahead.py", "tests/unit/handlers/imports/test_sync.py")
WORKFLOWS = ("tests/simulation/test_workflow_seeds.py", "-k", "promises or every_call or asked_ones")


@dataclass(frozen=True)
class Mutation:
    """``edits``: (file, old text, new text). ``why``: what the original is there for."""

    name: str
    why: str
    edits: tuple[tuple[str, str, str], ...]
    tests: tuple[str, ...] = SEEDS


def _edit(name: str, why: str, file: str, old: str, new: str, tests: tuple[str, ...] = SEEDS) -> Mutation:
    return Mutation(name, why, ((file, old, new),), tests)


MUTATIONS = (
    _edit(
        "no re-check after the token",
        "the successor's half of the handshake (STANDARD)",
        f"{PIPELINE}/wait.py",
        "        if prev is None or status.is_done(prev):\n",
        "        if prev is None:\n",
        HANDSHAKE,
    ),
    _edit(
        "no re-check after parking",
        "the successor's half of the handshake (EXPRESS)",
        f"{PIPELINE}/park.py",
        "CHECK_AGAIN if prev is None or status.is_done(prev) else PARKED",
        "CHECK_AGAIN if prev is None else PARKED",
        HANDSHAKE,
    ),
    Mutation(
        "DONE after the successor is read",
        "the predecessor's half of the handshake",
        (
            (
                f"{PIPELINE}/finish.py",
                "        try:\n            row = self._progress.done(run, outcomes)\n",
                "        early = self._repository.command(run.key.next())\n"
                "        try:\n            row = self._progress.done(run, outcomes)\n",
            ),
            (
                f"{PIPELINE}/finish.py",
                "        woken = self.complete_tail(run.key, row)\n",
                "        woken = early is not None and self._waker.wake(early, run.key.version)\n"
                "        self._progress.tail_finished(run)\n",
            ),
        ),
        HANDSHAKE,
    ),
    _edit(
        "the short way without its check",
        "DONE and closed at once only if no successor exists at that moment",
        f"{PIPELINE}/run.py",
        '                    Check(COMMANDS, successor.pk, successor.sk, absent("pk")),\n',
        "",
    ),
    _edit(
        "eventually consistent read of commands",
        "both halves of the handshake read what was written before",
        "handlers/commands/repository.py",
        "self._store.get(COMMANDS, key.pk, key.sk)",
        "self._store.get(COMMANDS, key.pk, key.sk, consistent=False)",
    ),
    _edit(
        "ConsistentRead not sent",
        "DynamoDB reads are eventually consistent unless told otherwise",
        "handlers/store/dynamodb.py",
        "Key=_key(pk, sk), ConsistentRead=consistent",
        "Key=_key(pk, sk), ConsistentRead=False",
        ("tests/unit/handlers/store",),
    ),
    _edit(
        "unconditional data write",
        "the data row is fenced by version",
        f"{PIPELINE}/apply.py",
        'self._store.put(DATA, self.data_row(command), self.free() | less("version", key.version))',
        "self._store.put(DATA, self.data_row(command))",
    ),
    _edit(
        "unconditional history write",
        "history is put if absent",
        f"{PIPELINE}/apply.py",
        "self._store.put(HISTORY, self.history_row(key.entity, data), self.free())",
        "self._store.put(HISTORY, self.history_row(key.entity, data))",
        EVERY_CALL,
    ),
    _edit(
        "ttl of the predecessor whatever its status",
        "only DONE rows expire",
        f"{PIPELINE}/apply.py",
        'absent("ttl") & one_of("status", APPLIED_STATUSES)',
        'absent("ttl")',
        ("tests/unit/handlers/commands",),
    ),
    _edit(
        "execution name with a clock in it",
        "a repeated delivery must find the execution that it started",
        "handlers/commands/starter.py",
        'row["id"], row["attempt"], restart)',
        'row["id"] + str(__import__("time").time_ns()), row["attempt"], restart)',
    ),
    _edit(
        "update without attribute_exists",
        "nothing is resurrected",
        "handlers/store/dynamodb.py",
        'guarded = exists("pk") if condition is None else exists("pk") & condition',
        "guarded = condition",
        ("tests/unit/handlers/store",),
    ),
    _edit(
        "status without the rank condition",
        "the rank of a status never falls within an attempt",
        f"{PIPELINE}/run.py",
        'return self._update(run, raised, guard & less("rank", new["rank"]))',
        "return self._update(run, raised, guard)",
    ),
    _edit(
        "claim over another run's live claim",
        "one run at a time works on a command",
        f"{PIPELINE}/run.py",
        "        guard = run.own & run.open & run.unclaimed_by_others(self._clock.now())\n"
        '        change = Change(set={"runId"',
        '        guard = run.own & run.open\n        change = Change(set={"runId"',
        ("tests/unit/handlers/commands",),
    ),
    _edit(
        "any attempt may write",
        "a run of an earlier attempt writes nothing more",
        f"{PIPELINE}/run.py",
        'return equals("id", self.id) & equals("attempt", self.attempt)',
        'return equals("id", self.id)',
        ("tests/unit/handlers/commands", "tests/unit/handlers/operations"),
    ),
    _edit(
        "an expired lease is never taken over",
        "what a dead run left goes on with another",
        f"{PIPELINE}/run.py",
        'return absent("runId") | at_most("leaseUntil", int(now))',
        'return absent("runId")',
    ),
    _edit(
        "a state is entered without the claim",
        "a run that lost its claim writes nothing more",
        f"{PIPELINE}/run.py",
        "        guard = run.own & run.open & run.claimed\n"
        "        phase = self._status(run, state, status.STARTED) if self._full else None\n",
        "        guard = run.own & run.open\n"
        "        phase = self._status(run, state, status.STARTED) if self._full else None\n",
        ("tests/unit/handlers/commands",),
    ),
    _edit(
        "DONE without the claim",
        "only the run that holds the claim says that all targets are applied",
        f"{PIPELINE}/run.py",
        "return self._guarded(run, run.own & run.open & run.claimed, change)",
        "return self._guarded(run, run.own & run.open, change)",
        ("tests/unit/handlers/commands",),
    ),
    _edit(
        "the last outcome of a target wins",
        "a late call of the same run changes nothing",
        f"{PIPELINE}/run.py",
        "change = Change(set=self._lease(state), set_once=outcome or {})",
        "change = Change(set={**(outcome or {}), **self._lease(state)})",
        ("tests/unit/handlers/commands/test_late_calls.py",),
    ),
    _edit(
        "a run that goes on may wait again",
        "a late call of the wait stores no token over a command that goes on",
        f"{PIPELINE}/run.py",
        "guard = run.own & run.open & unclaimed(now) & older",
        "guard = run.own & run.open & run.unclaimed_by_others(now) & older",
    ),
    _edit(
        "the token stays after the claim",
        "a command that goes on can't be woken",
        f"{PIPELINE}/run.py",
        "**self._lease(status.CHECK_VERSION)}, remove=WAIT_MARKS)",
        "**self._lease(status.CHECK_VERSION)})",
    ),
    _edit(
        "a swallowed error of the alarm",
        "record_failure is retried until its alarm is out",
        f"{PIPELINE}/failure.py",
        "        send_alarm(self._alarms, self._commands_table, run.key, run.attempt, text, run.run_id)\n",
        "        try:\n"
        "            send_alarm(self._alarms, self._commands_table, run.key, run.attempt, text, run.run_id)\n"
        "        except Exception:\n"
        "            pass\n",
        EVERY_CALL,
    ),
    _edit(
        "the alarm before the write",
        "an alarm tells of a failure that is stored",
        f"{PIPELINE}/failure.py",
        "        try:\n            self._progress.fail(run, state,",
        "        if failure.alarm:\n            self._alarm(run, failure.alarm_text(state))\n"
        "        try:\n            self._progress.fail(run, state,",
        EVERY_CALL,
    ),
    _edit(
        "alarmedAt is not written",
        "an alarm that is out is noted, so that the command leaves the open index",
        f"{PIPELINE}/failure.py",
        "            self._progress.alarmed(run)\n",
        "",
        EVERY_CALL,
    ),
    _edit(
        "alarmedAt before the alarm",
        "a crash between the two repeats the alarm rather than lose it",
        f"{PIPELINE}/failure.py",
        "            self._alarm(run, failure.alarm_text(state))\n            self._progress.alarmed(run)\n",
        "            self._progress.alarmed(run)\n            self._alarm(run, failure.alarm_text(state))\n",
        EVERY_CALL,
    ),
    _edit(
        "ExecutionAlreadyExists as an error",
        "a repeated start is a success",
        "handlers/state_machines/stepfunctions.py",
        '["Code"] != "ExecutionAlreadyExists":\n                raise\n            return False\n',
        '["Code"] != "Never":\n                raise\n            return False\n',
        ("tests/unit/handlers/workflows",),
    ),
    _edit(
        "a failed record is not reported",
        "what could not be started is delivered again",
        "handlers/commands/starter.py",
        "            failed[index] = error\n",
        "            del index, error\n",
        ("tests/unit/handlers/commands",),
    ),
    _edit(
        "a new version inherits the latest row",
        "no status, token or ttl is inherited",
        "handlers/commands/publishing/publisher.py",
        "return {**command.to_row(), **pipeline(key, row_id, now)}",
        "return {**(latest or {}), **command.to_row(), **pipeline(key, row_id, now)}",
    ),
    _edit(
        "the sweeper counts a restart and doesn't start",
        "what was lost is started again",
        "handlers/commands/sweeper.py",
        "            self._starter.start(own, restart=restart)\n",
        "            pass\n",
        ("tests/simulation/test_sweeper.py",),
    ),
    _edit(
        "a restart is taken back after any error",
        "what may have been started stays counted",
        "handlers/commands/sweeper.py",
        "        except TransientThrottle as error:\n",
        "        except Exception as error:\n            error.refused = True\n",
        ("tests/unit/handlers/commands/test_sweeper.py", "tests/simulation/test_seeds.py"),
    ),
    Mutation(
        "a saga's step is recorded after its command",
        "whatever may have happened is recorded",
        (
            (
                "handlers/workflows/saga_steps.py",
                "        self._log.begin(key, step.name, request.content)\n        done = step.action()\n",
                "        done = step.action()\n        self._log.begin(key, step.name, request.content)\n",
            ),
        ),
        WORKFLOWS,
    ),
    _edit(
        "an undo only looks whether its step has published",
        "a late call of a step that is undone publishes nothing",
        "handlers/workflows/saga_steps.py",
        "row = self._publisher.withdraw(key, _context(request, name))",
        "row = self._publisher.result_of_request(key, _context(request, name))",
        ("tests/unit/handlers/workflows", "tests/simulation/test_workflow_seeds.py"),
    ),
    _edit(
        "what another execution has finished is undone",
        "an execution that has said so stays right",
        "handlers/workflows/saga.py",
        ' or (row["status"] == DONE and row["doneBy"] != [execution]):',
        ":",
        ("tests/unit/handlers/workflows/test_saga.py", "tests/simulation/test_workflow_seeds.py"),
    ),
    _edit(
        "the last answer of an approval wins",
        "the first decision is the only one",
        "handlers/workflows/approvals.py",
        'row = self._store.update(TASKS, pk, sk, change, equals("status", OPEN))',
        "row = self._store.update(TASKS, pk, sk, change)",
        WORKFLOWS,
    ),
    _edit(
        "an approval's token stays when its wait is over",
        "the token is nowhere after the answer",
        "handlers/workflows/approvals.py",
        "            self._forget_token(row)\n            return str(",
        "            return str(",
        WORKFLOWS,
    ),
    _edit(
        "a late question replaces the token",
        "the token of the last try is the one that somebody waits for",
        "handlers/workflows/approvals.py",
        'newer = equals("status", OPEN) & at_most("tokenRetry", row["tokenRetry"])',
        'newer = equals("status", OPEN)',
        ("tests/unit/handlers/workflows/test_approvals.py", "tests/simulation/test_workflow_seeds.py"),
    ),
    _edit(
        "a decision is not sent when the state asks again",
        "a decision that came before the state's retry is not lost until the timeout",
        "handlers/workflows/approvals.py",
        "            if late.item is not None and late.item",
        "            if late.item is None and late.item",
        ("tests/unit/handlers/workflows/test_approvals.py",),
    ),
    _edit(
        "the account does not remember its transfers",
        "a step's repetition under another request changes nothing",
        "tests/modules/transfer.py",
        '"balance": account["balance"] + amount, "transfers": transfers}',
        '"balance": account["balance"] + amount}',
        WORKFLOWS,
    ),
    _edit(
        "a row is counted apart from its outcome",
        "the counters are the rows at every moment",
        BOOK,
        "            writes.append(counted)\n",
        "            self.transact([counted])\n",
        IMPORTS,
    ),
    _edit(
        "an outcome over another outcome of a row",
        "a row that is told of twice is counted once",
        BOOK,
        'condition = equals("attempt", attempt) & status.may_become(status.ROW, new)\n        if unpublished',
        'condition = equals("attempt", attempt)\n        if unpublished',
        IMPORTS,
    ),
    _edit(
        "the loader writes a row over the one that is there",
        "a file that is read again leaves its rows as they are",
        BOOK,
        'self._store.put(IMPORT_TMP, item, absent("pk"))',
        "self._store.put(IMPORT_TMP, item)",
        IMPORTS,
    ),
    _edit(
        "a job ends without a look at its open rows",
        "a job has its outcome when all of its rows have",
        "handlers/imports/jobs/finalize.py",
        "if status.is_terminal(job) or not counts.is_complete:",
        "if status.is_terminal(job) or counts.total is None:",
        IMPORTS,
    ),
    Mutation(
        "rows with a command are cancelled",
        "a row that says CANCELLED is not applied later",
        (
            ("handlers/imports/jobs/status.py", "CANCELLED: (CREATED,),\n", "CANCELLED: (CREATED, PROCESSING),\n"),
            (
                "handlers/imports/jobs/cancel.py",
                'if row.get("status") == status.CREATED]',
                'if row.get("status") in (status.CREATED, status.PROCESSING)]',
            ),
        ),
        IMPORTS,
    ),
    _edit(
        "a row is marked apart from its command",
        "a row gets a command or is cancelled, never both",
        "handlers/imports/rows/consumer.py",
        "wanted, caller, extra_writes=lambda command: [self._repository.published(row, command)]",
        "wanted, caller",
        IMPORTS,
    ),
    _edit(
        "a row equal to a version that has not ended is told as stored",
        "every row is applied or in the report",
        "handlers/imports/rows/unchanged_rows.py",
        """        raise LatestOpen(""",
        """        repository.unchanged(row)
        _ = (""",
        ("tests/unit/handlers/imports/test_route.py", *IMPORTS),
    ),
    _edit(
        "a data row that was read ahead is used again",
        "rows of one entity in one batch, and a row after a refused transaction, read it anew",
        "handlers/commands/publishing/applied.py",
        "data = ahead.pop(key) if ahead and key in ahead else",
        "data = ahead[key] if ahead and key in ahead else",
        READ_AHEAD,
    ),
    _edit(
        "a data row that came after the read is replaced",
        "history contains exactly what is replaced",
        "handlers/commands/publishing/applied.py",
        "same = free if seen.data is None else",
        "same = None if seen.data is None else",
        READ_AHEAD,
    ),
    _edit(
        "with a data row read ahead, the log isn't asked for the latest version",
        "a version that came after the read shows in the log",
        "handlers/commands/publishing/applied.py",
        "return Seen(key, self._rows.latest_command(key), data)",
        "return Seen(key, None if ahead is not None and data else self._rows.latest_command(key), data)",
        READ_AHEAD,
    ),
    _edit(
        "a batch writes over rows that are there",
        "a child that is started again leaves its rows as they are",
        "handlers/imports/rows/row_batches.py",
        'Put(IMPORT_TMP, row, absent("pk"))',
        "Put(IMPORT_TMP, row)",
        IMPORTS,
    ),
    _edit(
        "the end of an earlier attempt's command ends the row",
        "a row that is tried again has its own outcome",
        BOOK,
        'condition = equals("attempt", attempt) & status.may_become(status.ROW, new)\n        if unpublished',
        "condition = status.may_become(status.ROW, new)\n        if unpublished",
        ("tests/unit/handlers/imports/test_retry.py", *IMPORTS),
    ),
    _edit(
        "a request id without the attempt",
        "a row that is tried again has a command of its own",
        "handlers/imports/keys.py",
        'return f"{self.name}{SEPARATOR}{attempt}"',
        'return f"{self.name}{SEPARATOR}{min(attempt, 1)}"',
        ("tests/unit/handlers/imports/test_retry.py", *IMPORTS),
    ),
    _edit(
        "INLINE: DONE over another run's claim",
        "without targets nothing is claimed, so DONE must see that nobody else has the command",
        f"{INLINE}/progress.py",
        "(run.claimed if claimed else run.unclaimed_by_others(self._clock.now()))",
        "(run.claimed if claimed else run.own)",
        INLINE_UNIT,
    ),
    _edit(
        "INLINE: DONE without the claim",
        "a run whose targets were handed over to a machine doesn't finish the command",
        f"{INLINE}/progress.py",
        "(run.claimed if claimed else run.unclaimed_by_others(self._clock.now()))",
        "run.own",
        INLINE_UNIT,
    ),
    _edit(
        "INLINE: targets are called without a claim",
        "a machine and the consumer don't call targets at the same time",
        f"{INLINE}/version.py",
        "            own = self._progress.claim(run, own)\n",
        "            own = dict(own)\n",
        INLINE_UNIT,
    ),
    _edit(
        "INLINE: the successor is not looked for",
        "who was parked before DONE is woken after it",
        f"{INLINE}/entity.py",
        "self._pipeline.repository.command(key.next()) if look else None",
        "None",
        INLINE_TESTS,
    ),
    Mutation(
        "INLINE: the successor is read before DONE",
        "the predecessor's half of the handshake",
        (
            (
                f"{INLINE}/entity.py",
                "            turn = self._turn(run, rows, until)\n",
                "            self._early = self._pipeline.repository.command(key.next())\n"
                "            turn = self._turn(run, rows, until)\n",
            ),
            (
                f"{INLINE}/entity.py",
                "self._pipeline.repository.command(key.next()) if look else None",
                "self._early if look else None",
            ),
        ),
        (*INLINE_EVERY_CALL, "-k", "INLINE and (ord_06 or dup_03)"),
    ),
    _edit(
        "INLINE: a parked successor is left to the sweeper",
        "whoever finishes the predecessor goes on",
        f"{INLINE}/entity.py",
        'if "parkedAt" not in row and not (again and',
        "if not (again and",
        INLINE_UNIT,
    ),
    _edit(
        "INLINE: a record that comes again looks for parked successors only",
        "a consumer that dies while it goes on with a successor leaves it to the predecessor's record",
        f"{INLINE}/entity.py",
        'if "parkedAt" not in row and not (again and self._may_be_started(inline_run(key, row), row)):',
        'if "parkedAt" not in row:',
        INLINE_UNIT,
    ),
    _edit(
        "INLINE: a record that comes again looks at the next version alone",
        "a dead consumer may have gone on with several",
        f"{INLINE}/entity.py",
        'if data is not None and data["version"] > run.key.version:',
        "if data is None:",
        INLINE_UNIT,
    ),
    _edit(
        "INLINE: the claim is kept when a machine takes over",
        "the machine goes on at once",
        f"{INLINE}/entity.py",
        "            return self._progress.release(run)\n",
        "            return self._pipeline.repository.command(run.key)\n",
        INLINE_TESTS,
    ),
    _edit(
        "INLINE: nothing is started when the consumer gives up",
        "what can't end here ends in a machine",
        f"{INLINE}/entity.py",
        "                self._pipeline.starter.start(row, restart=row.get(RESTART, 0))\n",
        "",
        INLINE_TESTS,
    ),
    _edit(
        "INLINE: a record that could not be handed over counts as done",
        "it comes again",
        f"{INLINE}/entity.py",
        "return {one.index: error for one in (first, *waiting)}",
        "return {one.index: error for one in waiting}",
        INLINE_UNIT,
    ),
    _edit(
        "INLINE: those behind a failed record go on",
        "order inside an entity",
        f"{INLINE}/entity.py",
        "return {one.index: error for one in (first, *waiting)}",
        "return {first.index: error}",
        INLINE_UNIT,
    ),
    _edit(
        "INLINE: an earlier delivery's claim is gone on with",
        "a command that ends the process is not called here again",
        f"{INLINE}/version.py",
        """            if own.get("runId") == run.run_id and""",
        """            if own.get("runId") == "nobody" and""",
        INLINE_TESTS,
    ),
    _edit(
        "INLINE: history behind the targets",
        "a target that asks for the state before finds it",
        f"{INLINE}/version.py",
        "            self._pipeline.applier.keep(run.key, rows.data)\n",
        "            pass\n",
        INLINE_TESTS,
    ),
    _edit(
        "INLINE: a late target counts as applied",
        "what is not known to have ended is called again",
        f"{INLINE}/targets.py",
        "called.unfinished = len(ended) < len(targets) or bool(failed)",
        "called.unfinished = bool(failed)",
        INLINE_UNIT,
    ),
    _edit(
        "INLINE: what failed for good is handed over",
        "permanent errors are recorded and alarmed",
        f"{INLINE}/targets.py",
        "next((error for error in failed if not _may_pass(error)), None)",
        "None",
        INLINE_UNIT,
    ),
    _edit(
        "INLINE: versions of a batch as they come",
        "order inside an entity",
        f"{INLINE}/entity.py",
        "deque(sorted(versions, key=lambda one: one.key.version))",
        "deque(versions)",
        INLINE_UNIT,
    ),
    _edit(
        "INLINE: outcomes are lost when a machine takes over",
        "a target that had the version isn't called again",
        f"{INLINE}/version.py",
        "            if called.unfinished:\n                self._note(run, outcomes, most_left=0)\n",
        "            if called.unfinished:\n",
        INLINE_UNIT,
    ),
)
