"""What only ``--slow`` runs is there, and each such test has variants in the ordinary run."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.moved_to_slow import MOVED as ALL_MOVED
from tests.unit.test_scenarios import TESTS

#: The samples' tests go with the samples.
MOVED = [one for one in ALL_MOVED if (TESTS.parent / one.path).parent.is_dir()]


def functions_of(path: str) -> set[str]:
    tree = ast.parse((TESTS.parent / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_each_moved_test_is_there() -> None:
    assert [moved.test for moved in MOVED if moved.test not in functions_of(moved.path)] == []


def test_each_test_that_is_moved_whole_names_the_one_that_stays() -> None:
    whole = [one for one in MOVED if not one.variants]
    moved = {f"{one.path}::{one.test}" for one in whole}
    for one in whole:
        assert one.instead is not None, f"{one.test}: nothing shows the same in the ordinary run"
        path, _, name = one.instead.partition("::")
        assert name in functions_of(path), f"{one.test}: there is no {one.instead}"
        assert one.instead not in moved, f"{one.test}: {one.instead} is moved, too"


def collected(*arguments: str) -> list[str]:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *arguments]
    result = subprocess.run(command, cwd=TESTS.parent, capture_output=True, text=True, timeout=300)
    return [line for line in result.stdout.splitlines() if "::" in line]


@pytest.fixture(scope="module")
def ordinary() -> list[str]:
    return collected("-m", "not slow and not real", *sorted({one.path for one in MOVED}))


def names(ids: list[str]) -> Iterator[str]:
    for one in ids:
        yield one.partition("[")[0].rpartition("::")[2]


@pytest.mark.slow
def test_each_moved_variant_exists_and_is_not_in_the_ordinary_run(ordinary: list[str]) -> None:
    everything = collected(*sorted({one.path for one in MOVED}))
    for moved in MOVED:
        if not moved.variants:
            assert f"{moved.path}::{moved.test}" in {one.partition("[")[0] for one in everything}
            assert f"{moved.path}::{moved.test}" not in {one.partition("[")[0] for one in ordinary}
            continue
        test = f"{moved.path}::{moved.test}["
        ids = [one.removeprefix(test)[:-1] for one in everything if one.startswith(test)]
        parts = {part for one in ids for part in (one, *one.split("-"))}
        assert set(moved.variants) <= parts, f"{test}: no variant {set(moved.variants) - parts}"
        still = [one for one in ids if moved.names(one) and f"{test}{one}]" in ordinary]
        assert still == [], f"{test}: {still} are still in the ordinary run"


@pytest.mark.slow
def test_each_moved_test_keeps_a_variant_in_the_ordinary_run(ordinary: list[str]) -> None:
    kept = set(names(ordinary))
    assert [moved.test for moved in MOVED if moved.variants and moved.test not in kept] == []
