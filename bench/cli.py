"""``./cqrs bench``: prints the figures as tables."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from bench import archive, csv_reading, door, growth, imports, memory, plots, prices, serve, speed
from bench.cold_start import cold_starts
from bench.commands import Bench, Cost
from bench.door import DoorCost
from cli.output import as_json, table
from cli.samples.modules import AIRPORTS, ORDERS, sample
from cli.terminal import show
from contract.options import STATUS_DETAILS, TERMINAL
from contract.state_machines import INLINE, STARTED_MACHINES

VARIANTS = [(workflow, detail) for workflow in STARTED_MACHINES for detail in STATUS_DETAILS]
MEASURED = 20
VERSIONS = (1, 2, 3, 10, 30)
TITLE = "AWS calls per command (a first version, one sync handler; batches are full)"
ASSUMED = (
    f"Assumed: items of 1 KB, {prices.WARM_SECONDS * 1000:.0f} ms per call of a function with "
    f"{prices.LAMBDA_GB * 1024:.0f} MB on arm64;\nwith INLINE {prices.CALL_OVERHEAD_SECONDS * 1000:.0f} ms per call "
    f"and {prices.AWS_CALL_SECONDS * 1000:.0f} ms per AWS call in it.\n"
    "Left out: SQS, logs, storage, subscribers of events."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``./cqrs bench``."""
    parser.add_argument(
        "what", nargs="?", choices=sorted(FIGURES), help="which figures (default: those that take seconds)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--plots", action="store_true", help="redraw the committed counts in docs/images")


def run(options: argparse.Namespace) -> int:
    """Measure and print. Raises CommandError: a figure's sample was removed."""
    if options.plots:
        for path in plots.write():
            show(f"written: {path.relative_to(path.parents[2])}")
        return 0
    names = [options.what] if options.what else sorted(FIGURES.keys() - LONG)
    for name in names:
        for module in RUN.get(name, ()):
            sample(module, f"./cqrs bench {name}")
    figures = {name: FIGURES[name]() for name in names}
    if options.json:
        show(as_json({name: data for name, (data, _) in figures.items()}))
    else:
        show("\n\n".join(text for _, text in figures.values()))
    return 0


def measured() -> list[Cost]:
    """The cost of a command in each variant; with INLINE also with only the built-in target."""
    costs = []
    for workflow, detail, custom in [*((*variant, True) for variant in VARIANTS), (INLINE, TERMINAL, False)]:
        with Bench(workflow, detail, custom=custom) as bench:
            costs.append(bench.counted(MEASURED))
    return costs


def _commands() -> tuple[object, str]:
    costs, by_door = measured(), door.measured()
    names = [cost.title for cost in costs]
    operations = sorted({name for cost in costs for name in cost.calls})
    calls = [(name, *(cost.calls.get(name, 0.0) for cost in costs)) for name in operations]
    calls.append(("all", *(cost.total_calls for cost in costs)))
    calls.append(("(Lambda invocations)", *(cost.invocations for cost in costs)))
    calls.append(("(one after the other, until DONE)", *(cost.hops for cost in costs)))
    calls.append(("(state transitions)", *(cost.transitions for cost in costs)))
    calls.append(("(write units)", *(cost.write_units for cost in costs)))
    calls.append(("(read units)", *(cost.read_units for cost in costs)))
    dollars = [(what, *(cost.dollars_per_million[what] for cost in costs)) for what in costs[0].dollars_per_million]
    dollars.append(("all", *(sum(cost.dollars_per_million.values()) for cost in costs)))
    text = "\n\n".join(
        [
            table(
                "AWS calls per command (a first version, one sync handler; batches are full)",
                calls,
                header=("", *names),
            ),
            table("Dollars per million commands, us-east-1", dollars, header=("", *names)),
            _door(by_door),
            ASSUMED,
        ]
    )
    data: list[dict[str, object]] = [
        {
            "workflow": cost.workflow,
            "statusDetail": cost.detail,
            "customTarget": cost.custom,
            "calls": dict(cost.calls),
            "dollarsPerMillion": cost.dollars_per_million,
        }
        for cost in costs
    ]
    added = door.added(by_door)
    data += [{"door": one.title, "calls": dict(one.calls), "dollarsPerMillion": added[one.title]} for one in by_door]
    return data, text


def _door(costs: Sequence[DoorCost]) -> str:
    added = door.added(costs)
    operations = sorted({name for cost in costs for name in cost.calls})
    rows = [(name, *(cost.calls.get(name, 0.0) for cost in costs)) for name in operations]
    rows += [(f"{what}, USD", *(added[cost.title][what] for cost in costs)) for what in added[costs[0].title]]
    rows.append(("all, USD", *(sum(added[cost.title].values()) for cost in costs)))
    title = "By the HTTP API: AWS calls of its function per command, and dollars that it adds to a million"
    return table(title, rows, header=("", *(cost.title for cost in costs)))


def _growth() -> tuple[object, str]:
    rows = {}
    for workflow, detail in VARIANTS:
        with Bench(workflow, detail) as bench:
            calls = [bench.next_version().total_calls for _ in range(max(VERSIONS))]
        rows[f"{workflow} {detail}"] = [calls[version - 1] for version in VERSIONS]
    header = ("", *(f"version {version}" for version in VERSIONS))
    text = table("AWS calls per command, by version of the entity", [(k, *v) for k, v in rows.items()], header=header)
    exponents, shown = growth.figures()
    return {"versions": VERSIONS, "calls": rows, "exponents": exponents}, f"{text}\n\n{shown}"


def _cold_start() -> tuple[object, str]:
    times = cold_starts()
    rows = [
        (
            name,
            f"{one['own']:+.0f} ms",
            f"{one['ratio']:.2f}",
            f"{one['ownWithBytecode']:+.0f} ms",
            f"{one['ratioWithBytecode']:.2f}",
        )
        for name, one in times.items()
    ]
    header = ("", "without bytecode", "ratio", "with bytecode", "ratio")
    return times, table("Cold start: entry point and one client, against boto3 and one client", rows, header=header)


#: Figures that take minutes rather than seconds; only measured on request.
LONG = {"airports", "growth", "memory", "serve", "speed"}
#: Figure to the samples that it needs.
RUN = {
    "airports": [AIRPORTS],
    "commands": [ORDERS],
    "csv": [AIRPORTS],
    "growth": [ORDERS, AIRPORTS],
    "imports": [AIRPORTS],
    "memory": [ORDERS],
    "speed": [ORDERS, AIRPORTS],
}
FIGURES: dict[str, Callable[[], tuple[object, str]]] = {
    "airports": imports.whole_file,
    "archive": archive.figures,
    "cold-start": _cold_start,
    "commands": _commands,
    "csv": csv_reading.figures,
    "growth": _growth,
    "imports": imports.figures,
    "memory": memory.figures,
    "serve": serve.figures,
    "speed": speed.figures,
}
