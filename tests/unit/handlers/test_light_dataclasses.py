"""Our ``dataclass`` does what the standard library's does, as far as it is used here."""

from __future__ import annotations

import ast
import copy
import dataclasses
import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from handlers.core import light_dataclasses as light

ROOT = Path(__file__).parents[3]


def made(module: Any, *, frozen: bool) -> dict[str, Any]:
    """The same classes by either module."""

    @module.dataclass(frozen=frozen)
    class Point:
        x: int
        y: int = 2
        tags: dict[str, int] = module.field(default_factory=dict)

        def __post_init__(self) -> None:
            if self.x < 0:
                raise ValueError(f"x: {self.x}")

    @module.dataclass(frozen=frozen)
    class Named(Point):
        y: int = 3
        name: str = "n"

        def __repr__(self) -> str:
            return f"<{self.name}>"

    @module.dataclass(frozen=frozen)
    class Odd:
        x: int

        def __eq__(self, other: object) -> bool:
            return True

    @module.dataclass(frozen=frozen)
    class Placed(Named):
        place: str = "p"

    return {"Point": Point, "Named": Named, "Odd": Odd, "Placed": Placed}


CASES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "positional": lambda of: vars(of["Point"](1, 5, {"a": 1})),
    "by name": lambda of: vars(of["Point"](y=5, x=1)),
    "defaults": lambda of: vars(of["Point"](1)),
    "a default of its own for each": lambda of: of["Point"](1).tags is of["Point"](1).tags,
    "inherited": lambda of: (vars(of["Named"](1)), vars(of["Named"](1, 2, {}, "m"))),
    "inherited twice": lambda of: (vars(of["Placed"](1)), vars(of["Placed"](1, 2, {}, "m", "q"))),
    "shown": lambda of: (repr(of["Point"](1)).rpartition(".")[2], repr(of["Named"](1))),
    "equal": lambda of: (of["Point"](1) == of["Point"](1), of["Point"](1) == of["Point"](2)),
    "not of another class": lambda of: of["Point"](1) == of["Named"](1, 2),
    "an __eq__ of its own": lambda of: of["Odd"](1) == of["Odd"](2),
    "hash": lambda of: hash(of["Odd"](1)) == hash(of["Odd"](1)),
    "hash of a value that has none": lambda of: hash(of["Point"](1)),
    "missing": lambda of: of["Point"](),
    "missing behind another": lambda of: of["Point"](y=1),
    "unknown": lambda of: of["Point"](1, z=1),
    "twice": lambda of: of["Point"](1, x=1),
    "too many": lambda of: of["Point"](1, 2, {}, 4),
    "checked": lambda of: of["Point"](-1),
    "set": lambda of: setattr(of["Point"](1), "x", 2),
    "deleted": lambda of: delattr(of["Point"](1), "x"),
    "matched": lambda of: of["Named"].__match_args__,
    "copied": lambda of: copy.deepcopy(of["Named"](1)) == of["Named"](1),
    "replaced": lambda of: vars(dataclasses.replace(of["Named"](1), x=4)),
    "as a dictionary": lambda of: dataclasses.asdict(of["Point"](1)),
    "signature": lambda of: str(inspect.signature(of["Named"])),
    "fields": lambda of: [(one.name, one.default) for one in dataclasses.fields(of["Named"])],
}


@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize("case", CASES)
def test_it_does_as_the_standard_library(case: str, frozen: bool) -> None:
    def outcome(module: Any) -> Any:
        try:
            return CASES[case](made(module, frozen=frozen))
        except Exception as error:  # noqa: BLE001 - the error is what is compared
            return type(error)

    assert outcome(light) == outcome(dataclasses)


def test_the_modules_use_no_part_of_dataclasses_that_it_lacks() -> None:
    """``order``, ``kw_only`` and the like would be ignored, or refused only when the module is loaded."""
    for path in sorted((ROOT / "handlers").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                for call in (one for one in node.decorator_list if isinstance(one, ast.Call)):
                    if getattr(call.func, "id", "") == "dataclass":
                        assert {one.arg for one in call.keywords} <= {"frozen"}, path
                        assert not {"ClassVar", "InitVar"} & set(re.findall(r"\w+", ast.unparse(node))), path


def test_no_worker_module_has_classes_made_by_the_standard_library() -> None:
    code = (
        "import sys, pkgutil, importlib, dataclasses, handlers\n"
        "def refused(*args, **options): raise SystemExit('dataclasses.dataclass was called')\n"
        "import handlers.core.aws.clients, handlers.entrypoints\n"
        "dataclasses.dataclass = refused\n"
        "for one in pkgutil.iter_modules(handlers.entrypoints.__path__):\n"
        "    if not one.ispkg and one.name != 'api': importlib.import_module(f'handlers.entrypoints.{one.name}')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
