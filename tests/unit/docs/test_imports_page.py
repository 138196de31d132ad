"""``docs/imports.md``, followed literally in a copy of the project, to a passing test and an imported file."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from handlers.commands.keys import EntityKey
from handlers.core.aws import clients as aws
from handlers.imports.jobs.model import ImportJob
from handlers.imports.service import ImportService
from local.runtime import PROJECT_DIR
from tests.support.deployments import project
from tests.support.imports import DeployedImports
from tests.support.pipelines import CONTEXT
from tests.unit.docs.test_docs import blocks

PAGE = PROJECT_DIR / "docs" / "imports.md"
STEPS = [block for block in blocks(PAGE) if block.language in ("python", "yaml")][:3]
PRICES = """sku,name,price,exported
A-1,Cup,4.50,2026-11-24
A-2,Plate,6,2026-11-24
A-3,Bowl,free,2026-11-24
"""


def path_of(block_text: str) -> str:
    return block_text.partition("\n")[0].removeprefix("# ").rpartition(" ")[2]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_the_page_leads_to_a_passing_test(tmp_path: Path) -> None:
    assert [block.language for block in STEPS] == ["python", "python", "yaml"]
    folder = project(tmp_path)
    (folder / "tests" / "domain").mkdir(parents=True)
    for block in STEPS[:2]:
        (folder / path_of(block.text)).write_text(block.text)
    done = run(folder, "pytest", "-q", "-p", "no:cacheprovider", "tests/domain/test_products.py")
    assert "2 passed" in done.stdout, done.stdout + done.stderr
    shutil.copy(PROJECT_DIR / "pyproject.toml", folder)
    # its types are checked by test_types.py, with those of all pages
    for tool in (["ruff", "check"], ["ruff", "format", "--check"]):
        checked = run(folder, *tool, "handlers/domain/products.py")
        assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_pages_strategy_imports_a_file(tmp_path: Path) -> None:
    written = path_of(STEPS[0].text)
    modules = yaml.safe_load(STEPS[2].text)["config"]["cqrs:handlerModules"]
    config = {"handlerModules": json.dumps(modules)}
    extra = {Path(written).name: STEPS[0].text}
    with DeployedImports(tmp_path, extra=extra, config=config) as deployed:
        deployed.imports = ImportService(deployed.import_store, deployed.scheduler, ["products"], [deployed.bucket])
        job = import_prices(deployed, PRICES)
        assert (job.status, job.counts.applied, job.counts.failed) == ("FAILED", 2, 1)
        report = deployed.report(job).splitlines()
        assert report[0].startswith("row,line,code,message,")
        message = "price: 'free' is not allowed; expected a number such as 4.50"
        assert report[1].startswith(f'3,4,InvalidValue,"{message}",')
        assert "A-3,Bowl,free,2026-11-24" in report[1]
        cup = deployed.data(EntityKey("TENANT", "t1", "PRODUCT", "A-1"))
        assert cup["attributes"] == {"price": 4.5, "colour": "", "exported": "2026-11-24"}

        later = PRICES.replace("2026-11-24", "2026-11-25").replace("free", "3").replace("6,", "7,")
        again = import_prices(deployed, later)
        assert (again.status, again.counts.applied, again.counts.unchanged) == ("COMPLETED", 2, 1)


def import_prices(deployed: DeployedImports, content: str) -> ImportJob:
    aws.s3().put_object(Bucket=deployed.bucket, Key="imports/prices.csv", Body=content.encode())
    job = deployed.imports.create_csv_import("products", deployed.bucket, "imports/prices.csv", CONTEXT)
    deployed.run()
    return deployed.job(job)
