"""docs/extending.md: its files exist, and whatever of the program knows such a thing already is on its list."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatch

import pytest

from cli.commands import FOR_OPERATORS
from local.runtime import PROJECT_DIR

PAGE = PROJECT_DIR / "docs" / "extending.md"
PROGRAM = ("contract", "handlers", "infra", "local", "cli", "policy")
_PATH = re.compile(r"`([\w./<>-]+\.(?:py|json|md|txt|yaml))`")
#: Section to what a module has that knows one of its kind: the one that is there already.
KNOWS = {
    "An import format": r"\bJSON_LINES\b.*\bJsonLinesReader|JSON_LINES = |\bJSONL_|\"JSONL\"|INVALID_JSON = ",
    "A sync target kind": r"\bEVENTBRIDGE\b|\bEventBridgeTarget\b|\bdef lambda_calls\b",
    "A command state": r"\bHISTORY_COPY\b|\"history_copy\"",
    "A table with a stream": r"\bWITH_STREAM = |\bstream\(IMPORT_TMP\)|tables\[IMPORT_TMP\]|IMPORT_TMP: settings",
    "An operator command": r"cli\.operate\.skip|class Skipper\b|`\./cqrs skip`|``\./cqrs skip``\.",
}


#: What is the reader's own on the page, to the one that is there already.
EXAMPLES = {"format": "json_lines", "kind": "eventbridge", "operation": "skip", "command": "skip", "function": "*"}


def sections() -> dict[str, list[str]]:
    """Title to the paths that it names, with an example for what is the reader's."""
    _, *parts = PAGE.read_text(encoding="utf-8").split("\n## ")
    return {
        part.partition("\n")[0]: [
            re.sub(r"<(\w+)>", lambda found: EXAMPLES[found[1]], one) for one in _PATH.findall(part)
        ]
        for part in parts
    }


def knowing(pattern: str) -> Iterator[str]:
    """The files of the program in which it is found."""
    for folder in PROGRAM:
        for path in sorted((PROJECT_DIR / folder).rglob("*")):
            if path.suffix in (".py", ".json") and re.search(pattern, path.read_text(encoding="utf-8")):
                yield path.relative_to(PROJECT_DIR).as_posix()


@pytest.mark.parametrize("title", KNOWS)
def test_every_file_that_a_section_names_is_there(title: str) -> None:
    named = sections()[title]
    assert len(named) >= 5
    assert [path for path in named if not list(PROJECT_DIR.glob(path))] == []


def test_every_section_is_held() -> None:
    assert list(sections()) == list(KNOWS)


@pytest.mark.parametrize("title", KNOWS)
def test_what_knows_one_of_its_kind_is_listed(title: str) -> None:
    named, found = sections()[title], list(knowing(KNOWS[title]))
    assert len(found) >= 2, "the pattern finds nothing any more"
    assert [path for path in found if not any(fnmatch(path, one) for one in named)] == []


@pytest.mark.parametrize("title", ["An import format", "A command state", "A table with a stream"])
def test_what_changes_a_stack_is_reviewed(title: str) -> None:
    """CI runs ``./cqrs check`` before the tests: it holds ``stacks/`` to what is declared."""
    (text,) = [part for part in PAGE.read_text(encoding="utf-8").split("\n## ") if part.startswith(title)]
    assert "./cqrs check --update" in text
    assert "--snapshot-update" in text


@pytest.mark.parametrize("command", FOR_OPERATORS)
def test_every_operator_command_is_in_the_readme_and_on_a_page(command: str) -> None:
    readme = (PROJECT_DIR / "README.md").read_text(encoding="utf-8")
    pages = [path.read_text(encoding="utf-8") for path in sorted((PROJECT_DIR / "docs").glob("*.md"))]
    assert f"./cqrs {command}" in readme
    assert any(re.search(rf"^\./cqrs {command}\b", page, re.MULTILINE) for page in pages)
