"""``docs/workflows.md``, followed literally in a copy of the project, to a passing test and a machine."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from local.runtime import PROJECT_DIR
from local.testing.copies import PROGRAM, alone
from tests.support.evaluation import evaluated
from tests.unit.docs.test_docs import blocks

PAGE = PROJECT_DIR / "docs" / "workflows.md"


def test_wf_01_the_page_leads_to_a_passing_test_and_a_machine(tmp_path: Path) -> None:
    folder = alone(tmp_path, (*PROGRAM, "infra", "local"))
    (folder / "tests" / "domain").mkdir(parents=True)
    steps = [block for block in blocks(PAGE) if block.language in ("python", "json", "yaml")][:4]
    assert [block.language for block in steps] == ["python", "json", "python", "yaml"]
    for block in (steps[0], steps[2]):
        path = block.text.partition("\n")[0].removeprefix("# ").rpartition(" ")[2]
        (folder / path).write_text(block.text)
    assert "`handlers/domain/parcel.asl.json`" in PAGE.read_text()
    (folder / "handlers/domain/parcel.asl.json").write_text(steps[1].text)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/domain/test_parcel.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "2 passed" in done.stdout, done.stdout + done.stderr
    shutil.copy(PROJECT_DIR / "pyproject.toml", folder)
    written = "handlers/domain/parcel.py"
    # its types are checked by test_types.py, with those of all pages
    for tool in (["ruff", "check"], ["ruff", "format", "--check"]):
        checked = subprocess.run(
            [sys.executable, "-m", *tool, written], cwd=folder, capture_output=True, text=True, timeout=120, check=False
        )
        assert checked.returncode == 0, checked.stdout + checked.stderr
    config = {
        key.removeprefix("cqrs:"): json.dumps(one) for key, one in yaml.safe_load(steps[3].text)["config"].items()
    }
    assert list(evaluated("dev", config, project_dir=folder).outputs["customStateMachineArns"]) == ["parcel"]
