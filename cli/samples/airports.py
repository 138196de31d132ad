"""The demo's input: airports as commands, and later versions of some of them."""

from __future__ import annotations

import csv
import itertools
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cli.errors import CommandError
from cli.samples.modules import AIRPORTS as SAMPLE
from cli.samples.modules import sample
from contract.outputs import BUCKET_NAME, INLINE_ATTRIBUTE_LIMIT, TABLE_NAME
from contract.tables import COMMANDS, DATA
from handlers.commands.attributes import AttributeStore
from handlers.commands.model import CommandInput
from handlers.commands.publishing.publisher import CommandPublisher
from handlers.core.aws import clients as aws
from handlers.core.clock import SystemClock
from handlers.core.errors import ValidationError
from handlers.objects.s3 import S3Objects
from handlers.store.dynamodb import DynamoTableStore
from local.runtime import PROJECT_DIR

AIRPORTS = PROJECT_DIR / "data" / "airports.csv"
#: Every fifth airport gets a second and a third version.
REVISED = 5


@dataclass(frozen=True)
class Input:
    """What the demo publishes, round by round, and the rows that were refused."""

    rounds: list[list[CommandInput]]
    refused: list[str]

    @property
    def total(self) -> int:
        """Number of commands."""
        return sum(len(one) for one in self.rounds)


def load(rows: int, seed: int = 1) -> Input:
    """The first ``rows`` airports as first versions, then two more versions of every fifth, each round shuffled.

    Raises:
        CommandError: this repository no longer contains the sample or its data.
    """
    airport_input = sample(SAMPLE, "the demo").airport_input
    first: list[CommandInput] = []
    refused: list[str] = []
    for number, row in enumerate(itertools.islice(_rows(AIRPORTS), rows), start=1):
        try:
            first.append(airport_input(row))
        except ValidationError as error:
            refused.append(f"row {number}: {error}")
    revised = first[::REVISED]
    rounds = [first, [_revision(one, 2) for one in revised], [_revision(one, 3) for one in revised]]
    shuffler = random.Random(seed)
    for one in rounds:
        shuffler.shuffle(one)
    return Input(rounds, refused)


def publisher(outputs: Mapping[str, Any]) -> CommandPublisher:
    """Publishes to the deployment with these outputs."""
    tables = {COMMANDS: outputs[TABLE_NAME[COMMANDS]], DATA: outputs[TABLE_NAME[DATA]]}
    attributes = AttributeStore(S3Objects(aws.s3, outputs[BUCKET_NAME]), outputs[INLINE_ATTRIBUTE_LIMIT])
    return CommandPublisher(DynamoTableStore(aws.dynamodb(), tables), attributes, SystemClock(), source="demo")


def _rows(path: Path) -> Iterator[dict[str, str]]:
    try:
        file = path.open(encoding="utf-8", newline="")
    except OSError as error:
        raise CommandError(f"{path.name} can't be read: {error.strerror}") from error
    with file:
        yield from csv.DictReader(file)


def _revision(given: CommandInput, number: int) -> CommandInput:
    return replace(given, name=f"{given.name} (rev {number})")
