"""What the generator makes of a text, and what it leaves alone."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from tests.mutation.__main__ import all_mutants, sample
from tests.mutation.mutants import Mutant, mutants_of


def made(source: str) -> list[str]:
    return [f"{one.operator}: {one.after}" for one in mutants_of("m.py", dedent(source).lstrip()) if one.compiles]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("x = a < b", ["comparison: x = a <= b", "comparison: x = a >= b"]),
        ("x = a is not None", ["comparison: x = a is None"]),
        ("x = a <= b < c", ["comparison: x = a < b < c", "comparison: x = a > b < c"]),
        ("x = a and b", ["and/or: x = (a or b)", "condition dropped: x = (a)", "condition dropped: x = (b)"]),
        ("x = not a", ["negation: x = a"]),
        ("x = a & b", ["arithmetic: x = (a | b)", "condition dropped: x = a", "condition dropped: x = b"]),
        ("x = 5", ["constant: x = 4", "constant: x = 6"]),
        ("x = 0", ["constant: x = 1"]),
        ("x = True", ["constant: x = False"]),
        ("x = less(a, b)", ["lookalike: x = at_most(a, b)"]),
        ("x = f(a, b=c)", ["argument dropped: x = f(a)"]),
        ("x = {a: b, **c}", ["field dropped: x = {**c}", "field dropped: x = {a: b, }"]),
        ("x = (A, B)", ["element dropped: x = (A,)", "element dropped: x = (B,)"]),
        ("x = a if b else c", ["negation: x = a if (not b) else c"]),
        ("x += y", ["statement dropped: pass"]),
        ("x['a'] = y", ["statement dropped: pass"]),
        ("raise E", ["statement dropped: pass"]),
        ("x = é < 'ü'", ["comparison: x = é <= 'ü'", "comparison: x = é >= 'ü'"]),
    ],
)
def test_changes_of_a_line(line: str, expected: list[str]) -> None:
    assert sorted(set(made(line)) & set(expected)) == sorted(expected)


@pytest.mark.parametrize(
    "source",
    [
        '"""A docstring of 1 line."""',
        "x: int | None",
        "def f(a: int | None) -> int | str: return a",
        "log_step('done', level=1, a=a < b)",
        "x = f'{a + 1}'",
        "assert a < b",
        "class P(Protocol):\n    limit = 1",
        "@dataclass(frozen=True)\nclass A: ...",
        "x = isinstance(a, int | str)",
        "def f():\n    raise NotImplementedError",
        "x = 'text' + a",
        "import a",
    ],
)
def test_what_is_no_behaviour_is_left_alone(source: str) -> None:
    assert made(source) == []


def test_steps_are_swapped_only_where_neither_needs_the_other() -> None:
    body = """
        def f(self):
            {first}
            {second}
    """
    free = body.format(first="self._store.put(a)", second="self._topic.publish(b)")
    assert "order: self._topic.publish(b) self._store.put(a)" in made(free)
    needed = body.format(first="row = self._store.get(a)", second="self._topic.publish(row)")
    assert not [one for one in made(needed) if one.startswith("order")]


def test_an_error_is_handled_no_more() -> None:
    source = """
        try:
            f()
        except (A, B):
            return_ = None
    """
    found = made(source)
    assert "handler dropped: raise" in found
    assert "element dropped: except (B,):" in found
    assert "handler dropped: raise" not in made("try:\n    f()\nexcept A:\n    raise\n")


def test_a_return_in_the_middle_falls_through_and_the_last_one_does_not() -> None:
    source = """
        def f(a):
            if a:
                return b
            return c
    """
    assert made(source) == ["negation: if (not a):", "statement dropped: pass"]


def test_a_mutant_is_named_by_its_function_and_text_not_by_its_line() -> None:
    source = "class A:\n    def f(self):\n        return a < b\n"
    moved = f"import x\n\n\n{source}"
    names = {one.key for one in mutants_of("m.py", source)}
    assert names == {one.key for one in mutants_of("m.py", moved)}
    assert ("m.py", "A.f", "return a < b", "return a <= b") in names


def test_a_change_over_several_lines_is_one_mutant() -> None:
    source = "x = (\n    a\n    and b\n)\n"
    (dropped,) = (one for one in mutants_of("m.py", source) if one.after == "(a)")
    assert (dropped.line, dropped.last_line, dropped.before) == (2, 3, "a and b")


@pytest.fixture(scope="module")
def mutants() -> list[Mutant]:
    return all_mutants()


def test_all_mutants_of_the_product_differ_from_it_and_nearly_all_compile(mutants: list[Mutant]) -> None:
    assert len(mutants) > 5_000
    some = sample(mutants, 50, seed=3)
    assert all(one.compiles for one in some)
    for one in some:
        ast.parse(one.source)
        assert one.before != one.after


def test_a_seed_decides_and_a_smaller_sample_is_the_beginning_of_a_larger_one(mutants: list[Mutant]) -> None:
    assert sample(mutants, 5, seed=1) == sample(mutants, 20, seed=1)[:5]
    assert sample(mutants, 5, seed=1) != sample(mutants, 5, seed=2)


def test_a_change_of_one_file_moves_the_mutants_of_others_neither_in_nor_out(mutants: list[Mutant]) -> None:
    chosen = sample(mutants, 100, seed=1)
    gone = chosen[0].file
    left = sample([one for one in mutants if one.file != gone], 100, seed=1)
    assert [one for one in chosen if one.file != gone] == left[: sum(one.file != gone for one in chosen)]
