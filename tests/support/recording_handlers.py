"""Copied into the deployment of a test as ``handlers.domain.recording``."""

from __future__ import annotations

from handlers.commands.model import LATEST, Command, CommandInput
from handlers.commands.targets.registry import sync_handler
from handlers.core.errors import TransientError, ValidationError
from handlers.imports.files.layout import SYNC
from handlers.imports.strategy import ImportStrategy, Row, import_strategy
from handlers.tasks.handlers import TaskCall, task_handler
from tests.support import recorder


@sync_handler("ORDER", id="one")
class One:
    def up(self, command: Command) -> object:
        return recorder.handle("one", command)


@sync_handler("ORDER", id="two")
class Two:
    def up(self, command: Command) -> object:
        return recorder.handle("two", command)


@sync_handler("ORDER", id="three")
class Three:
    def up(self, command: Command) -> object:
        return recorder.handle("three", command)


@sync_handler("CARD", id="card")
class Card:
    def up(self, command: Command) -> object:
        return recorder.handle("card", command)


class Orders(ImportStrategy):
    def map(self, row: Row) -> CommandInput:
        return CommandInput(self.type, row["code"], row["name"], {}, LATEST)

    type = "ORDER"


@import_strategy("orders", columns=("code", "name"), key=("code",), publish=SYNC)
class SyncOrders(Orders):
    """With the targets above."""


@import_strategy("cards", columns=("code", "name"), key=("code",), publish=SYNC)
class SyncCards(Orders):
    """With one target beside the read model."""

    type = "CARD"


@import_strategy("notes", columns=("code", "name"), key=("code",), publish=SYNC)
class SyncNotes(Orders):
    """With the read model only."""

    type = "NOTE"


@import_strategy("baskets", columns=("code", "name", "content"), key=("code",), optional=("price",))
class Baskets(ImportStrategy):
    """Any JSON value."""

    def map(self, row: Row) -> CommandInput:
        attributes = {"content": row["content"], "price": row["price"]}
        return CommandInput("BASKET", row["code"], row["name"], attributes, LATEST)


@import_strategy("faulty", columns=("number", "code", "fault"), key=("number",), publish=SYNC)
class Faulty(ImportStrategy):
    """With the read model only; a row fails as its ``fault`` says."""

    def validate(self, row: Row) -> None:
        if row["fault"] == "validate":
            raise ValidationError("fault", row["fault"], "another one")

    def map(self, row: Row) -> CommandInput:
        attributes = {"price": 1.0}
        match row["fault"]:
            case "number":
                attributes["price"] = float("free")
            case "missing":
                attributes["price"] = float(row["price"])
            case "division":
                attributes["price"] = 1 / len(row["fault"].replace("division", ""))
        return CommandInput("NOTE", row["code"], row["number"], attributes, LATEST)

    def compare(self, latest: Command | None, given: CommandInput) -> str:
        if given.code.startswith("compare"):
            raise AttributeError("'NoneType' object has no attribute 'version'")
        return super().compare(latest, given)


@task_handler("job", expected_seconds=0.5)
class Job:
    def run(self, given: object, call: TaskCall) -> object:
        try:
            return recorder.run_task(given, call)
        except recorder.NotYet as error:
            raise TransientError(str(error)) from error
