"""Server-sent events: numbered, from a point on, and what is lost is announced."""

from __future__ import annotations

import json
from itertools import islice

import pytest

from local.aws.http.model import WebRequest
from local.aws.model import AwsCall
from local.gateway.live import LiveEvents


def put(events: LiveEvents, number: int) -> None:
    for n in range(number):
        events.add("cqrs", "command-status", json.dumps({"n": n}))


def texts(events: LiveEvents, since: int | None, number: int) -> list[str]:
    return [part.decode() for part in islice(events.follow(since), number)]


def test_events_after_a_number() -> None:
    events = LiveEvents()
    put(events, 3)
    first, *rest = texts(events, 1, 3)
    assert first == ": connected\n\n"
    data = '{"source":"cqrs","detailType":"command-status","detail":{"n":1}}'
    assert rest[0] == f"id: 2\nevent: command-status\ndata: {data}\n\n"
    assert rest[1].startswith("id: 3\n")
    assert texts(events, 0, 2)[1].startswith("id: 1\n")


def test_lost_events_are_announced_and_the_rest_sent() -> None:
    events = LiveEvents(kept=2)
    put(events, 5)
    for since in (1, 99):  # dropped since, and of a runtime before this one
        reset, first = texts(events, since, 2)
        assert reset == "event: reset\ndata: {}\n\n"
        assert first.startswith("id: 4\n")
    assert texts(events, 0, 1) == [": connected\n\n"]  # who asks for all that is kept lost nothing


def test_from_now_on_with_signs_of_life_until_it_stops() -> None:
    events = LiveEvents(heartbeat_s=0)
    put(events, 2)
    following = events.follow(None)
    assert [next(following), next(following)] == [b": connected\n\n", b": alive\n\n"]
    put(events, 1)
    assert next(following).startswith(b"id: 3\n")
    events.stop()
    assert list(following) == []


def test_only_what_is_put_on_the_stacks_buses() -> None:
    events = LiveEvents()
    entry = {"Source": "cqrs", "DetailType": "x", "Detail": "{}"}
    for operation, bus in (("PutEvents", "default"), ("PutRule", "own"), ("PutEvents", "own")):
        entries = [{**entry, "EventBusName": bus}]
        events.on_call(AwsCall("events", operation, None, 0, "*", params={"Entries": entries}))
    assert len(texts(events, 0, 2)) == 2
    assert events._last == 1


@pytest.mark.parametrize(("query", "header"), [("since=x", None), ("since=-1", None), ("", "²")])
def test_a_wrong_number_is_refused(query: str, header: str | None) -> None:
    headers = [] if header is None else [("last-event-id", header)]
    answer = LiveEvents().answer(WebRequest("GET", "/events", query, headers))
    assert answer.status == 400


def test_only_get() -> None:
    assert LiveEvents().answer(WebRequest("POST", "/events", "", [])).status == 405
