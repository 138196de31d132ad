"""INLINE in memory: what is read and written in which order, and who goes on with whom."""

from __future__ import annotations

import pytest

from handlers.commands.keys import VersionKey
from handlers.commands.model import CommandInput
from handlers.commands.ttl_policies import TtlPolicies, TtlPolicy
from handlers.core.errors import ValidationError
from handlers.store.port import COMMANDS, DATA, HISTORY
from tests.support.inline_world import Inline, other
from tests.support.pipelines import KEY, order


def test_inl_08_a_first_version_without_targets_is_two_writes() -> None:
    world = Inline()
    world.publish(order(0, n=1))
    assert world.calls
    world.apply_all(1)
    assert world.calls == ["get 2", f"put {DATA}", f"update {COMMANDS}", f"get {COMMANDS}"]
    row = world.row(1)
    assert (row["status"], row["targets"]["data"]["outcome"]) == ("finish:FINISHED", "APPLIED")
    assert not {"openShard", "dueAt"} & row.keys()


def test_inl_08_a_next_version_keeps_what_it_replaces_first() -> None:
    world = Inline()
    world.publish(order(0, n=1))
    world.apply_all(1)
    world.publish(order(1, n=2))
    assert world.calls
    world.apply_all(2)
    assert world.calls == ["get 3", f"put {HISTORY}", f"put {DATA}", f"update {COMMANDS}", f"get {COMMANDS}"]


def test_inl_08_a_custom_target_costs_a_claim_and_its_own_writes() -> None:
    world = Inline("one")
    world.publish(order(0, n=1))
    assert world.calls
    world.apply_all(1)
    assert world.calls == ["get 2", f"update {COMMANDS}", f"put {DATA}", f"update {COMMANDS}", f"get {COMMANDS}"]
    assert world.handlers["one"].seen == [1]
    assert set(world.row(1)["targets"]) == {"one", "data"}


def test_inl_08_entities_of_a_batch_are_read_together() -> None:
    world = Inline()
    records = []
    for code in "abc":
        world.publish(order(0, code=code, n=1))
        records.append(world.record(1, other(code)))
    assert world.calls
    assert world.deliver(*records) == {}
    calls = world.calls
    assert calls[0] == "get 6"
    assert "get 2" not in calls
    assert [world.row(1, other(code))["status"] for code in "abc"] == ["finish:FINISHED"] * 3


@pytest.mark.parametrize(("limit", "reads"), [(65_536, ["get 20", "get 2"]), (196_608, ["get 8", "get 8", "get 6"])])
def test_as_many_are_read_together_as_fit_into_an_answer(limit: int, reads: list[str]) -> None:
    """Three rows each, of half as much again as their JSON and 32 KiB: 10 of 64 KiB, 4 of 192 KiB within 4 MB."""
    world = Inline(inline_limit=limit)
    codes = [f"e{number:02d}" for number in range(11)]
    for code in codes:
        world.publish(order(0, code=code, n=1))
    records = [world.record(1, other(code)) for code in codes]
    assert world.calls
    assert world.deliver(*records) == {}
    assert [call for call in world.calls if call.startswith("get ") and call[4:].isdigit()] == reads
    assert {world.row(1, other(code))["status"] for code in codes} == {"finish:FINISHED"}


def test_pub_14_the_predecessor_gets_its_ttl() -> None:
    world = Inline(ttl=TtlPolicies({COMMANDS: TtlPolicy(default=90)}))
    for version in range(2):
        world.publish(order(version, n=version))
    world.apply_all(1, 2)
    assert ["ttl" in world.row(version) for version in (1, 2)] == [True, False]


def test_ord_11_a_wait_expires_after_its_limit_and_not_before() -> None:
    world = Inline()
    for version in range(2):
        world.publish(order(version, n=version))
    world.apply_all(2)
    world.clock.advance(24 * 3600)
    world.apply_all(2)
    assert world.row(2)["status"] == "wait_prev_command:STARTED"
    world.clock.advance(1)
    world.apply_all(2)
    assert world.row(2)["error"]["type"] == "WaitExpired"


def test_entities_that_can_t_be_read_together_are_read_one_by_one() -> None:
    world = Inline()
    records = []
    for code in "ab":
        world.publish(order(0, code=code, n=1))
        records.append(world.record(1, other(code)))
    world.refuse(lambda what: ValidationError("rows", 4, "fewer") if what == "get 4" else None)
    assert world.deliver(*records) == {}
    assert [world.row(1, other(code))["status"] for code in "ab"] == ["finish:FINISHED"] * 2


def test_versions_of_a_batch_are_applied_in_order_without_looking_for_each_other() -> None:
    world = Inline("one")
    for version in range(3):
        world.publish(order(version, n=version))
    assert world.calls
    world.apply_all(3, 1, 2)
    assert world.handlers["one"].seen == [1, 2, 3]
    assert world.calls.count(f"get {COMMANDS}") == 1  # behind the last


def test_who_waits_is_parked_and_gone_on_with_by_its_predecessor() -> None:
    world = Inline("one")
    for version in range(3):
        world.publish(order(version, n=version))
    world.apply_all(3)
    world.apply_all(2)
    assert [world.row(version)["status"] for version in (2, 3)] == ["wait_prev_command:STARTED"] * 2
    world.apply_all(1)
    assert [world.row(version)["status"] for version in (1, 2, 3)] == ["finish:FINISHED"] * 3
    assert world.handlers["one"].seen == [1, 2, 3]
    assert world.started() == []


def test_a_parked_successor_is_started_when_no_time_is_left() -> None:
    world = Inline("one")
    for version in range(2):
        world.publish(order(version, n=version))
    world.apply_all(2)
    world.handlers["one"].does = lambda _: world.clock.advance(50)
    assert world.deliver(world.record(1), seconds=40) == {}
    assert world.row(1)["status"] == "finish:FINISHED"
    assert world.started() == [KEY.version_sk(2)]


def test_a_successor_with_a_token_is_woken() -> None:
    world = Inline()
    world.publish(order(0, n=1))
    second = world.publish(order(1, n=2))
    world.workflows.open_tokens.add("token")
    world.pipeline.wait(second, "token", "2026-01-01T00:00:00.000Z")
    world.apply_all(1)
    assert [token for token, _ in world.workflows.resumed] == ["token"]
    assert world.row(2)["status"] == "wait_prev_command:STARTED"


def test_ord_18_a_successor_that_can_t_be_read_is_told_and_the_command_stays_done() -> None:
    world = Inline()
    world.publish(order(0, n=1))
    refused: list[str] = []

    def denied(what: str) -> Exception | None:
        if what == f"get {COMMANDS}" and not refused:
            refused.append(what)
            return ValidationError("key", "x", "another one")
        return None

    world.refuse(denied)
    world.apply_all(1)
    row = world.row(1)
    assert row["status"] == "finish:FINISHED"
    (message,) = world.alarms.messages
    assert message["content"]["errorMessage"].startswith("after it was applied: finish failed")


def test_large_attributes_without_targets_are_never_read() -> None:
    world = Inline(inline_limit=1_024)
    world.publish(CommandInput("ORDER", "o1", "n", {"text": "x" * 300_000}))
    world.apply_all(1)
    assert world.row(1)["status"] == "finish:FINISHED"


def test_ord_04_a_gap_is_recorded() -> None:
    world = Inline()
    world.publish(order(0, n=1))
    world.publish(order(1, n=2))
    world.publish(order(2, n=3))
    world.memory.delete(COMMANDS, KEY.pk, VersionKey(KEY, 2).sk)
    world.apply_all(1, 3)
    assert world.row(3)["status"] == "check_version:FAILED"
    assert world.row(3)["error"]["type"] == "VersionGap"
    assert len(world.alarms.messages) == 1


def test_every_status_shows_where_that_is_configured() -> None:
    world = Inline("one", detail="full")
    seen: list[str] = []
    world.handlers["one"].does = lambda _: seen.append(world.row(1)["status"])
    world.publish(order(0, n=1))
    world.publish(order(1, n=2))
    world.apply_all(1)
    assert seen[0].startswith("sync_data:")
    assert world.row(1)["status"] == "finish:FINISHED"
    assert "openShard" not in world.row(1)


def test_an_empty_batch_makes_no_call() -> None:
    world = Inline()
    assert world.deliver() == {}
    assert world.calls == []
