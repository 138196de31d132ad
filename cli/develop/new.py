"""``./cqrs new``: creates a module of the application with its test, and adds it to a stack's configuration."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from string import Template

from cli.develop.check import check
from cli.develop.errors import CommandError
from cli.terminal import show
from local.deploy.project import stack_names
from local.runtime import PROJECT_DIR

TEMPLATES = Path(__file__).with_name("templates")
#: Kind to the name of its template.
KINDS = {
    "sync-handler": "sync_handler",
    "import": "import",
    "task": "task",
    "workflow": "workflow",
    "approval": "approval",
    "saga": "saga",
}
#: Kinds that handle entities of one type.
TYPED = ("sync-handler", "import")
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
#: Of a name, so that no line of a template becomes too long.
MOST_CHARACTERS = 24
MODULES, TESTS = Path("handlers/domain"), Path("tests/domain")
KEY = "cqrs:handlerModules"
_LINE = re.compile(rf"^(\s*{KEY}:\s*)\[(.*)\][ \t]*$", re.MULTILINE)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``./cqrs new``."""
    parser.add_argument("kind", choices=KINDS, metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("name", metavar="NAME", help="name of the module: lower-case words separated by '_'")
    parser.add_argument("--type", help="entity type, if the kind has one (default: from the name)")
    parser.add_argument("--stack", default="dev", help="stack to add it to (default: dev)")


def run(options: argparse.Namespace) -> int:
    """Write the files and check the stack. Raises CommandError."""
    return new(PROJECT_DIR, options.kind, options.name, options.type, options.stack)


def new(root: Path, kind: str, name: str, type_: str | None, stack: str) -> int:
    """See ``run``. ``root``: the repository. Nothing is written if a file already exists."""
    write(root, kind, name, type_, stack)
    show("")
    code = check(root, [stack], update=True)
    show(f"\nTry it: ./cqrs test {TESTS / f'test_{name}.py'}")
    return code


def write(root: Path, kind: str, name: str, type_: str | None, stack: str) -> None:
    """Write the files, and the line in the stack's file, without a check. Raises CommandError."""
    if not NAME.fullmatch(name) or len(name) > MOST_CHARACTERS:
        raise CommandError(
            f"name {name!r} is not allowed; expected lower-case words separated by '_', at most {MOST_CHARACTERS} "
            "characters"
        )
    if stack not in stack_names(root):
        raise CommandError(f"unknown stack {stack!r}; stacks: {', '.join(stack_names(root)) or 'none'}")
    settings = root / f"Pulumi.{stack}.yaml"
    configured = with_module(settings.read_text(encoding="utf-8"), f"handlers.domain.{name}")
    words = _words(name, type_)
    files = _files(root, kind, words)
    taken = [str(path.relative_to(root)) for path in files if path.exists()]
    if taken:
        raise CommandError(f"{taken[0]} already exists; choose another name, or remove what is there")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        show(f"wrote {path.relative_to(root)}")
    settings.write_text(configured, encoding="utf-8")
    show(f"added handlers.domain.{name} to {settings.name}")
    if kind in TYPED:
        show(f"its entities are of the type {words['TYPE']} (--type names another one)")


def with_module(text: str, module: str) -> str:
    """A stack's file with one more handler module. Raises CommandError: its list of modules isn't on one line."""
    match = _LINE.search(text)
    if match is not None:
        given = [one.strip() for one in match[2].split(",") if one.strip()]
        return text[: match.start()] + f"{match[1]}[{', '.join([*given, module])}]" + text[match.end() :]
    if KEY in text:
        raise CommandError(f"add {module} to {KEY} by hand, because it is not a list on one line")
    head, found, rest = text.partition("config:\n")
    if not found:
        raise CommandError(f"add {KEY}: [{module}] below config by hand")
    return f"{head}{found}  {KEY}: [{module}]\n{rest}"


def _words(name: str, type_: str | None) -> dict[str, str]:
    words = name.split("_")
    return {
        "MODULE": name,
        "NAME": name,
        "CLASS": "".join(word.capitalize() for word in words),
        "ID": name.replace("_", "-"),
        "TABLE": name,
        "TYPE": type_ or words[0].upper(),
        "KIND": name.upper(),
    }


def _files(root: Path, kind: str, words: dict[str, str]) -> dict[Path, str]:
    """File to text."""
    template, module = KINDS[kind], words["MODULE"]
    places = {
        f"{template}.py.txt": root / MODULES / f"{module}.py",
        f"{template}.asl.json.txt": root / MODULES / f"{module}.asl.json",
        f"{template}_test.py.txt": root / TESTS / f"test_{module}.py",
    }
    return {
        place: Template((TEMPLATES / name).read_text(encoding="utf-8")).substitute(words)
        for name, place in places.items()
        if (TEMPLATES / name).exists()
    }
