"""What README and docs show, and what ``./cqrs new`` writes, passes the project's own type check, strict."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from cli.develop.new import KINDS, MODULES, write
from local.runtime import PROJECT_DIR
from tests.unit.docs.test_docs import PAGES, blocks, lacks_samples, name_of

FUTURE = "from __future__ import annotations\n"


def module_of(page: Path) -> str:
    """A page's blocks, which a reader runs one after the other, as one module with the page's line numbers."""
    text = ""
    for block in blocks(page):
        if block.language == "python" and not block.needs_something:
            text += "\n" * (block.line - text.count("\n")) + block.text.replace(FUTURE, "\n")
    return text


def checked(folder: Path, texts: dict[str, str]) -> str:
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    # The cache of the project's own check, if there is one, makes this a matter of seconds.
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", str(folder)],
        cwd=PROJECT_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr if done.returncode else ""


def test_house_02_samples_of_the_pages_pass_the_type_check(tmp_path: Path) -> None:
    texts = {name_of(page).replace("/", "_").replace("-", "_").removesuffix(".md"): module_of(page) for page in PAGES}
    texts = {name: text for name, text in texts.items() if text and not lacks_samples(text)}
    assert len(texts) > 5
    (tmp_path / "here").mkdir()
    assert checked(tmp_path / "here", texts | templates(tmp_path / "new")) == ""


def templates(root: Path) -> dict[str, str]:
    """What ``./cqrs new`` writes (APP-06). --slow checks its tests, too, in place."""
    root.mkdir()
    (root / "Pulumi.dev.yaml").write_text("config:\n", encoding="utf-8")
    texts = {}
    for kind, template in KINDS.items():
        write(root, kind, f"of_{template}", None, "dev")
        texts[f"new_{template}"] = (root / MODULES / f"of_{template}.py").read_text(encoding="utf-8")
    return texts
