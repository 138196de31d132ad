"""How a mutant is tried out, what is remembered, and how the score comes about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mutation import trials as trying
from tests.mutation import verdicts
from tests.mutation.__main__ import NEEDED, score, split, table
from tests.mutation.equivalents import Equivalent, equivalents, stale
from tests.mutation.line_map import ROOT, Coverage, moved
from tests.mutation.mutants import Mutant, mutants_of
from tests.mutation.trials import NO_END, Trials, Verdict
from tests.mutation.verdicts import KeptVerdicts

FILE = "handlers/core/clock.py"
TEST = "tests/unit/handlers/test_expiry_at_the_second.py"


def mutant(before: str = "a < b", source: str = "x = 1\n", file: str = FILE) -> Mutant:
    return Mutant(file, "f", "comparison", 1, 1, before, "a > b", source)


def test_the_equivalents_name_sources_and_give_reasons() -> None:
    listed = equivalents()
    assert len({one.key for one in listed}) == len(listed)
    for one in listed:
        assert one.file.startswith("handlers/"), one
        assert len(one.why.split()) >= 4, one
        assert one.before != one.after, one


def test_an_entry_that_fits_no_longer_is_reported_and_leaves_nothing_out() -> None:
    there, gone = (Equivalent(FILE, "f", before, "a > b", "nobody can see it") for before in ("a < b", "gone"))
    assert stale([there, gone], [mutant()]) == [gone]
    assert split([mutant(), mutant("a <= b")], [there, gone]) == ([mutant("a <= b")], 1)


def test_the_score_counts_what_was_tried_out() -> None:
    verdicts = [Verdict(mutant(), "a test", 1.0)] * 3 + [Verdict(mutant(), "", 1.0)]
    assert score(verdicts) == 0.75 < NEEDED
    assert score([]) == 1
    shown = table(verdicts, 2).splitlines()
    assert shown[0] == f"survived  {FILE}:1 f [comparison] a < b -> a > b"
    assert shown[1].startswith("3 of 4 mutants caught (75.0%); 2 more change nothing")


def test_what_only_ran_out_of_time_is_distinguished() -> None:
    endless, caught = Verdict(mutant(), NO_END, 60.0), Verdict(mutant(), "test_a.py::test_x", 1.0)
    assert (endless.caught, endless.ran_out_of_time, caught.ran_out_of_time) == (True, True, False)
    shown = table([endless, caught], 0).splitlines()
    assert shown[0].startswith("2 of 2 mutants caught")
    assert shown[1] == f"ran out of time  {FILE}:1 f [comparison] a < b -> a > b"
    assert shown[2].startswith("1 of them failed no test")
    assert len(table([caught], 0).splitlines()) == 1


def test_a_round_has_the_quickest_tests_and_those_that_are_named_for_the_module(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trying, "ROUND_SECONDS", 3)
    seconds = {"a/test_b.py::x": 1.0, "a/test_c.py::x": 1.0, "a/test_clock.py::x": 1.5, "a/test_clock.py::y": 2.0}
    trials = Trials(Coverage(seconds, {}))
    assert trials._affordable(mutant(), seconds) == ["a/test_b.py::x", "a/test_c.py::x", "a/test_clock.py::x"]
    assert trials._affordable(mutant(file="handlers/other.py"), seconds) == ["a/test_b.py::x", "a/test_c.py::x"]


def test_lines_are_found_again_when_the_source_has_moved() -> None:
    old, new = "a\nb\nc\nd\n", "a\nnew\nb\nC\nCC\nd\n"
    found = moved(old, new)
    assert {line: list(found[line]) for line in (1, 2, 4)} == {1: [1, 2], 2: [3], 4: [6]}
    assert list(found[3]) == [4, 5]
    assert list(moved(old, old)[4]) == [4]


def test_a_catch_holds_until_its_file_or_its_test_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdicts, "KEPT", tmp_path)
    monkeypatch.setattr(verdicts, "ROOT", tmp_path)
    (tmp_path / "test_a.py").write_text("1")
    caught, survived = Verdict(mutant(), "test_a.py::test_x", 1.0), Verdict(mutant(source="x = 2\n"), "", 1.0)
    for one in (caught, survived):
        KeptVerdicts().add(one)
    assert KeptVerdicts().of(caught.mutant) == caught
    assert KeptVerdicts().of(survived.mutant) is None
    assert KeptVerdicts().of(mutant(source="x = 3\n")) is None
    (tmp_path / "test_a.py").write_text("2")
    assert KeptVerdicts().of(caught.mutant) is None


def test_each_place_has_wider_tests_that_exist() -> None:
    for place, tests in trying.WIDER:
        assert next((ROOT / "handlers").parent.glob(f"{place}*"), None) is not None, place
        assert [test for test in tests if not (ROOT / test).exists()] == []


@pytest.fixture(scope="module")
def trials() -> Iterator[Trials]:
    """With a map that knows one quick test."""
    test = f"{TEST}::test_edge_64_the_rule[0-True]"
    lines = {number: frozenset([test]) for number in range(1, 200)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trying, "WIDER", (("handlers", (f"{TEST}::test_edge_64_a_row_without_ttl_stays",)),))
        with Trials(Coverage({test: 0.1}, {"handlers/core/expiry.py": lines})) as made:
            yield made


def policies(after: str) -> Mutant:
    file = "handlers/core/expiry.py"
    (found,) = (one for one in mutants_of(file, (ROOT / file).read_text(encoding="utf-8")) if one.after == after)
    return found


def test_a_mutant_is_caught_by_a_test_of_its_line_and_the_copy_is_mended(trials: Trials) -> None:
    broken = trials.verdict(policies("return ttl is not None and ttl < now"))
    assert broken.by == f"{TEST}::test_edge_64_the_rule[0-True]"
    # The mutant before it is gone: else this one would be caught by the same test.
    assert not trials.verdict(policies("SECONDS_PER_DAY = 86401")).caught


def test_a_mutant_that_only_wider_tests_notice(trials: Trials) -> None:
    broken = trials.verdict(policies("return (ttl <= now)"))
    assert broken.by == f"{TEST}::test_edge_64_a_row_without_ttl_stays"


def test_a_module_that_breaks_on_import_and_a_loop_without_end_are_caught(
    trials: Trials, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = "handlers/core/expiry.py"
    source = (ROOT / file).read_text(encoding="utf-8")
    assert trials.verdict(mutant(source=f"{source}\nraise ValueError\n", file=file)).caught
    monkeypatch.setattr(trying, "START_SECONDS", 3)
    monkeypatch.setattr(trying, "PATIENCE", 0)
    endless = source.replace("    ttl = row.get", "    while True: pass\n    ttl = row.get")
    assert trials.verdict(mutant(source=endless, file=file)).by == NO_END
