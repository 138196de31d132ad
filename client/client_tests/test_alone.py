"""The distribution stands alone: boto3 and the standard library, nothing of the repository."""

from __future__ import annotations

import ast
import sys
import tomllib
from pathlib import Path

CLIENT = Path(__file__).parents[1]
OWN = "cqrs_client"
#: What boto3 brings.
ALLOWED = {"boto3", "botocore", OWN}


def test_it_imports_boto3_and_the_standard_library_only() -> None:
    for path in sorted((CLIENT / OWN).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found = {name.partition(".")[0] for name in names}
            assert found <= ALLOWED | sys.stdlib_module_names, path.name


def test_its_dependencies_say_so() -> None:
    project = tomllib.loads((CLIENT / "pyproject.toml").read_text(encoding="utf-8"))
    assert [one.partition(">")[0] for one in project["project"]["dependencies"]] == ["boto3"]
    assert project["tool"]["setuptools"]["packages"] == [OWN]
    assert (CLIENT / OWN / "py.typed").is_file()
