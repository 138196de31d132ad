"""The repository as somebody else has it: without the samples, with an application and stacks of their own."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from infra.packaging import SAMPLES
from local.runtime import PROJECT_DIR

#: What a clone does not have. Bytecode is copied: compiling all tests takes longer than what is tried here.
_LEFTOVERS = shutil.ignore_patterns(
    ".git", ".venv*", ".local", ".hypothesis", ".mutants", ".*_cache", "*.egg-info", "build"
)
#: A module that has a sample's name and nothing else of it.
ORDERS = '''"""The shop's articles."""

from __future__ import annotations

from handlers import (
    LATEST,
    Command,
    CommandInput,
    ImportStrategy,
    Row,
    TableStore,
    import_strategy,
    sync_handler,
    task_handler,
)


@sync_handler("ARTICLE", id="shelf")
class Shelf:
    """A row per article."""

    def __init__(self, store: TableStore) -> None:
        self._store = store

    def up(self, command: Command) -> None:
        """Called for every version, perhaps again."""
        row = {"pk": f"SHELF#{command.tenant_code}", "sk": command.code, "version": command.version}
        self._store.put("data", row)


@import_strategy("articles", columns=("code", "name"), key=("code",))
class Articles(ImportStrategy):
    """Articles, from a file."""

    def map(self, row: Row) -> CommandInput:
        """A row as a command."""
        return CommandInput("ARTICLE", row["code"], row["name"], {}, LATEST)


@task_handler("stock", expected_seconds=1.0)
class Stock:
    """Counts the letters of an article's code."""

    def run(self, code: str) -> int:
        """How many there are."""
        return len(code)
'''
PRICES = '''"""The company's prices."""

from __future__ import annotations

import os

from handlers import Command, TableStore, sync_handler


@sync_handler("PRICE", id="board")
class Board:
    """Knows its table."""

    def __init__(self, store: TableStore) -> None:
        self._store = store

    def up(self, command: Command) -> None:
        """Writes where it would look."""
        row = {"pk": f"BOARD#{command.tenant_code}", "sk": command.code, "table": os.environ["OWN_TABLE"]}
        self._store.put("data", row)
'''
RESOURCES = '''"""The company's own resources."""

from __future__ import annotations

from pulumi_aws import dynamodb

from infra.components.application import Application, ApplicationArgs


def declare(args: ApplicationArgs) -> Application:
    """A table."""
    table = dynamodb.Table(
        "own-table",
        name=args.names.of("own"),
        billing_mode="PAY_PER_REQUEST",
        hash_key="pk",
        attributes=[dynamodb.TableAttributeArgs(name="pk", type="S")],
        server_side_encryption=dynamodb.TableServerSideEncryptionArgs(enabled=True),
        ttl=dynamodb.TableTtlArgs(attribute_name="ttl", enabled=True),
        point_in_time_recovery=dynamodb.TablePointInTimeRecoveryArgs(enabled=args.config.point_in_time_recovery),
        deletion_protection_enabled=args.config.deletion_protection,
        tags=args.names.tags,
    )
    return Application({"ownTableName": table.name}, {"OWN_TABLE": table.name}, [(table.arn, ("dynamodb:PutItem",))])
'''
TESTS = """from __future__ import annotations

from handlers import CommandInput
from local.testing import ApplicationTest


def test_the_shop() -> None:
    with ApplicationTest(["handlers.domain.orders", "acme.prices"]) as app:
        assert app.import_file("articles", "code,name\\na1,Bread\\na2,Milk\\n").status == "COMPLETED"
        app.publish(CommandInput("PRICE", "p1", "A price", {}))
        app.run()
        assert [row["sk"] for row in app.rows("SHELF")] == ["a1", "a2"]
        assert [row["table"] for row in app.rows("BOARD")] == ["cqrs-dev-own"]
        assert app.task("stock", "a1").result == 2
"""
STACK = """config:
  aws:region: eu-central-1
  cqrs:handlerModules: [handlers.domain.orders, acme.prices]
  cqrs:applicationPackages: [src/acme]
  cqrs:entityTypes: [ARTICLE, PRICE]
  cqrs:logRetentionDays: 30
"""
FILES = {
    "handlers/domain/orders.py": ORDERS,
    "src/acme/__init__.py": '"""The company\'s package."""\n',
    "src/acme/prices.py": PRICES,
    "infra/application.py": RESOURCES,
    "tests/domain/test_shop.py": TESTS,
    "Pulumi.dev.yaml": STACK,
    "Pulumi.live.yaml": f"{STACK}  cqrs:pointInTimeRecovery: true\n",
}
#: Their stacks.
STACKS = ["dev", "live"]


def foreign(folder: Path) -> Path:
    """Make the copy below ``folder``. Tests about the samples went with them, as did upstream's stacks."""
    copy = folder / "cqrs"
    shutil.copytree(PROJECT_DIR, copy, ignore=_LEFTOVERS)
    (copy / ".venv").symlink_to(Path(sys.prefix).resolve())
    for path in (copy / "handlers/domain").iterdir():
        if path.name.partition(".")[0] in SAMPLES:
            path.unlink()
    shutil.rmtree(copy / "tests/samples", ignore_errors=True)
    for path in (*copy.glob("Pulumi.*.yaml"), *(copy / "stacks").glob("*.json")):
        path.unlink()
    for name, text in FILES.items():
        path = copy / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return copy
