from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from handlers.commands.targets.registry import load_registry
from handlers.core.errors import RegistryError
from tests.support.previous import nothing_before
from tests.support.written_modules import WriteModule, written_modules

HEADER = "from handlers.commands.targets.registry import sync_handler\n"
GOOD = "@sync_handler('ORDER', id='{0}')\nclass {1}:\n    def up(self, command): return None\n"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WriteModule]:
    with written_modules(tmp_path, monkeypatch, HEADER) as write:
        yield write


def test_handlers_are_found_by_type_in_a_stable_order(module: WriteModule) -> None:
    name = module("reg_ok", GOOD.format("zeta", "Z") + GOOD.format("alpha", "A"))
    registry = load_registry([name], {}, before=nothing_before)
    assert registry.sync_targets("ORDER") == ["alpha", "zeta"]
    assert registry.sync_targets("OTHER") == []
    assert registry.sync_handler("alpha").up(None) is None  # type: ignore[arg-type]


def test_an_imported_class_is_not_registered_twice(module: WriteModule) -> None:
    first = module("reg_first", GOOD.format("alpha", "A"))
    second = module("reg_second", "from reg_first import A\n" + GOOD.format("beta", "B"))
    assert load_registry([first, second], {}, before=nothing_before).sync_targets("ORDER") == ["alpha", "beta"]


def test_collaborators_arrive_by_name(module: WriteModule) -> None:
    text = GOOD.format("a", "A") + "    def __init__(self, store): self.store = store\n"
    registry = load_registry([module("reg_store", text)], {"store": "the store", "clock": None}, before=nothing_before)
    assert registry.sync_handler("a").store == "the store"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD.format("a", "A") + GOOD.format("a", "B"), r"reg_bad.B: sync target id 'a' is already used by reg_bad.A"),
        (GOOD.format("data", "A"), "sync target id 'data' is not allowed"),
        (GOOD.format("Bad Id", "A"), "sync target id 'Bad Id' is not allowed"),
        ("@sync_handler('ORDER', id='a')\nclass A: pass\n", r"needs a method up\(command\)"),
        (
            GOOD.format("a", "A") + "    def __init__(self, mailer): pass\n",
            "unknown parameter 'mailer'; available: clock, store",
        ),
        ("def broken(:\n", "handler module 'reg_bad' can't be imported: invalid syntax"),
        ("undefined_name\n", "handler module 'reg_bad' can't be imported: NameError: name 'undefined_name'"),
        ("import not_installed_anywhere\n", "can't be imported: No module named 'not_installed_anywhere'"),
    ],
)
def test_mistakes_stop_the_start(module: WriteModule, text: str, message: str) -> None:
    with pytest.raises(RegistryError, match=message):
        load_registry([module("reg_bad", text)], {"store": None, "clock": None}, before=nothing_before)


def test_a_missing_module_is_named() -> None:
    with pytest.raises(RegistryError, match=r"'handlers.domain.nowhere' can't be imported"):
        load_registry(["handlers.domain.nowhere"], {}, before=nothing_before)
