"""``docs/simulation.md`` tells the truth: its commands run, here with the first two of their seeds, in this process:
the memory that others would copy from it took most of the time."""

from __future__ import annotations

import re
import shlex

import pytest

from tests.mutation import __main__ as mutation
from tests.simulation import __main__ as simulation
from tests.simulation import imports, mutants, workflows
from tests.simulation.mutants import ROOT
from tests.simulation.mutations import MUTATIONS

LISTED_MUTANTS = 20
PROGRAMS = {
    "tests.mutation": mutation.main,
    "tests.simulation": simulation.main,
    "tests.simulation.mutants": mutants.main,
    "tests.simulation.imports": imports.main,
    "tests.simulation.workflows": workflows.main,
}
COMMANDS = re.findall(r"^\.venv/bin/python -m (\S+)(.*)$", (ROOT / "docs/simulation.md").read_text(), re.MULTILINE)


@pytest.mark.parametrize(("program", "arguments"), COMMANDS)
def test_the_page_s_commands_run(program: str, arguments: str, capsys: pytest.CaptureFixture[str]) -> None:
    few = re.sub(r"--seeds (\d+):\d+", lambda match: f"--seeds {match[1]}:{int(match[1]) + 2} --processes 1", arguments)
    assert PROGRAMS[program](shlex.split(few)) == 0
    out = capsys.readouterr().out
    assert "no violation" in out or "0 violations" in out or len(out.splitlines()) in (len(MUTATIONS), LISTED_MUTANTS)


def test_the_page_has_all_commands() -> None:
    assert len(COMMANDS) == 8
