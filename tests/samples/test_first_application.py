"""APP-09: docs/first-application.md, step by step, in a copy of the repository."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from local.runtime import PROJECT_DIR
from local.testing.copies import checkout
from tests.support.checkout import PATIENCE_SECONDS, Cli
from tests.unit.docs.test_docs import Block, blocks

PAGE = PROJECT_DIR / "docs" / "first-application.md"
URL = "http://127.0.0.1:4566"
_FILE = re.compile(r"# (?:needs the file above: )?(\S+\.py)\n")
_NAMED = re.compile(r"^`(\S+\.csv)`:$", re.MULTILINE)


class Reader:
    """Does what the page says, in a copy."""

    def __init__(self, folder: Path) -> None:
        self.folder = checkout(folder / "cqrs")
        for name in ("policy", "stacks", "tests/support"):
            shutil.copytree(PROJECT_DIR / name, self.folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        (self.folder / ".local").mkdir()
        self.serving: Cli | None = None
        self.url = URL
        #: what each command printed, by its line
        self.printed: dict[str, str] = {}
        self.codes: dict[str, int] = {}

    def step(self, block: Block, text_before: str) -> None:
        """One block of the page."""
        if block.text.startswith(("# needs git", "# needs curl")):
            return
        doing: dict[str, Callable[[], None]] = {
            "python": lambda: self.write(_FILE.match(block.text), block.text),
            "yaml": lambda: self.configure(block.text),
            "csv": lambda: self.save(_NAMED.findall(text_before)[-1], block.text),
            "diff": lambda: self.edit(block.text),
            "sh": lambda: self.run_all(block.text.splitlines()),
        }
        doing[block.language]()

    def write(self, named: re.Match[str] | None, text: str) -> None:
        assert named is not None, text
        self.save(named[1], text[named.end() :])

    def save(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def configure(self, text: str) -> None:
        (line,) = (line for line in text.splitlines() if "handlerModules" in line)
        stack = self.folder / "Pulumi.dev.yaml"
        stack.write_text(re.sub(r"^ .*handlerModules.*$", line, stack.read_text(), flags=re.MULTILINE))

    def edit(self, text: str) -> None:
        name, *lines = text.splitlines()
        (old,), (new,) = ([line[1:] for line in lines if line[0] == sign] for sign in "-+")
        path = self.folder / name
        assert path.read_text().count(old) == 1
        path.write_text(path.read_text().replace(old, new))
        assert self.serving is not None
        reloads = self.serving.output.count("reloaded: ") + self.serving.errors.count("reloaded: ")
        self.serving.wait_for_match(rf"(?s)(reloaded: {re.escape(name)} \(.*){{{reloads + 1}}}")

    def run_all(self, lines: list[str]) -> None:
        for line in lines:
            self.run(line)

    def run(self, line: str) -> None:
        words = shlex.split(line.replace(URL, self.url))
        if words[1] == "demo":
            return  # test_cli runs it
        if words[1] == "serve":
            self.serving = Cli(self.folder, *words[1:-1], "0")
            self.url = self.serving.wait_for_match(r"serving on (http://127\.0\.0\.1:\d+) ")[1]
            return
        if words[1] == "test":
            assert words[2] == "--checks"
            self.lint()
            words = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", *words[3:]]
        done = subprocess.run(
            words, cwd=self.folder, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
        )
        self.printed[line], self.codes[line] = done.stdout + done.stderr, done.returncode

    def lint(self) -> None:
        """What --checks does first, of the reader's own files, without mypy, half a minute in a new copy."""
        own = ["handlers/domain/library.py", "tests/domain"]
        for words in (["ruff", "check", *own], ["ruff", "format", "--check", *own]):
            done = subprocess.run(
                [sys.executable, "-m", *words], cwd=self.folder, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stdout + done.stderr


def read(reader: Reader, *, until: str | None = None) -> None:
    """The page, from its beginning to its end or to the block that runs ``until``."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    try:
        for block in blocks(PAGE):
            reader.step(block, "\n".join(lines[: block.line - 1]))
            if until in reader.codes:
                return
    finally:
        if reader.serving is not None:
            reader.serving.__exit__(None, None, None)
    assert until is None, f"the page runs no {until}"


def test_app_09_the_handlers_and_their_test_work_as_they_stand(tmp_path: Path) -> None:
    """Up to the page's step 2. What it does with them on the command line has tests of its own for other handlers."""
    reader = Reader(tmp_path)
    test = "./cqrs test --checks tests/domain"
    read(reader, until=test)
    assert reader.codes == {test: 0}, reader.printed
    assert " passed" in reader.printed[test]


def test_app_09_the_page_works_as_it_stands(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    read(reader)
    expected = {"test": 0, "import": 1, "explain": 0, "redrive": 0, "check": 0, "tasks": 0}
    for line, code in reader.codes.items():
        assert code == expected[line.split()[1]], reader.printed[line]
    first, second = (text for line, text in reader.printed.items() if " import " in line)
    assert "pages" in first
    assert "many" in first
    assert "KeyError" in second
    explained = [text for line, text in reader.printed.items() if " explain " in line]
    assert "shelf" in explained[1]
    (redriven,) = (text for line, text in reader.printed.items() if " redrive " in line)
    assert "BOOK#b4@1" in redriven
