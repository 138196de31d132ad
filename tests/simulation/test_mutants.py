"""The mutation check: that every mutation still fits the source, and a few of them tried out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation.mutants import ROOT, apply, table, try_out
from tests.simulation.mutations import MUTATIONS, SEEDS, Mutation

BY_NAME = {one.name: one for one in MUTATIONS}


def test_there_are_enough_and_each_has_a_name_of_its_own() -> None:
    assert len(BY_NAME) == len(MUTATIONS) >= 15


@pytest.mark.parametrize("name", BY_NAME)
def test_each_mutation_still_fits_the_source(name: str) -> None:
    for file, old, new in BY_NAME[name].edits:
        assert (ROOT / file).read_text(encoding="utf-8").count(old) == 1, f"{file} no longer has this once: {old!r}"
        assert old != new


def test_an_edit_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\nx = 1\n")
    with pytest.raises(ValueError, match="occurs 2 times"):
        apply(Mutation("m", "w", (("a.py", "x = 1", "x = 2"),)), tmp_path)


@pytest.mark.parametrize("name", ["unconditional data write", "no re-check after the token"])
def test_some_mutations_are_caught(name: str) -> None:
    verdict = try_out(BY_NAME[name])
    assert verdict.caught, table([verdict])


def test_a_mutation_that_breaks_nothing_is_reported_as_not_caught() -> None:
    harmless = ("handlers/commands/pipeline/wait.py", "whatever the interleaving", "in any interleaving")
    verdict = try_out(
        Mutation("harmless", "nothing", (harmless,), (f"{SEEDS[0]}::test_the_same_seed_gives_the_same_trace[3]",))
    )
    assert not verdict.caught
    assert "NOT CAUGHT: nobody (pytest ended with 0)" in table([verdict])


@pytest.mark.slow
def test_every_mutation_is_caught() -> None:
    verdicts = [try_out(one) for one in MUTATIONS]
    assert all(one.caught for one in verdicts), table(verdicts)
