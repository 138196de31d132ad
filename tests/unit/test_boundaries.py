"""The two arrows that never exist, and the domain's freedom from AWS (docs/architecture.md)."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def imports(folder: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names.append(node.module)
            for name in names:
                found.setdefault(name, set()).add(str(path.relative_to(ROOT)))
    return found


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [
        ("handlers", ("infra", "local", "cli", "pulumi", "pulumi_aws", "moto", "tests")),
        ("infra", ("handlers", "local", "cli", "moto")),
    ],
)
def test_arrows_that_never_exist(folder: str, forbidden: tuple[str, ...]) -> None:
    found = imports(folder)
    assert found
    wrong = {name: sorted(files) for name, files in found.items() if name.partition(".")[0] in forbidden}
    assert wrong == {}


def test_contract_imports_the_standard_library_only() -> None:
    assert list((ROOT / "contract").glob("*.py"))
    found = imports("contract")
    allowed = {"contract", *sys.stdlib_module_names}
    assert {name: files for name, files in found.items() if name.partition(".")[0] not in allowed} == {}


def test_only_adapters_know_botocore() -> None:
    adapters = {
        "handlers/core/aws/clients.py",
        "handlers/core/aws/errors.py",
        "handlers/store/dynamodb.py",
        "handlers/objects/s3.py",
        "handlers/state_machines/histories.py",
        "handlers/state_machines/stepfunctions.py",
    }
    users = set()
    for name, files in imports("handlers").items():
        if name.partition(".")[0] in ("boto3", "botocore"):
            users |= files
    assert users == adapters
