"""INF-04: the functions' archive depends on the code and on nothing else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pulumi
import pytest

from infra.packaging import (
    PACKAGES,
    PackagingError,
    archive_members,
    build_archive,
    check_modules,
    content_hash,
    without_unused_samples,
)
from local.deploy.archives import Archives
from tests.support.evaluation import PROJECT_DIR, Evaluation
from tests.support.projects import shared_project


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Another checkout of the same code, in another place, with other times."""
    for package in PACKAGES:
        shutil.copytree(PROJECT_DIR / package, tmp_path / "elsewhere" / package)
    for path in (tmp_path / "elsewhere").rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    return tmp_path / "elsewhere"


def fingerprint(root: Path, work: Path) -> tuple[list[str], str, bytes]:
    """Members, hash, and the bytes of the zip file that the local runtime makes of it."""
    members = archive_members(root)
    unpacked = Archives(work).unpack(build_archive(members), "test")
    return list(members), content_hash(members), unpacked.zip


def test_inf_04_built_twice_and_elsewhere_is_the_same(checkout: Path, tmp_path: Path) -> None:
    here = fingerprint(PROJECT_DIR, tmp_path / "a")
    assert fingerprint(PROJECT_DIR, tmp_path / "b") == here
    assert fingerprint(checkout, tmp_path / "c") == here


def test_inf_04_the_working_directory_does_not_matter(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = fingerprint(PROJECT_DIR, tmp_path / "a")
    monkeypatch.chdir(tmp_path)
    assert fingerprint(checkout, tmp_path / "b") == here


def write(name: str, text: str = "x") -> Callable[[Path], None]:
    def make(handlers: Path) -> None:
        path = handlers / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    return make


DIRT: dict[str, Callable[[Path], None]] = {
    "bytecode": write("commands/__pycache__/model.cpython-313.pyc"),
    "source in __pycache__": write("__pycache__/model.py"),
    "loose bytecode": write("commands/model.pyc"),
    "notes": write("notes.txt"),
    "an editor's swap file": write("commands/.model.py.swp"),
    "an editor's backup": write("commands/model.py~"),
    "an editor's lock": lambda handlers: (handlers / ".#keys.py").symlink_to("someone@somewhere.1"),
    "an editor's hidden folder": write(".ipynb_checkpoints/keys-checkpoint.py"),
    "a mac's resource fork": write("commands/._model.py", "\0"),
    "environment": write(".env", "SECRET=1"),
    "credentials": write("commands/credentials.json", "{}"),
    "an empty folder": lambda handlers: (handlers / "empty").mkdir(),
}


@pytest.mark.parametrize("dirt", sorted(DIRT))
@pytest.mark.parametrize("package", PACKAGES)
def test_inf_04_what_lies_around_is_not_packaged(package: str, dirt: str, checkout: Path, tmp_path: Path) -> None:
    clean = fingerprint(checkout, tmp_path / "a")
    DIRT[dirt](checkout / package)
    assert fingerprint(checkout, tmp_path / "b") == clean


@pytest.mark.parametrize("changed", ["contract/__init__.py", "handlers/core/keys.py"])
def test_inf_04_a_change_of_the_code_changes_the_hash(changed: str, checkout: Path, tmp_path: Path) -> None:
    before = fingerprint(checkout, tmp_path / "a")
    path = checkout / changed
    path.write_text(path.read_text() + "\n")
    after = fingerprint(checkout, tmp_path / "b")
    assert after[0] == before[0]
    assert after[1] != before[1]
    assert after[2] != before[2]


def test_inf_04_moving_a_byte_between_files_changes_the_hash(tmp_path: Path) -> None:
    for name, first, second in (("one", "ab", "c"), ("two", "a", "bc")):
        for package in PACKAGES:
            (tmp_path / name / package).mkdir(parents=True)
        (tmp_path / name / "contract" / "__init__.py").write_text("")
        (tmp_path / name / "handlers" / "a.py").write_text(first)
        (tmp_path / name / "handlers" / "b.py").write_text(second)
    assert content_hash(archive_members(tmp_path / "one")) != content_hash(archive_members(tmp_path / "two"))


def test_members_are_sorted_paths_below_contract_and_handlers() -> None:
    members = list(archive_members(PROJECT_DIR))
    assert members == sorted(members)
    assert "handlers/entrypoints/events.py" in members
    assert {name.partition("/")[0] for name in members} == {"contract", "handlers"}
    assert {name.rpartition(".")[2] for name in members} <= {"py", "json"}


def test_the_archive_is_one_asset_per_member() -> None:
    members = archive_members(PROJECT_DIR)
    assets = build_archive(members).assets
    assert list(assets) == list(members)
    assert all(isinstance(asset, pulumi.FileAsset) for asset in assets.values())


@pytest.mark.parametrize("missing", PACKAGES)
def test_a_missing_package_is_named(missing: str, checkout: Path) -> None:
    shutil.rmtree(checkout / missing)
    with pytest.raises(PackagingError, match=f"no {missing} package"):
        archive_members(checkout)


def test_a_missing_module_is_named() -> None:
    with pytest.raises(PackagingError, match=r"cqrs:handlerModules: module 'handlers\.domain\.nowhere' does not exist"):
        check_modules(
            members := archive_members(PROJECT_DIR), members, ["handlers.domain.orders", "handlers.domain.nowhere"]
        )


@pytest.mark.parametrize(("text", "line"), [("def broken(:\n", " (line 1)"), ("x = '\0'\n", "")])
def test_a_module_that_does_not_compile_is_named(checkout: Path, text: str, line: str) -> None:
    (checkout / "handlers" / "domain" / "broken.py").write_text(text)
    with pytest.raises(PackagingError) as caught:
        check_modules(members := archive_members(checkout), members, [])
    assert "module 'handlers.domain.broken' has a syntax error" in str(caught.value)
    assert line in str(caught.value)


def samples_in(members: Iterable[str]) -> set[str]:
    found = {name.partition(".")[0].rpartition("/")[2] for name in members if name.startswith("handlers/domain/")}
    return found - {"__init__"}


@pytest.mark.parametrize(
    ("modules", "travelling"),
    [
        ([], set()),
        (["orders"], {"orders"}),
        (["failing"], {"failing", "airports"}),  # it imports the other
        (["approval", "transfer"], {"approval", "transfer"}),
    ],
)
def test_samples_travel_only_where_they_are_used(modules: list[str], travelling: set[str]) -> None:
    members = archive_members(shared_project())
    kept = without_unused_samples(members, [f"handlers.domain.{name}" for name in modules])
    assert samples_in(kept) - {"recording"} == travelling
    assert ("handlers/domain/approval.asl.json" in kept) == ("approval" in modules)
    assert not [name for name in kept if name.endswith("/memory.py")]


@pytest.mark.parametrize(
    "line",
    [
        "import handlers.domain.orders",
        "from handlers.domain import orders",
        "from handlers.domain.orders import OrderSummary",
        "from . import orders",
        "from .orders import OrderSummary",
        "def late():\n    from handlers.domain import orders",
    ],
)
def test_a_sample_that_ones_own_module_imports_travels(line: str, checkout: Path) -> None:
    (checkout / "handlers" / "domain" / "mine.py").write_text(line + "\n")
    (checkout / "handlers" / "domain" / "orders.py").write_text("OrderSummary = 1\n")
    kept = without_unused_samples(archive_members(checkout), ["handlers.domain.mine"])
    assert {"mine", "orders"} <= samples_in(kept)


def test_what_is_deployed_has_only_the_configured_samples(dev: Evaluation, prod: Evaluation) -> None:
    for evaluation, samples in ((dev, {"orders", "airports"}), (prod, set())):
        archives = [props["code"] for props in evaluation.of_type("aws:lambda/function:Function").values()]
        assert archives
        assert all(samples_in(archive.assets) - {"recording"} == samples for archive in archives)
