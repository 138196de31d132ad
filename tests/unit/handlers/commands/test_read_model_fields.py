"""Exactly which fields the read model and its history have, whatever a command went through before it was applied."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from handlers.commands.attempts import OF_THE_ATTEMPT, Attempts
from handlers.commands.ttl_policies import TtlPolicies, TtlPolicy
from handlers.store.conditions import Path
from handlers.store.port import COMMANDS, DATA, HISTORY, Change, Item
from tests.simulation.watcher import PIPELINE_FIELDS
from tests.support.operations import failed, next_attempt
from tests.support.pipelines import CONTEXT, KEY, World, order

#: Of the read model: who and what it is, where it came from, its content.
DATA_FIELDS = {
    *("pk", "sk", "id", "cpk", "csk", "code", "type", "name", "version", "tenantCode", "attributes", "isDeleted"),
    *("source", "createdAt", "createdBy", "createdIp", "updatedAt", "updatedBy", "updatedIp"),
}
#: Of a command that was just accepted: those of its content, and what the pipeline needs.
ACCEPTED_FIELDS = {"status", "rank", "attempt", "openShard", "dueAt", "targets"}


def rows(world: World, table: str) -> list[Item]:
    return [row for row in world.store.scan(table).items if row["pk"] == KEY.pk]


@pytest.mark.parametrize("detail", ["full", "terminal"])
def test_edge_65_no_field_of_the_pipeline_reaches_the_read_model(detail: str) -> None:
    """The second version has a request, was redriven, waited and carries every pipeline field that there is."""
    world = World(detail=detail)
    world.publish_and_apply(order(0, n=1))
    run = failed(world, 2)
    Attempts(world.store, world.clock).begin_next(world.row(2))
    marks: dict[Path, Any] = dict.fromkeys(
        PIPELINE_FIELDS - {"status", "rank", "attempt", "targets", "runId", "leaseUntil"}, 1
    )
    world.store.update(COMMANDS, KEY.pk, KEY.version_sk(2), Change(set={**marks, "requestId": "r1"}))
    world.store.update(COMMANDS, KEY.pk, KEY.version_sk(2), Change(remove=("ttl",)))
    world.apply(next_attempt(run))
    world.publish_and_apply(order(2, n=3))
    (data,) = rows(world, DATA)
    assert (set(data), data["version"]) == (DATA_FIELDS, 3)
    assert [set(row) for row in rows(world, HISTORY)] == [DATA_FIELDS] * 2


def test_edge_65_only_seq_and_a_ttl_are_added_where_they_are_asked_for() -> None:
    policy = TtlPolicy(10)
    world = World(ttl=TtlPolicies({"data": policy, "history": policy}))
    world.publish_and_apply(replace(order(0, n=1), seq=7))
    world.publish_and_apply(replace(order(1, n=2), seq=8))
    assert [set(row) for row in (*rows(world, DATA), *rows(world, HISTORY))] == [DATA_FIELDS | {"seq", "ttl"}] * 2


def test_edge_65_no_field_of_the_pipeline_reaches_the_next_version() -> None:
    world = World()
    world.publish_and_apply(order(0, n=1))
    marks = {**dict.fromkeys(PIPELINE_FIELDS - {"status", "rank", "attempt", "ttl"}, 1), "targets": {"t": {}}}
    world.store.update(COMMANDS, KEY.pk, KEY.version_sk(1), Change(set=marks))
    world.publisher.publish_partial_async(KEY.pk, KEY.sk, -1, {"name": "second"}, CONTEXT)
    row = world.row(2)
    assert set(row) == (DATA_FIELDS - {"cpk", "csk"}) | ACCEPTED_FIELDS
    assert (row["targets"], row["attempt"], row["status"]) == ({}, 1, "publish:ACCEPTED")


def test_edge_65_a_redrive_ends_what_belongs_to_the_attempt() -> None:
    """What stays is the content, the outcomes of targets, and the marks of a command that is to be started."""
    world = World()
    failed(world, 1)
    fields: dict[Path, Any] = dict.fromkeys(OF_THE_ATTEMPT, 1)
    world.store.update(
        COMMANDS, KEY.pk, KEY.version_sk(1), Change(set={**fields, "leaseUntil": 0, "targets": {"t": {"outcome": "x"}}})
    )
    redriven = Attempts(world.store, world.clock).begin_next(world.row(1))
    assert set(redriven) == (DATA_FIELDS - {"cpk", "csk"}) | ACCEPTED_FIELDS | {"restart"}
    assert redriven["targets"] == {"t": {"outcome": "x"}}
