"""``./cqrs resync``: delivers the read model to a sync target again."""

from __future__ import annotations

import argparse
import dataclasses
import time
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count

from cli.errors import CommandError
from cli.operate.arguments import add_dry_run, add_stack, rate
from cli.operate.collaborators import collaborators_of
from cli.operate.stack import Stack, on_stack
from cli.output import Progress, as_json, table
from cli.terminal import show
from contract.functions import STATES
from contract.targets import BUILT_IN
from handlers.commands.attributes import AttributeStore
from handlers.commands.targets.connect import connect
from handlers.commands.targets.handler import remote_handlers
from handlers.commands.targets.previous import StatesBefore
from handlers.commands.targets.registry import Registry, load_registry
from handlers.core.clock import SystemClock
from handlers.core.errors import RegistryError
from handlers.entrypoints.wiring.settings import StatesSettings
from handlers.objects.s3 import S3Objects
from handlers.operations.checkpoint import Checkpoint
from handlers.operations.key_text import pasteable
from handlers.operations.resync import Resync, ResyncSelection, count_rows

SHOWN_FAILURES = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``./cqrs resync``."""
    parser.add_argument("target", metavar="TARGET", help="the id of the sync target")
    parser.add_argument("--tenant", help="only this tenant's rows")
    parser.add_argument("--type", help="only rows of this type, if the target takes several")
    parser.add_argument("--rate", type=rate, metavar="N", help="maximum number of rows per second (default: no limit)")
    parser.add_argument("--restart", action="store_true", help="start over instead of continuing from the checkpoint")
    parser.add_argument(
        "--rebuild", action="store_true", help="first remove everything that the target has written (its method empty)"
    )
    add_dry_run(parser)
    add_stack(parser)


def run(options: argparse.Namespace) -> int:
    """Deliver all rows. Returns 1 if some failed. Raises CommandError."""
    return on_stack(options, lambda stack: _resync(stack, options))


def _resync(stack: Stack, options: argparse.Namespace) -> int:
    settings = StatesSettings(stack.environment_of(STATES))
    registry = _registry(stack, settings)
    selection = _selection(registry, options)
    if options.rebuild and (options.tenant is not None or options.type is not None):
        raise CommandError("--rebuild empties the whole target, so it can't be used with --tenant or --type")
    empty = _emptying(registry, options.target) if options.rebuild else None
    if options.dry_run:
        rows = count_rows(stack.store, SystemClock(), selection)
        show(as_json({"dryRun": True, "rows": rows}) if options.json else f"{rows:,} rows would be delivered")
        return 0
    checkpoint = _run(stack, settings, registry, selection, options, empty)
    show(as_json(plain(options.target, checkpoint)) if options.json else rendered(options.target, checkpoint))
    return 1 if checkpoint.counts.failed else 0


def _registry(stack: Stack, settings: StatesSettings) -> Registry:
    """The targets of the deployed stack, in this and other projects, with the user's credentials."""
    remote = remote_handlers(settings.sync_targets, settings.commands_table, partial(connect, clients=stack))
    before = StatesBefore(stack.store, SystemClock().now, _attributes(stack, settings).decoded)
    return load_registry(settings.handler_modules, collaborators_of(stack, settings), remote, before=before)


def _attributes(stack: Stack, settings: StatesSettings) -> AttributeStore:
    return AttributeStore(S3Objects(partial(stack.client, "s3"), settings.bucket))


def _emptying(registry: Registry, target: str) -> Callable[[], object]:
    try:
        return registry.emptying(target)
    except RegistryError as error:
        raise CommandError(str(error)) from None


def _selection(registry: Registry, options: argparse.Namespace) -> ResyncSelection:
    if options.target == BUILT_IN:
        raise CommandError(f"target {BUILT_IN!r} is the read model itself, which a resync reads from")
    types = registry.types_of(options.target)
    if options.type not in (None, *types):
        raise CommandError(f"--type {options.type!r}: target {options.target!r} takes {', '.join(types)}")
    return ResyncSelection(options.target, types, options.type, options.tenant)


def _run(
    stack: Stack,
    settings: StatesSettings,
    registry: Registry,
    selection: ResyncSelection,
    options: argparse.Namespace,
    empty: Callable[[], object] | None,
) -> Checkpoint:
    resync = Resync(
        stack.store,
        SystemClock(),
        registry.sync_handler(options.target),
        decoded=_attributes(stack, settings).decoded,
        run_id=uuid.uuid4().hex,
        sleep=time.sleep,
        rate=options.rate,
    )
    progress, numbers = Progress("resync", None), count(1)
    checkpoint = resync.run(
        selection, restart=options.restart, empty=empty, on_row=lambda *_: progress.show(next(numbers))
    )
    progress.end()
    return checkpoint


def plain(target: str, checkpoint: Checkpoint) -> dict[str, object]:
    """The result as JSON."""
    return {
        "target": target,
        "status": checkpoint.status,
        "startedAt": checkpoint.started_at,
        "resumed": checkpoint.resumed,
        "counts": {**dataclasses.asdict(checkpoint.counts), "unreported": checkpoint.counts.unreported},
        "failures": checkpoint.failures,
    }


def rendered(target: str, checkpoint: Checkpoint) -> str:
    """The result as tables."""
    counts = checkpoint.counts
    rows: Sequence[tuple[str, object]] = [
        ("rows delivered", counts.handed),
        ("  applied", counts.applied),
        ("  skipped, the target has a later version", counts.kept),
        ("  unknown, the target returned nothing", counts.unreported),
        ("rows failed", counts.failed),
        ("rows deleted meanwhile", counts.skipped),
    ]
    began = f", continued from the checkpoint of {checkpoint.started_at}" if checkpoint.resumed else ""
    parts = [table(f"Resync of {target}{began}", rows)]
    if checkpoint.failures:
        shown = [(pasteable(one["key"]), one["error"]) for one in checkpoint.failures[:SHOWN_FAILURES]]
        parts.append(table(f"Failed rows (the first {len(shown)})", shown, header=("row", "error")))
    return "\n\n".join(parts)
