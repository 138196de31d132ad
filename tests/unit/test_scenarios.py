"""``tests/scenarios.txt``: the acceptance scenarios promised so far, each with a test that carries its id."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.moved_to_slow import MOVED

TESTS = Path(__file__).resolve().parents[1]
AREAS = (
    *("API", "APP", "CLI", "CON", "DUP", "EDGE", "ENG", "HOUSE", "IMP", "INF", "INL", "LOC"),
    *("OPS", "ORD", "PIPE", "PR", "PUB", "REAL", "SAGA", "TASK", "WF", "ZIP"),
)
ID = re.compile(rf"(?:{'|'.join(AREAS)})-\d\d")
#: A million rows and a hundred thousand children are what these ask for.
SLOW_BY_NATURE = {"IMP-14", "IMP-18"}
#: ``test_ord_01_02_rules`` carries ORD-01 and ORD-02.
CARRIES = re.compile(rf"test_({'|'.join(AREAS).lower()})((?:_\d\d)+)(?:_|$)")


def promised() -> list[str]:
    """All of them; those that need the samples are listed with their tests, and go with them."""
    lists = [TESTS / "scenarios.txt", *TESTS.glob("samples/scenarios.txt")]
    return sorted(one for path in lists for one in path.read_text(encoding="utf-8").splitlines())


def ids_of(function: str) -> set[str]:
    match = CARRIES.match(function)
    return {f"{match[1].upper()}-{number}" for number in match[2].split("_")[1:]} if match else set()


def carried(root: Path, *, slow: bool = True) -> Iterator[str]:
    """The ids of all test functions and methods, as the parser sees them: text in comments is no test.

    Without ``slow`` those that only `./cqrs test --slow` runs are left out.
    """
    moved = {(root.parent / one.path, one.test) for one in MOVED if not one.variants}
    for path in root.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and (slow or not ((path, node.name) in moved or is_slow(node))):
                yield from ids_of(node.name)


def is_slow(function: ast.FunctionDef) -> bool:
    return any(ast.unparse(decorator).startswith("pytest.mark.slow") for decorator in function.decorator_list)


def test_listed_ids_are_valid_sorted_and_distinct() -> None:
    listed = promised()
    assert [one for one in listed if not ID.fullmatch(one)] == []
    assert listed == sorted(set(listed))


def test_each_listed_scenario_has_a_test() -> None:
    missing = set(promised()) - set(carried(TESTS))
    assert not missing, f"no test function carries {', '.join(sorted(missing))}"


def test_each_listed_scenario_has_a_test_in_the_ordinary_run() -> None:
    missing = set(promised()) - set(carried(TESTS, slow=False)) - SLOW_BY_NATURE
    assert not missing, f"only --slow shows {', '.join(sorted(missing))}"


@pytest.mark.parametrize(
    ("function", "ids"),
    [
        ("test_ord_06_late", {"ORD-06"}),
        ("test_pipe_07_13_a_crash", {"PIPE-07", "PIPE-13"}),
        ("test_ord_08", {"ORD-08"}),
        ("test_task_tokens", set()),
        ("test_ord_123_no_id", set()),
        ("helper_ord_06", set()),
    ],
)
def test_ids_in_names(function: str, ids: set[str]) -> None:
    assert ids_of(function) == ids


def test_a_commented_test_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text('"""def test_ord_02_x"""\n# def test_ord_03_x():\ndef test_ord_01_x(): ...\n')
    assert set(carried(tmp_path)) == {"ORD-01"}


def test_a_slow_test_alone_does_not_count_for_the_ordinary_run(tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text("@pytest.mark.slow\ndef test_ord_01_x(): ...\ndef test_ord_02_x(): ...\n")
    assert set(carried(tmp_path, slow=False)) == {"ORD-02"}
