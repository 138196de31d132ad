"""Aliases in the project's and the stacks' files: taken as the CLI takes them, refused where they multiply."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from local.deploy.errors import DeployError
from local.deploy.yaml_files import MOST_ALIASED, read_mapping

NUMBERS = range(1, 40)


def parsed(tmp_path: Path, text: str) -> dict[str, object]:
    path = tmp_path / "Pulumi.dev.yaml"
    path.write_text(text)
    return read_mapping(path)


def laughs(levels: int, each: int = 10) -> str:
    """Each list has the one before several times: ``each`` to the power of ``levels``."""
    lines = ["config:", '  v0: &v0 ["lol"]']
    lines += [f"  v{n}: &v{n} [{', '.join([f'*v{n - 1}'] * each)}]" for n in range(1, levels + 1)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        laughs(9),
        laughs(60, 2),
        laughs(9).replace("[", "{a: [", 1).replace('"lol"]', '"lol"]}', 1),
        "config:\n  m0: &m0 {a: 1}\n"
        + "".join(f"  m{n}: &m{n} {{<<: [*m{n - 1}, *m{n - 1}]}}\n" for n in range(1, 40)),
        f"config:\n  long: &long {'x' * 10_000}\n  many: [{', '.join(['*long'] * 101)}]\n",
    ],
    ids=["lists", "doubled", "with objects", "merged", "a long text"],
)
def test_aliases_that_multiply_are_refused_at_once(tmp_path: Path, text: str) -> None:
    started = time.process_time()
    with pytest.raises(DeployError) as caught:
        parsed(tmp_path, text)
    assert time.process_time() - started < 2
    message = str(caught.value)
    assert message.startswith("Pulumi.dev.yaml: line ")
    assert message.endswith(f"and the aliases before it expand to more than {MOST_ALIASED:,} characters; write fewer")


def test_ordinary_aliases_are_taken(tmp_path: Path) -> None:
    found = parsed(tmp_path, "a: &a {x: [1, 2]}\nb: *a\nc: [*a, *a]\nd: {<<: *a, y: 3}\n")
    assert json.dumps(found["c"]) == '[{"x": [1, 2]}, {"x": [1, 2]}]'
    assert found["d"] == {"x": [1, 2], "y": 3}
    assert len(str(parsed(tmp_path, laughs(4)))) > 30_000


def test_a_large_file_without_aliases_is_read(tmp_path: Path) -> None:
    assert parsed(tmp_path, f"a: {'x' * (2 * MOST_ALIASED)}\n")["a"] == "x" * 2 * MOST_ALIASED
