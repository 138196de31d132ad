"""API-04: errors as problem documents."""

from __future__ import annotations

import re
from typing import Any

import pytest

from handlers.api.http.problems import KINDS, kind_of, problem_of
from handlers.core import errors
from handlers.core.errors import CqrsError, TransientConflict, TransientError, TransientThrottle
from handlers.store.memory import MemoryTableStore
from local.runtime import PROJECT_DIR
from tests.support.api import ApiWorld
from tests.support.pipelines import World

ORDER = {"type": "ORDER", "code": "o1", "name": "first", "attributes": {"n": 1}}


def test_api_04_a_version_conflict_has_the_current_version() -> None:
    api = ApiWorld()
    api.publish(n=1)
    answer = api.post("/commands", {**ORDER, "version": 5})
    assert answer.status == 409
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.body["type"] == "urn:cqrs:problem:version-conflict"
    assert (answer.body["status"], answer.body["currentVersion"]) == (409, 1)
    assert answer.body["current"]["attributes"] == {"n": 1}
    assert answer.body["requestId"] == "request-1"


def test_api_04_what_is_not_there() -> None:
    api = ApiWorld()
    for path in ("/entities/ORDER/none", "/entities/ORDER/none/versions/1", "/entities/ORDER/none/explain"):
        answer = api.get(path)
        assert (answer.status, answer.body["type"]) == (404, "urn:cqrs:problem:not-found"), path
    for path in ("/nothing", "/", "", "/entities", "/entities/ORDER/o1/", "/commands/a/b/c"):
        answer = api.get(path)
        assert (answer.status, answer.body["type"]) == (404, "urn:cqrs:problem:no-route"), path


def test_api_04_a_method_that_a_path_does_not_take() -> None:
    answer = ApiWorld().call("DELETE", "/entities/ORDER/o1")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET")
    assert answer.body["type"] == "urn:cqrs:problem:wrong-method"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"code": "a#b"}, "code"),
        ({"type": ""}, "type"),
        ({"name": 5}, "name"),
        ({"version": "1"}, "version"),
        ({"version": -2}, "version"),
        ({"seq": 1.5}, "seq"),
        ({"isDeleted": "true"}, "isDeleted"),
        ({"kind": "a@b"}, "kind"),
        ({"more": 1}, "more"),
        ({"attributes": []}, "attributes"),
        ({"attributes": {"a": {"": 1}}}, "attributes.a"),
    ],
)
def test_api_04_a_wrong_field_is_named(change: dict[str, Any], field: str) -> None:
    answer = ApiWorld().post("/commands", {**ORDER, **change})
    assert (answer.status, answer.body["type"]) == (422, "urn:cqrs:problem:validation")
    assert answer.body["errors"][0]["field"] == field
    assert answer.body["errors"][0]["allowed"]


class Busy(MemoryTableStore):
    """Raises what it is given, at each read."""

    error: Exception = TransientError("gone")

    def get(self, *_: Any, **__: Any) -> Any:
        raise self.error


@pytest.mark.parametrize(
    ("error", "status", "name"),
    [
        (TransientError("gone"), 503, "transient"),
        (TransientConflict("busy"), 503, "transient"),
        (TransientThrottle("slow"), 429, "throttled"),
    ],
)
def test_api_04_what_passes_says_so(error: Exception, status: int, name: str) -> None:
    store = Busy()
    store.error = error
    answer = ApiWorld(world=World(store=store)).get("/entities/ORDER/o1")
    assert (answer.status, answer.body["type"]) == (status, f"urn:cqrs:problem:{name}")
    assert answer.headers["Retry-After"] == "1"


def test_api_04_an_unexpected_error_reveals_nothing(caplog: pytest.LogCaptureFixture) -> None:
    store = Busy()
    store.error = KeyError("a secret of the row")
    answer = ApiWorld(world=World(store=store)).get("/entities/ORDER/o1")
    assert answer.status == 500
    assert answer.body == {
        "type": "urn:cqrs:problem:internal",
        "title": "Internal error",
        "status": 500,
        "detail": "Internal error",
        "requestId": "request-1",
    }
    assert [one.fields["errorType"] for one in caplog.records if one.message == "request failed"] == ["KeyError"]  # type: ignore[attr-defined]
    assert "secret" not in caplog.text


def test_api_04_every_error_of_callers_has_a_kind_of_its_own() -> None:
    """Permanent errors that services raise at callers: none of them is told as something inside."""
    inside = {
        *("ExecutionError", "VersionMismatch", "VersionGap", "WaitExpired", "NotRunning", "ObjectMissing"),
        *("BucketMissing", "ObjectChanged", "ObjectTooLarge", "AttributesDamaged", "TokenGone", "TokenInvalid"),
        *("TokenExpired", "TokenUnknown", "SettingsError", "RegistryError", "CqrsError"),
    }
    found = {one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, CqrsError)}
    assert {one.__name__ for one in found if kind_of(one.__new__(one)).name == "internal"} == inside


def test_api_04_types_are_listed_and_distinct() -> None:
    page = (PROJECT_DIR / "docs" / "errors.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(urn:cqrs:problem:[a-z-]+)` \|", page, re.MULTILINE)
    assert sorted(listed) == sorted({kind.type for _, kind in KINDS} | {"urn:cqrs:problem:internal"})
    assert problem_of(ValueError("x"), None)[0].detail == "Internal error"
