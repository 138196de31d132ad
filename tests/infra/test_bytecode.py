"""Decision record 0220: the archive has bytecode for the functions' runtime, and the same from any process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import CodeType

import pulumi
import pytest

from infra.bytecode import FOLDER, is_for, with_bytecode
from infra.configuration.stack_config import StackConfig
from infra.packaging import PackagingError, archive_members, build_archive, content_hash, functions_archive
from local.deploy.archives import Archives
from tests.support.evaluation import PROJECT_DIR, evaluated

OWN = f"python{sys.version_info.major}.{sys.version_info.minor}"
OTHER = "python3.14" if OWN != "python3.14" else "python3.13"


def names_with(runtime: str) -> list[str]:
    functions = evaluated("dev", {"lambdaRuntime": runtime}).of_type("aws:lambda/function:Function")
    archives = [props["code"] for props in functions.values()]
    assert all(isinstance(archive, pulumi.AssetArchive) for archive in archives)
    first, *others = (list(archive.assets) for archive in archives)
    assert all(names == first for names in others)
    return first


def test_every_source_has_bytecode_where_the_runtime_is_this_python() -> None:
    names = names_with(OWN)
    sources = [name for name in names if name.endswith(".py")]
    assert len(sources) > 200
    tag = sys.implementation.cache_tag
    expected = {f"{name.rpartition('/')[0]}/__pycache__/{Path(name).stem}.{tag}.pyc" for name in sources}
    assert {name for name in names if name.endswith(".pyc")} == expected


def test_there_is_none_for_another_runtime() -> None:
    assert is_for(OWN)
    assert not is_for(OTHER)
    assert not [name for name in names_with(OTHER) if name.endswith(".pyc")]


def test_python_runs_the_bytecode_and_shows_the_source_s_place(tmp_path: Path) -> None:
    members = with_bytecode(archive_members(PROJECT_DIR), tmp_path / "bytecode")
    unpacked = Archives(tmp_path).unpack(build_archive(members), "test").folder
    module = unpacked / "handlers" / "core" / "keys.py"
    module.write_text("raise SystemExit('compiled anew')")
    code = "import inspect, handlers.core.keys as keys\n"
    code += "functions = [one for _, one in inspect.getmembers(keys, inspect.isfunction)]\n"
    code += "print({one.__code__.co_filename for one in functions if one.__module__ == keys.__name__})"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=unpacked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str({str(module)})


def test_another_process_makes_the_same(tmp_path: Path) -> None:
    here = content_hash(with_bytecode(archive_members(PROJECT_DIR), tmp_path / "here"))
    code = (
        "import json, decimal, asyncio\n"  # other texts are interned, other counts of references
        "from pathlib import Path\n"
        "from infra.bytecode import with_bytecode\n"
        "from infra.packaging import archive_members, content_hash\n"
        f"print(content_hash(with_bytecode(archive_members(Path('.')), Path({str(tmp_path / 'there')!r}))))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT_DIR,
        env={"PYTHONHASHSEED": "77"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == here


def test_what_can_t_be_written_repeatably_is_left_to_the_runtime(tmp_path: Path) -> None:
    source = tmp_path / "a.py"
    source.write_text("x = 1")

    def refuse(code: CodeType, version: int) -> bytes:
        raise ValueError("unmarshallable object")

    assert list(with_bytecode({"a.py": source}, tmp_path / "bytecode", refuse)) == ["a.py"]


def test_a_folder_that_can_t_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / FOLDER).parent.mkdir()
    (tmp_path / FOLDER).write_text("a file is in the way")
    with pytest.raises(PackagingError, match=r"the functions' bytecode can't be written: .*File exists"):
        functions_archive(archive_members(PROJECT_DIR), StackConfig.from_mapping({"lambdaRuntime": OWN}), tmp_path)
