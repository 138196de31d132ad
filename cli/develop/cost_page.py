"""The generated part of docs/cost.md: tables of dollars, from declared resources and counted calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench import costs, counted, door
from local.deploy.registrations import evaluated

#: Title to stack and configuration.
STACKS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "dev": ("dev", {}),
    "prod": ("prod", {}),
    "prod with a key": ("prod", {"kmsKey": "create"}),
}
_COMMANDS = (
    "First versions of items of 1 KB, with the built-in target and one sync handler unless stated otherwise; batches "
    "of streams and queues\nare full."
)
_DOORS = (
    "Added to the cost of commands that a program publishes with its own permissions on the tables. With `wait`, the "
    "outcome is there\nat the first poll, after 0.1 s; each second more adds 6.67 for the function and 0.13 per poll."
)
_ROWS = "New rows, including the commands that they become."


def part(root: Path) -> str:
    """All tables."""
    return f"\n{_at_rest(root)}\n{_commands()}\n{_doors()}\n{_rows()}\n"


def _at_rest(root: Path) -> str:
    bills = {
        title: costs.at_rest(evaluated(stack, dict(config), project_dir=root))
        for title, (stack, config) in STACKS.items()
    }
    found = {title: {item.what: item for item in bill} for title, bill in bills.items()}
    rows = [
        [name, *(f"{of[name].dollars:.2f} ({of[name].count})" if name in of else "" for of in found.values())]
        for name in dict.fromkeys(item.what for bill in bills.values() for item in bill)
    ]
    totals = [f"**{sum(one.dollars for one in bill):.2f}**" for bill in bills.values()]
    rows.append(["**total, USD per month**", *totals])
    return "## Idle, per month\n\n" + _table(["", *bills], rows)


def _commands() -> str:
    bills = {one.title: costs.per_million(one) for one in counted.commands()}
    return f"## A million commands\n\n{_COMMANDS}\n\n{_dollars(bills)}"


def _doors() -> str:
    return f"## Additional cost of the HTTP API\n\n{_DOORS}\n\n{_dollars(door.added(counted.doors()), digits=2)}"


def _rows() -> str:
    bills = {one.variant.title: one.dollars_per_million for one in counted.rows()}
    return f"## A million imported rows\n\n{_ROWS}\n\n{_dollars(bills)}"


def _dollars(bills: Mapping[str, Mapping[str, float]], *, digits: int = 0) -> str:
    names = list(dict.fromkeys(name for bill in bills.values() for name in bill))
    rows = [[name, *(f"{bill.get(name, 0.0):.2f}" for bill in bills.values())] for name in names]
    rows.append(["**total, USD**", *(f"**{sum(bill.values()):.{digits}f}**" for bill in bills.values())])
    return _table(["", *bills], rows)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
