"""``./cqrs check``: checks your stacks against the rules and their reviewed state (``stacks/<name>.json``)."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.develop.errors import CommandError
from cli.output import table
from cli.terminal import show
from cli.upstream import changed_files
from local.deploy.errors import DeployError
from local.deploy.project import load_stack, stack_names
from local.deploy.registrations import evaluated
from local.preview import report
from local.preview.difference import Change, difference
from local.preview.snapshot import FORMAT, Resource, loaded, resources_of
from local.runtime import PROJECT_DIR
from policy import PROTECTED_RULES, RULES, Declared, Violation, violations

FOLDER = "stacks"
UPDATE = "./cqrs check --update"
#: Property of functions with the archive; its files are reviewed themselves.
CODE = "code"
#: Configuration key of stacks that protect their data, to which more rules apply.
PROTECTION = "deletionProtection"
#: Configuration key with the application's folders.
PACKAGES = "applicationPackages"


@dataclass(frozen=True)
class Checked:
    """One stack. ``changes``: from the reviewed to the declared state; None: it was never reviewed."""

    stack: str
    resources: int
    broken: list[Violation]
    changes: list[Change] | None

    @property
    def is_fine(self) -> bool:
        """Whether no rule is broken and the declared state was reviewed."""
        return not self.broken and self.changes == []


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``./cqrs check``."""
    parser.add_argument("--stack", action="append", metavar="NAME", help="only this stack; may be repeated")
    parser.add_argument("--update", action="store_true", help="rewrite stacks/<name>.json; review it with git diff")


def run(options: argparse.Namespace) -> int:
    """Check the stacks. Returns 1 if one breaks a rule or was not reviewed. Raises CommandError."""
    return check(PROJECT_DIR, options.stack or stack_names(PROJECT_DIR), update=options.update)


def check(root: Path, stacks: list[str], *, update: bool) -> int:
    """See ``run``. ``root``: the repository."""
    if not stacks:
        raise CommandError("there is no stack; a stack is a file Pulumi.<name>.yaml")
    found = [_checked(root, stack, update=update) for stack in stacks]
    rows = [(one.stack, one.resources, _rules(one), _review(one)) for one in found]
    show(table("Stacks", rows, header=("stack", "resources", "rules", "review")))
    for one in found:
        for violation in one.broken:
            show(f"{one.stack}: {violation}")
        if one.changes:
            show("\n" + report.text(one.stack, str(_path(Path(FOLDER), one.stack)), one.changes))
    if not all(one.changes == [] for one in found):
        show(f"\nIf this is intended: {UPDATE}, and review the difference in {FOLDER}/ with your change.")
    changed = changed_files(root, _folders(root, stacks))
    if changed:
        lines = "\n".join(f"  {path}" for path in changed)
        show(f"\nDifferent from upstream, so an upgrade may conflict here (docs/upgrading.md):\n{lines}")
    return 0 if all(one.is_fine for one in found) else 1


def _folders(root: Path, stacks: list[str]) -> set[str]:
    """The application's own packages, of all stacks."""
    found: set[str] = set()
    for stack in stacks:
        settings = load_stack(root, stack)
        found.update(json.loads(settings.config.get(f"{settings.project}:{PACKAGES}", "[]")))
    return found


def _checked(root: Path, stack: str, *, update: bool) -> Checked:
    try:
        settings = load_stack(root, stack)
        is_protected = settings.config.get(f"{settings.project}:{PROTECTION}") == "true"
        evaluation = evaluated(stack, project_dir=root)
    except DeployError as error:
        raise CommandError(f"stack {stack}: {error}") from error
    rules = (*RULES, *PROTECTED_RULES) if is_protected else RULES
    resources = [_reviewed(one) for one in resources_of(evaluation)]
    custom = (one for one in evaluation.registrations if one.custom)
    broken = violations([Declared(one.type, one.name, _without_code(one.props)) for one in custom], rules)
    path = _path(root / FOLDER, stack)
    if update:
        path.parent.mkdir(exist_ok=True)
        path.write_text(_dumped(resources), encoding="utf-8")
        return Checked(stack, len(resources), broken, [])
    if not path.exists():
        return Checked(stack, len(resources), broken, None)
    try:
        old = loaded(path.read_text(encoding="utf-8"))
    except (ValueError, KeyError, TypeError) as error:
        raise CommandError(f"{path.relative_to(root)} can't be read: {error}; {UPDATE} rewrites it") from error
    return Checked(stack, len(resources), broken, difference(old, resources))


def _reviewed(resource: Resource) -> Resource:
    return resource._replace(props=_without_code(resource.props))


def _without_code(props: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in props.items() if name != CODE}


def _dumped(resources: list[Resource]) -> str:
    """The format that ``loaded`` reads, with line breaks for reviewers."""
    ordered = sorted(resources, key=lambda one: (one.type, one.name))
    document = {"format": FORMAT, "resources": [one._asdict() for one in ordered]}
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _path(folder: Path, stack: str) -> Path:
    return folder / f"{stack}.json"


def _rules(one: Checked) -> str:
    return f"{len(one.broken)} broken" if one.broken else "kept"


def _review(one: Checked) -> str:
    if one.changes is None:
        return "never reviewed"
    return report.summary(one.changes) if one.changes else "as reviewed"
