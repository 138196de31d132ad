"""The stack's events as server-sent events: ``GET /events?since=``.

For pages on this machine; on AWS, other projects have a rule on the bus, and pages poll. Format: HTML standard,
"Server-sent events". Each event has ``id`` (an increasing number), ``event`` (the detail type) and ``data`` (JSON:
``source``, ``detailType``, ``detail``). A browser that lost the connection continues by ``Last-Event-ID``. If events
were dropped, or the runtime restarted, the event ``reset`` asks the client to read everything again.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from local.aws.http.model import WebAnswer, WebRequest
from local.aws.model import AwsCall

PATH = "/events"
KEPT = 10_000
#: Seconds of silence after which a comment shows that the connection is alive.
HEARTBEAT_S = 15.0
RESET = "reset"


@dataclass(frozen=True)
class LiveEvent:
    """One event of a bus."""

    number: int
    kind: str
    data: str


class LiveEvents:
    """Keeps the last events, numbered from 1, for any number of clients. ``on_call`` is a listener of the endpoint."""

    def __init__(self, *, kept: int = KEPT, heartbeat_s: float = HEARTBEAT_S) -> None:
        self._events: deque[LiveEvent] = deque(maxlen=kept)
        self._last = 0
        self._heartbeat_s = heartbeat_s
        self._changed = threading.Condition()
        self._stopped = False

    def on_call(self, call: AwsCall) -> None:
        """Record events that were put on buses other than the default one."""
        if (call.service, call.operation) != ("events", "PutEvents"):
            return
        for entry in call.params.get("Entries", []):
            if entry.get("EventBusName", "default") != "default":
                self.add(str(entry.get("Source", "")), str(entry.get("DetailType", "")), str(entry.get("Detail", "{}")))

    def add(self, source: str, kind: str, detail: str) -> None:
        """Add an event; ``detail`` is JSON."""
        data = json.dumps({"source": source, "detailType": kind, "detail": json.loads(detail)}, separators=(",", ":"))
        with self._changed:
            self._last += 1
            self._events.append(LiveEvent(self._last, " ".join(kind.split()), data))
            self._changed.notify_all()

    def stop(self) -> None:
        """End all responses."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def answer(self, request: WebRequest) -> WebAnswer:
        """Stream events after ``since`` (0: all available; absent: only new ones) or after ``Last-Event-ID``."""
        if request.method != "GET":
            return _problem(405, "expected GET")
        since = request.header("last-event-id")
        for part in request.query.split("&"):
            name, _, value = part.partition("=")
            since = value if name == "since" and since is None else since
        if since is not None and not (since.isascii() and since.isdigit()):
            return _problem(400, f"since is {since!r}; expected the id of an event, a whole number from 0")
        headers = [("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-store")]
        return WebAnswer(200, headers, self.follow(None if since is None else int(since)))

    def follow(self, since: int | None) -> Iterator[bytes]:
        """The text of events after ``since``, until ``stop``."""
        with self._changed:
            at = self._last if since is None else since
            first = self._events[0].number if self._events else self._last + 1
            is_lost = at > self._last or at < first - 1
            at = first - 1 if is_lost else at
        # The first bytes are sent at once, so that the page knows that it is connected.
        yield f"event: {RESET}\ndata: {{}}\n\n".encode() if is_lost and since else b": connected\n\n"
        while not self._stopped:
            found = self._after(at)
            for event in found:
                at = event.number
                yield f"id: {event.number}\nevent: {event.kind}\ndata: {event.data}\n\n".encode()
            if not found:
                yield b": alive\n\n"

    def _after(self, number: int) -> list[LiveEvent]:
        """Events after a number; waits for one, but at most for the heartbeat interval."""
        until = time.monotonic() + self._heartbeat_s
        with self._changed:
            while self._last <= number and not self._stopped and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)
            return [event for event in self._events if event.number > number]


def _problem(status: int, detail: str) -> WebAnswer:
    body = json.dumps({"message": detail}).encode()
    return WebAnswer(status, [("content-type", "application/json")], body)
