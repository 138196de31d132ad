"""The invariants G1 to G5, checked at each change of a row in constant time, and once more when all is at rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from handlers.commands import status
from handlers.commands.attributes import ATTRIBUTES, POINTER
from handlers.commands.keys import EntityKey, VersionKey
from handlers.commands.model import Command
from handlers.core.keys import REQUEST_TYPE, row_id
from handlers.store.port import COMMANDS, DATA, HISTORY, Item
from tests.simulation.keys import version_key
from tests.simulation.sites import Visit

#: Fields of a command row that the pipeline may change (docs/spec/data.md); all others are business fields.
PIPELINE_FIELDS = frozenset(
    {
        *("status", "rank", "attempt", "error", "taskToken", "tokenEnteredAt", "waitingSince", "openShard", "dueAt"),
        *("runId", "leaseUntil", "runState", "syncMode", "targets", "alarmedAt", "ttl", "restart", "parkedAt"),
    }
)
RESTING = (status.status_of(status.FINISH, status.FINISHED), status.SKIPPED)


@dataclass(frozen=True)
class Violation:
    """A broken guarantee. ``entity`` names whose story to read."""

    guarantee: str
    entity: str
    text: str

    def __str__(self) -> str:
        return f"{self.guarantee} broken for {self.entity}: {self.text}"


@dataclass
class Entity:
    """What is known of one entity."""

    key: EntityKey
    rows: dict[int, Item] = field(default_factory=dict)
    data: Item | None = None
    #: the data rows that were replaced, by their version
    replaced: dict[int, Item] = field(default_factory=dict)
    history: dict[int, Item] = field(default_factory=dict)
    #: per custom target: the versions that took effect, in order
    effects: dict[str, list[int]] = field(default_factory=dict)

    @property
    def applied(self) -> int:
        """The data row's version, 0 without one."""
        return int(self.data["version"]) if self.data is not None else 0

    def is_done(self, version: int) -> bool:
        """Whether the version is DONE."""
        return status.is_done(self.rows.get(version))


class Watcher:
    """Watches stores, alarms and sync targets. The first violations are kept; nothing is raised into the handlers."""

    def __init__(self, now: Callable[[], float], *, targets: tuple[str, ...]) -> None:
        self._now = now
        #: seconds from the moment when a waiting command could go on until it did, at most
        self.slowest_wake = 0.0
        self._done_at: dict[tuple[str, int], float] = {}
        self._began = now()
        self._names: dict[tuple[str, int], set[str]] = {}
        self.violations: list[Violation] = []
        self.entities: dict[str, Entity] = {}
        self.alarms: dict[str, int] = {}
        #: how often a status event was delivered, by (id, attempt, status)
        self.events: Counter[tuple[str, int, str]] = Counter()
        self.changes = 0
        #: how many command rows are in the open index
        self.open_commands = 0
        self._requests: dict[str, str] = {}
        self._targets = targets
        self.types_without_targets: set[str] = set()

    def entity(self, key: EntityKey) -> Entity:
        """What is known of an entity."""
        known = self.entities.get(key.code)
        if known is None:
            known = self.entities[key.code] = Entity(key)
        return known

    @property
    def seconds_until_done(self) -> float:
        """When the last command so far became DONE, from the first change on."""
        return max(self._done_at.values(), default=0.0) - self._began

    # -- at each change -----------------------------------------------------------------------------

    @contextmanager
    def looks_at(self, row: Item) -> Iterator[None]:
        """Boundary: an error of whoever watches is a violation. Raised, it would be the table's, and tried again."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - boundary, see above
            text = f"looking at {row['pk']} {row['sk']}: {type(error).__name__}: {error}"
            self.violations.append(Violation("WATCHER", str(row.get("code", "")), text))

    def changed(self, table: str, before: Item | None, after: Item | None) -> None:
        """A row changed. Give it to the store as listener."""
        self.changes += 1
        row = after if after is not None else before
        assert row is not None
        if row["sk"].startswith(f"{REQUEST_TYPE}#"):
            return
        if after is None:
            self._break("G3", row["sk"], f"the row {table} {row['sk']} was deleted")
            return
        if table == COMMANDS:
            self._command(before, after)
        elif table == DATA:
            self._data(before, after)
        elif table == HISTORY:
            self._history(before, after)

    def written_by(self, visit: Visit | None, before: Item | None, after: Item | None) -> None:
        """A run without the claim writes nothing on its open command (a DONE one may be closed by anybody)."""
        if visit is None or visit.execution is None or before is None or after is None or "runId" not in before:
            return
        if visit.execution == before["runId"] or before["leaseUntil"] <= self._now() or status.is_done(before):
            return
        if (visit.entity, visit.version) == (before.get("code"), before.get("version")) and "cpk" not in before:
            text = f"{before['sk']}: {visit.who} wrote without the claim, which {before['runId']} holds"
            self._break("G3", visit.entity, text)

    def _command(self, before: Item | None, after: Item) -> None:
        key = version_key(after["pk"], after["sk"])
        entity, version = self.entity(key.entity), key.version
        entity.rows[version] = after
        self.open_commands += ("openShard" in after) - (before is not None and "openShard" in before)
        name = str(key)
        if before is None:
            self._accepted(entity, version, after)
            return
        for field_name in before.keys() | after.keys():
            if before.get(field_name) != after.get(field_name) and field_name not in PIPELINE_FIELDS:
                self._break("G3", key.entity.code, f"{name}: the business field {field_name} changed")
        self._status(entity, version, before, after)
        self._open_index(key, after)
        for target, outcome in before["targets"].items():
            if after["targets"].get(target) != outcome and after["attempt"] == before["attempt"]:
                self._break("G3", key.entity.code, f"{name}: the outcome of target {target} was written again")
        closed = status.is_done(after) or status.is_failed(after)
        for mark in ("taskToken", "parkedAt"):
            if mark in after and (closed or after.get("runState") != status.WAIT_PREV_COMMAND):
                self._break("G5", key.entity.code, f"{name} goes on as {after['status']} and still has {mark}")
        if after.get("runId") != before.get("runId") and "waitingSince" in after and "runId" in after:
            able = max(self._done_at.get((key.entity.code, version - 1), 0.0), after["waitingSince"])
            self.slowest_wake = max(self.slowest_wake, self._now() - able)
        if "ttl" in after and not (status.is_done(after) and version + 1 in entity.rows):
            self._break("G1", key.entity.code, f"{name} is {after['status']} or the latest and got a ttl")

    def _accepted(self, entity: Entity, version: int, row: Item) -> None:
        name = f"{row['sk']}"
        expected = max([*entity.rows.keys() - {version}, entity.applied], default=0) + 1
        if version != expected:
            self._break("G2", entity.key.code, f"{name} was accepted, but the next version is {expected}")
        applied_at_once = row["status"] in RESTING and "syncMode" in row
        accepted = row["status"] in (status.ACCEPTED, status.SYNC) and not row["targets"]
        if row["attempt"] != 1 or not (accepted or applied_at_once):
            self._break("G3", entity.key.code, f"{name} inherited pipeline fields: {row['status']}")
        for inherited in ("taskToken", "error", "ttl", "alarmedAt", "waitingSince"):
            if inherited in row:
                self._break("G3", entity.key.code, f"{name} inherited {inherited}")
        self._open_index(VersionKey(entity.key, version), row)

    def _status(self, entity: Entity, version: int, before: Item, after: Item) -> None:
        name, code = after["sk"], entity.key.code
        change = f"{name}: {before['status']} -> {after['status']}"
        if after["attempt"] != before["attempt"]:
            if not status.is_failed(before) or after["attempt"] != before["attempt"] + 1:
                self._break("G5", code, f"{change}: attempt {before['attempt']} -> {after['attempt']}")
        elif after["rank"] < before["rank"]:
            self._break("G5", code, f"{change}: the rank fell from {before['rank']} to {after['rank']}")
        if status.is_done(before) and not status.is_done(after):
            self._break("G5", code, f"{change}: DONE was left")
        if status.is_failed(after) and "error" not in after:
            self._break("G1", code, f"{change} without an error")
        if not status.is_done(before) and status.is_done(after) and after["status"] != status.SKIPPED:
            self._done(entity, version, after, change)

    def _done(self, entity: Entity, version: int, row: Item, change: str) -> None:
        code = entity.key.code
        self._done_at[code, version] = self._now()
        if version > 1 and version - 1 in entity.rows and not entity.is_done(version - 1):
            self._break("G2", code, f"{change}, but version {version - 1} is not DONE")
        if entity.applied < version:
            self._break("G2", code, f"{change}, but the data row is at version {entity.applied}")
        for target in self._targets_of(entity):
            effects = entity.effects.get(target)
            if not effects or effects[-1] < version:
                self._break("G1", code, f"{change}, but target {target} has not had it")

    def _open_index(self, key: VersionKey, row: Item) -> None:
        inside = "openShard" in row and "dueAt" in row
        if status.is_failed(row):
            expected = "alarmedAt" not in row
        elif row["status"] == status.SKIPPED:
            return  # in it until its tail is complete
        else:
            expected = row["status"] not in RESTING
        if inside != expected:
            where = "in" if inside else "not in"
            self._break("G4", key.entity.code, f"{key} is {row['status']} and {where} the open index")

    def _data(self, before: Item | None, after: Item) -> None:
        entity = self.entity(EntityKey.parse(after["pk"], after["sk"]))
        code, version = entity.key.code, int(after["version"])
        was = entity.applied
        missing = [v for v in range(was + 1, version) if entity.rows.get(v, {}).get("status") != status.SKIPPED]
        if version <= was:
            self._break("G3", code, f"the data row went from version {was} to {version}")
        elif missing:
            self._break("G2", code, f"the data row went from version {was} to {version} without {missing}")
        if version > 1 and version - 1 in entity.rows and not entity.is_done(version - 1):
            row = entity.rows[version - 1]
            self._break("G2", code, f"version {version} was applied while {version - 1} is {row['status']}")
        command = entity.rows.get(version)
        if command is None or _content(command) != _content(after) or command["sk"] != after["csk"]:
            self._break("G3", code, f"the data row at version {version} differs from its command")
        if before is not None:
            if any(before[name] != after[name] for name in ("id", "createdAt", "createdBy", "createdIp")):
                self._break("G3", code, f"id or created-fields of the data row changed at version {version}")
            entity.replaced[was] = before
            if was not in entity.history:
                self._break("G3", code, f"the data row went to version {version} and {was} is not in history")
        entity.data = after

    def _history(self, before: Item | None, after: Item) -> None:
        key = version_key(after["pk"], after["sk"])
        entity = self.entity(key.entity)
        if before is not None:
            self._break("G3", key.entity.code, f"history {key} was written again")
        kept = {**after, "sk": key.entity.sk}
        kept.pop("ttl", None)  # history has a policy of its own; the data row has none here
        if entity.data != kept:
            self._break("G3", key.entity.code, f"history {key} is not what the data row was")
        entity.history[key.version] = after

    def answered(self, key: VersionKey, request_id: str) -> None:
        """A publish with a request id answered this command."""
        first = self._requests.setdefault(request_id, key.sk)
        written = [v for v, row in self.entity(key.entity).rows.items() if row.get("requestId") == request_id]
        if first != key.sk or written != [key.version]:
            text = f"request {request_id} answered {key.sk}, before {first}; it wrote versions {written}"
            self._break("G3", key.entity.code, text)

    # -- targets and alarms -------------------------------------------------------------------------

    def target_called(self, target: str, key: VersionKey) -> None:
        """A sync handler is called; a late call of a run that was believed dead may follow its successor's."""
        entity = self.entity(key.entity)
        if key.version - 1 in entity.rows and not entity.is_done(key.version - 1):
            row = entity.rows[key.version - 1]
            text = f"target {target} got version {key.version} while {key.version - 1} is {row['status']}"
            self._break("G2", key.entity.code, text)

    def checked_previous_state(self, key: VersionKey, told: Command | None) -> None:
        """A handler got this as the entity before the version: what the data row then was, on every delivery."""
        entity = self.entity(key.entity)
        stood = [version for version in (*entity.replaced, entity.applied) if 0 < version < key.version]
        expected, shown = max(stood, default=None), None if told is None else told.version
        if shown != expected:
            self._break("G3", key.entity.code, f"{key} came with version {shown} as the state before, not {expected}")
        elif told is not None:
            row = entity.rows[told.version]
            if (
                told.sk != row["sk"]
                or told.name != row["name"]
                or told.attributes != row.get(ATTRIBUTES, told.attributes)
            ):
                self._break("G3", key.entity.code, f"{key} came with another content of {told.sk} as the state before")

    def target_applied(self, target: str, key: VersionKey) -> None:
        """The target's own conditional write: lower versions change nothing."""
        self.target_called(target, key)
        effects = self.entity(key.entity).effects.setdefault(target, [])
        if not effects or effects[-1] < key.version:
            effects.append(key.version)

    def alarm(self, message: Mapping[str, Any], attributes: Mapping[str, str]) -> None:
        """An alarm was delivered."""
        identity = attributes["alarmId"]
        self.alarms[identity] = self.alarms.get(identity, 0) + 1
        key = version_key(message["pk"], message["sk"])
        row = self.entity(key.entity).rows.get(key.version)
        attempt = int(identity.rpartition("#")[2])
        is_late = row is not None and attempt < row["attempt"]
        if row is None or not (is_late or status.is_failed(row) or status.is_done(row)):
            state = "absent" if row is None else row["status"]
            self._break("G1", key.entity.code, f"an alarm for {key}, which is {state}")
            return
        if identity != f"{alarm_identity(row)}#{attempt}" or attempt > row["attempt"]:
            self._break(
                "G1", key.entity.code, f"the alarm's identity {identity} is not {key}, attempt {row['attempt']}"
            )
        if "AQC" in repr(message) or "secret" in repr(message):
            self._break("G1", key.entity.code, f"the alarm for {key} holds a token or record data")

    def notified(self, message: Mapping[str, Any]) -> None:
        """A status event was delivered: at least once, only of what was stored, and with no record data."""
        content = message["content"]
        key = version_key(message["pk"], message["sk"])
        row = self.entity(key.entity).rows.get(key.version)
        if row is None or content["attempt"] > row["attempt"]:
            self._break("G1", key.entity.code, f"a status event of {key} tells what was never stored: {content}")
        if "AQC" in repr(message) or "secret" in repr(message):
            self._break("G1", key.entity.code, f"a status event of {key} holds a token or record data")
        self.events[message["id"], content["attempt"], content["status"]] += 1

    def started(self, key: VersionKey, attempt: int, name: str) -> None:
        """An execution was asked for. Its name is the same however often, but for the sweeper's restarts.

        What may be assumed: the row counts a restart before its name is used, and takes it back only after a refusal,
        when nothing runs under it. So the names that were ever accepted are at most one more than the row counts at
        that moment, and a name that is asked for later, by a late record, is among them.
        """
        names = self._names.setdefault((str(key), attempt), set())
        names.add(name)
        row = self.entity(key.entity).rows.get(key.version, {})
        if len(names) > 1 + row.get("restart", 0):
            self._break("G3", key.entity.code, f"{key}, attempt {attempt}, has {len(names)} executions")

    def goes_round(self, visit: Visit) -> None:
        """Calls are made again and again while no time passes."""
        self._break("G4", visit.entity, f"{visit.entity}@{visit.version} {visit.who} goes round in a circle")

    @property
    def repeats(self) -> list[str]:
        """Alarms and status events that went out more than once: without faults there are none."""
        sent = [*self.events.items(), *self.alarms.items()]
        return [f"{what}: {count} times" for what, count in sent if count > 1]

    # -- at rest ------------------------------------------------------------------------------------

    def at_rest(self, *, everything_done: bool = False) -> None:
        """Nothing runs and nothing is under way any more: what must hold now."""
        for entity in self.entities.values():
            for version in sorted(entity.rows):
                self._row_at_rest(entity, version, everything_done=everything_done)
            self._entity_at_rest(entity)

    def _row_at_rest(self, entity: Entity, version: int, *, everything_done: bool) -> None:
        row, code = entity.rows[version], entity.key.code
        if (
            status.is_terminal(row["status"])
            and (alarm_identity(row), row["attempt"], row["status"]) not in self.events
        ):
            self._break("G1", code, f"nobody was told that {row['sk']} is {row['status']}")
        if status.is_failed(row):
            if "alarmedAt" not in row:
                self._break("G1", code, f"{row['sk']} FAILED and its alarm is not noted")
            elif f"{alarm_identity(row)}#{row['attempt']}" not in self.alarms and row["error"]["type"] != "WaitExpired":
                self._break("G1", code, f"{row['sk']} FAILED without an alarm")
            if everything_done:
                self._break("G1", code, f"{row['sk']} FAILED: {row['error']}")
        elif row["status"] not in RESTING or "openShard" in row:
            self._break("G4", code, f"{row['sk']} rests as {row['status']}")

    def _entity_at_rest(self, entity: Entity) -> None:
        code = entity.key.code
        applied = [v for v in sorted(entity.rows) if entity.is_done(v) and entity.rows[v]["status"] != status.SKIPPED]
        # One that failed later, or was skipped, may have reached the data row, or other targets, before.
        reached = [v for v in sorted(entity.rows) if v in applied or v in entity.replaced or v == entity.applied]
        if entity.applied < (applied[-1] if applied else 0):
            self._break("G1", code, f"DONE up to {applied[-1:]}, but the data row is at version {entity.applied}")
        if sorted(entity.history) not in (reached[:-1], reached):
            self._break("G3", code, f"history is {sorted(entity.history)}, the data row had {reached}")
        for target in self._targets_of(entity):
            effects = entity.effects.get(target, [])
            if [v for v in effects if v in applied] != applied or effects != sorted(effects):
                self._break("G2", code, f"target {target} had {effects}, DONE are {applied}")

    def _targets_of(self, entity: Entity) -> tuple[str, ...]:
        return () if entity.key.type in self.types_without_targets else self._targets

    def _break(self, guarantee: str, entity: str, text: str) -> None:
        self.violations.append(Violation(guarantee, entity, text))


def _content(row: Item) -> tuple[Any, Any]:
    """Attributes, or where they are."""
    return row.get(ATTRIBUTES), row.get(POINTER)


def alarm_identity(row: Item) -> str:
    """What an alarm's identity begins with."""
    return row_id(row["pk"], row["sk"])
