"""API-01: fuzzing, a little of it in each run."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.store.port import HISTORY
from tests.fuzzing.fuzzing import fuzz
from tests.support.api import ApiWorld


def test_api_01_fuzzing_finds_nothing() -> None:
    some = ("POST /commands", "GET /entities/{type}/{code}", "GET /failed", "POST /tasks", "GET /imports/{id}/rows")
    report = fuzz(requests=100, seed=7, only=some)
    assert report.failures == {}
    assert report.requests >= 50
    assert {200, 422} <= set(report.statuses)
    assert report.refused >= 10


@pytest.mark.slow
def test_api_01_fuzzing_finds_nothing_in_ten_thousand_requests() -> None:
    report = fuzz(requests=10_000, seed=1)
    assert report.failures == {}
    assert report.requests >= 10_000


def test_api_01_an_answer_that_is_not_described_would_be_found() -> None:
    """A field lacks, and an error is none of those that are answered."""
    api = ApiWorld()
    answered = api.api.__call__

    def without_items(event: Any, context: Any) -> Any:
        answer = answered(event, context)
        if event["rawPath"] == "/tasks" and answer["statusCode"] == 200:
            answer["body"] = "{}"
        if event["rawPath"] == "/failed":
            answer["statusCode"] = 500
        return answer

    api.api = without_items  # type: ignore[assignment]
    report = fuzz(requests=8, seed=3, world=lambda: api, only=("GET /tasks", "GET /failed"))
    found = "\n".join(report.failures)
    assert "GET /tasks positive" in found
    assert "GET /failed positive" in found


def test_api_01_a_refused_request_that_writes_would_be_found() -> None:
    api = ApiWorld()
    answered = api.api.__call__

    def writing(event: Any, context: Any) -> Any:
        answer = answered(event, context)
        if answer["statusCode"] == 422:
            api.world.store.put(HISTORY, {"pk": "TENANT#t1", "sk": "ORDER#o1@0000000001"})
        return answer

    api.api = writing  # type: ignore[assignment]
    report = fuzz(requests=20, seed=3, world=lambda: api, only=("POST /tasks",))
    assert report.failures == {
        "POST /tasks: refused and written": "422, but history (('TENANT#t1', 'ORDER#o1@0000000001')) changed"
    }
