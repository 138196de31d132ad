"""README and docs tell the truth: snippets run, commands and files exist, generated parts are up to date."""

from __future__ import annotations

import argparse
import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.__main__ import parser_of
from cli.commands import COMMANDS
from cli.develop.docs import generated
from contract.tables import TABLES
from infra.configuration.stack_config import StackConfig
from infra.packaging import SAMPLES
from local.runtime import PROJECT_DIR
from tests.support.deployments import Deployed

PAGES = sorted([PROJECT_DIR / "README.md", *(PROJECT_DIR / "docs").rglob("*.md")])
NEEDS = re.compile(r"# needs \S")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]+\]\(([^)#]+)(#[^)]*)?\)")


@dataclass(frozen=True)
class Block:
    page: Path
    line: int
    language: str
    text: str

    @property
    def needs_something(self) -> bool:
        """Can't be run here; its first line says what it needs."""
        return NEEDS.match(self.text) is not None


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        yield Block(page, text.count("\n", 0, found.start()) + 1, found[1], found[2])


def name_of(page: Path) -> str:
    return page.relative_to(PROJECT_DIR).as_posix()


def run_page(page: Path) -> int:
    """Run a page's Python blocks one after the other, as a reader would. Answers how many were run."""
    names: dict[str, Any] = {"__name__": "docs"}
    count = 0
    for block in blocks(page):
        if block.language != "python":
            continue
        # the file's own line numbers, for tracebacks
        code = compile("\n" * block.line + block.text, str(page), "exec", dont_inherit=True)
        if not block.needs_something:
            exec(code, names)
            count += 1
    return count


def lacks_samples(text: str) -> bool:
    """Whether it shows a sample, or the bench, which runs them, where the samples were removed with their tests."""
    names_one = re.search(rf"handlers\.domain\.({'|'.join(SAMPLES)})\b|\./cqrs bench", text) is not None
    return names_one and not (PROJECT_DIR / "tests" / "samples").is_dir()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_python_blocks_run(page: Path) -> None:
    if lacks_samples(page.read_text(encoding="utf-8")):
        pytest.skip("the samples were removed")
    expected = sum(block.language == "python" and not block.needs_something for block in blocks(page))
    assert run_page(page) == expected


def test_a_wrong_block_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("text\n\n```python\nx = 1\n```\n\n```python\nassert x == 2\n```\n")
    with pytest.raises(AssertionError):
        run_page(page)


def test_the_readme_has_blocks_to_run() -> None:
    assert run_page(PROJECT_DIR / "README.md") >= 2


def options_of(parser: argparse.ArgumentParser, words: list[str]) -> set[str]:
    """The options of a command, with those of the action that its words name."""
    known = {option for action in parser._actions for option in action.option_strings}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            named = [action.choices[word] for word in words if word in action.choices]
            known |= {option for one in named for option in options_of(one, [])}
    return known


def problems_of_shell(block: Block) -> list[str]:
    """What is wrong with the ``./cqrs`` lines of a shell block, and lines that this machine can't promise."""
    found = []
    for line in block.text.splitlines():
        words = shlex.split(line, comments=True)
        if not words:
            continue
        if words[0] != "./cqrs":
            if not block.needs_something:
                found.append(f"line {block.line}: {words[0]} is not of this repository; mark the block '# needs ...'")
            continue
        name = words[1] if len(words) > 1 else ""
        if name not in COMMANDS:
            found.append(f"line {block.line}: no command {name!r}")
            continue
        flags = {word.partition("=")[0] for word in words[2:] if word.startswith("--")}
        known = options_of(parser_of(name), words[2:])
        found += [f"line {block.line}: {name} has no {flag}" for flag in sorted(flags - known)]
    return found


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_shell_blocks_use_what_exists(page: Path) -> None:
    if lacks_samples(page.read_text(encoding="utf-8")):
        pytest.skip("the samples were removed")
    assert [text for block in blocks(page) if block.language == "sh" for text in problems_of_shell(block)] == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("./cqrs nothing", "no command 'nothing'"),
        ("./cqrs demo --row 5", "demo has no --row"),
        ("./cqrs tasks show X --tenant t1", "tasks has no --tenant"),
        ("pulumi up", "pulumi is not of this repository"),
    ],
)
def test_a_wrong_shell_block_is_found(text: str, problem: str) -> None:
    (found,) = problems_of_shell(Block(Path("page.md"), 1, "sh", text))
    assert problem in found


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_inline_commands_exist(page: Path) -> None:
    text = re.sub(_FENCE, "", page.read_text(encoding="utf-8"))
    wrong = [name for name in re.findall(r"`\./cqrs (\w+)", text) if name not in COMMANDS]
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    targets = [target for target, _ in _LINK.findall(page.read_text(encoding="utf-8"))]
    assert [one for one in targets if "://" not in one and not (page.parent / one).exists()] == []


def test_folders_of_the_table_exist() -> None:
    table = (PROJECT_DIR / "README.md").read_text(encoding="utf-8").partition("## Where things are")[2]
    named = re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE)
    paths = [path for cell in named for path in re.findall(r"`([^`]+)`", cell)]
    assert len(paths) >= 7
    assert [path for path in paths if not list(PROJECT_DIR.glob(path.rstrip("/")))] == []


def test_every_page_is_linked() -> None:
    linked = {
        (page.parent / target).resolve()
        for page in PAGES
        for target, _ in _LINK.findall(page.read_text(encoding="utf-8"))
    }
    # folders (decisions, diagrams) are looked through as a whole
    pages = [page for page in PAGES if page.parent == PROJECT_DIR / "docs"]
    assert [name_of(page) for page in pages if page not in linked] == []


def test_the_picture_shows_what_exists() -> None:
    (picture,) = [block.text for block in blocks(PROJECT_DIR / "README.md") if block.language == "mermaid"]
    tables = re.findall(r'\[\("([^"]+)"\)\]', picture)
    functions = re.findall(r'\[\["([^"]+)"\]\]', picture)
    machines = re.findall(r'\{\{"([^"]+)"\}\}', picture)
    assert tables
    assert set(tables) <= set(TABLES)
    assert functions
    assert [one for one in functions if not (PROJECT_DIR / "handlers" / "entrypoints" / f"{one}.py").is_file()] == []
    outputs = (PROJECT_DIR / "docs" / "outputs.md").read_text(encoding="utf-8")
    assert machines
    assert [one for one in machines if f"stateMachine:cqrs-dev-{one}`" not in outputs] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_configuration_in_pages_is_accepted(page: Path) -> None:
    for block in blocks(page):
        if block.language == "yaml":
            given = yaml.safe_load(block.text)["config"]
            StackConfig.from_mapping({key.removeprefix("cqrs:"): value for key, value in given.items()})


def test_generated_parts_are_up_to_date() -> None:
    stale = [name_of(path) for path, text in generated(PROJECT_DIR).items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "run ./cqrs docs"


def test_the_readmes_handler_runs_in_the_pipeline(tmp_path: Path) -> None:
    """Its first block, deployed as the module that its first line names."""
    block = next(one for one in blocks(PROJECT_DIR / "README.md") if one.language == "python")
    path, _, _ = block.text.removeprefix("# ").partition("\n")
    assert path == "handlers/domain/prices.py"
    with Deployed(
        tmp_path, extra={"prices.py": block.text}, config={"handlerModules": json.dumps(["handlers.domain.prices"])}
    ) as deployed:
        from handlers.commands.model import CommandInput
        from handlers.store.port import DATA

        for version in range(2):
            deployed.publish(CommandInput("PRODUCT", "cup", "Cup", {"price": version + 5}, version=version))
        deployed.run()
        row = deployed.store.get(DATA, "PRICE#t1", "cup")
        assert row is not None
        assert (row["version"], row["price"]) == (2, 6)
