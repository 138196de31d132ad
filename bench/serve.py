"""``./cqrs serve`` in practice: time until it is ready and until it reloads a handler, and the cost of ``--data``.

Uses real processes in real time, over HTTP, with the bench's own handler, so it needs no sample. Commands are counted
per second of wall time and of the process's processor time, which other programs on the machine affect less.
"""

from __future__ import annotations

import os
import queue
import re
import signal
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from cli.errors import CommandError
from cli.output import table
from contract.tables import COMMANDS, DATA
from handlers.commands.attributes import AttributeStore
from handlers.commands.model import CommandInput
from handlers.commands.publishing.publisher import CommandPublisher
from handlers.core.clock import SystemClock
from handlers.core.context import InvokeContext
from handlers.objects.memory import MemoryObjects
from handlers.store.dynamodb import DynamoTableStore
from local.testing.copies import DOMAIN, checkout

STACK, NAME = "bench", "bench_serve"
SETTINGS = f"config:\n  aws:region: us-east-1\n  cqrs:handlerModules: [handlers.domain.{NAME}]\n"
MODULE = '''"""A handler of figures."""

from handlers import Command, TableStore, sync_handler

EDIT = {edit}


@sync_handler("BENCH", id="bench")
class Bench:
    """One row per entity."""

    def __init__(self, store: TableStore) -> None:
        self._store = store

    def up(self, command: Command) -> None:
        """The last one stays."""
        self._store.put("data", {{"pk": "BENCH#t1", "sk": command.code, "version": command.version, "edit": EDIT}})
'''
#: Rows in ``data`` per entity: the read model's and the handler's.
ROWS = 2
CONTEXT = InvokeContext(user_id="bench", tenant_code="t1")
ROUNDS = 3
EDITS = 3
COMMANDS_A_ROUND = 300
PUBLISHERS = 8
POLL_SECONDS = 0.05
#: Far longer than anything here takes.
MOST_SECONDS = 600.0
READY = re.compile(r"serving on (http://127\.0\.0\.1:\d+) ")
RELOADED = re.compile(r"^reloaded: ")
RATE, RATE_OF_CORE = "commands a second", "commands a second of one core"
WITHOUT, WITH = "without --data", "with --data"


def figures() -> tuple[object, str]:
    """Seconds and rates, each the median of several rounds; rounds of the two kinds alternate."""
    found: dict[str, dict[str, list[float]]] = {kind: {} for kind in (WITHOUT, WITH)}
    with tempfile.TemporaryDirectory(prefix="cqrs-bench-") as work:
        folder = checkout(Path(work) / "cqrs")
        (folder / f"Pulumi.{STACK}.yaml").write_text(SETTINGS, encoding="utf-8")
        for number in range(ROUNDS):
            for kind, data in ((WITHOUT, None), (WITH, Path(work) / f"data-{number}")):
                for what, values in measured(folder, data).items():
                    found[kind].setdefault(what, []).extend(values)
    medians = {kind: {what: statistics.median(values) for what, values in one.items()} for kind, one in found.items()}
    return medians, text(medians)


def measured(folder: Path, data: Path | None) -> dict[str, list[float]]:
    """The measurements of a new process and, with ``data``, of a second one that continues from its state."""
    module = folder / DOMAIN / f"{NAME}.py"
    module.write_text(MODULE.format(edit=0), encoding="utf-8")
    with Served(folder, data) as served:
        found = {"ready": [served.ready]}
        seconds, processor = served.work()
        found[RATE] = [COMMANDS_A_ROUND / seconds]
        found[RATE_OF_CORE] = [COMMANDS_A_ROUND / processor]
        found["an edited handler is reloaded"] = [served.edit(module, number) for number in range(1, EDITS + 1)]
    if data is not None:
        with Served(folder, data) as again:
            found[f"ready again, with {COMMANDS_A_ROUND} commands"] = [again.ready]
    return found


def text(medians: dict[str, dict[str, float]]) -> str:
    """The medians as a table."""
    names = list(medians[WITH])
    rows = [(name, *(_shown(name, medians[kind].get(name)) for kind in medians)) for name in names]
    whole, core = (100 * (1 - medians[WITH][rate] / medians[WITHOUT][rate]) for rate in (RATE, RATE_OF_CORE))
    shown = table("./cqrs serve", rows, header=("", *medians))
    return f"{shown}\n\n--data costs {whole:.0f} % of the commands a second, {core:.0f} % of those of one core."


def _shown(name: str, value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if name.startswith("commands") else f"{value:.2f} s"


class Served:
    """One ``./cqrs serve``. A context manager; ``ready``: seconds from its start until it was ready.

    Raises:
        CommandError: it ended instead; the message contains its last line.
    """

    def __init__(self, folder: Path, data: Path | None) -> None:
        kept = [] if data is None else ["--data", str(data)]
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._last = ""
        begin = time.monotonic()
        self._process = subprocess.Popen(
            ["./cqrs", "serve", "--stack", STACK, "--port", "0", *kept],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()
        self._url = self._line(READY)[1]
        self.ready = time.monotonic() - begin

    def __enter__(self) -> Served:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait()

    def work(self) -> tuple[float, float]:
        """Publish a first version of each entity; returns the seconds until all are applied, and processor seconds."""
        client = self._client()
        store = DynamoTableStore(client, {name: f"cqrs-{STACK}-{name}" for name in (COMMANDS, DATA)})
        publisher = CommandPublisher(store, AttributeStore(MemoryObjects()), SystemClock())
        begin, before = time.monotonic(), self._processor_seconds()
        given = [CommandInput("BENCH", f"b{number}", "A figure", {"n": number}) for number in range(COMMANDS_A_ROUND)]
        with ThreadPoolExecutor(PUBLISHERS) as pool:
            list(pool.map(partial(publisher.publish_async, context=CONTEXT), given))
        count = partial(client.scan, TableName=f"cqrs-{STACK}-{DATA}", Select="COUNT")
        wait_until(lambda: count()["Count"] >= ROWS * COMMANDS_A_ROUND)
        return time.monotonic() - begin, self._processor_seconds() - before

    def edit(self, module: Path, number: int) -> float:
        """Save another version of the handler; returns the seconds until it is reloaded."""
        begin = time.monotonic()
        module.write_text(MODULE.format(edit=number), encoding="utf-8")
        self._line(RELOADED)
        return time.monotonic() - begin

    def _client(self) -> Any:
        import boto3

        return boto3.client(
            "dynamodb",
            endpoint_url=self._url,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )

    def _line(self, wanted: re.Pattern[str]) -> re.Match[str]:
        while True:
            line = self._lines.get(timeout=MOST_SECONDS)
            if line is None:
                raise CommandError(f"./cqrs serve ended: {self._last}")
            self._last = line.strip() or self._last
            found = wanted.search(line)
            if found is not None:
                return found

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def _processor_seconds(self) -> float:
        """Processor time of the process so far (proc(5), stat: utime and stime)."""
        stat = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii")
        fields: Sequence[str] = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_until(reached: Callable[[], bool]) -> None:
    """Raises CommandError: not reached within ``MOST_SECONDS``."""
    deadline = time.monotonic() + MOST_SECONDS
    while not reached():
        if time.monotonic() > deadline:
            raise CommandError(f"not all commands were applied within {MOST_SECONDS:.0f} s")
        time.sleep(POLL_SECONDS)
