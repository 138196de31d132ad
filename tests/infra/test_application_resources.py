"""What docs/application.md declares keeps the rules, and is encrypted and protected as the stack itself is."""

from __future__ import annotations

from pathlib import Path

from local.runtime import PROJECT_DIR
from policy import PROTECTED_RULES, RULES, Declared, violations
from policy.tables import TABLE
from tests.support.deployments import project
from tests.support.evaluation import evaluated
from tests.unit.docs.test_docs import blocks

ALONE = "lambda args: Application()"


def test_app_02_a_table_of_ones_own_keeps_the_rules(tmp_path: Path) -> None:
    page = PROJECT_DIR / "docs" / "application.md"
    (declare,) = (one.text for one in blocks(page) if "def declare(" in one.text)
    folder = project(tmp_path)
    main = folder / "__main__.py"
    first, _, rest = main.read_text().partition("\ntry:\n")
    assert ALONE in rest
    main.write_text(f"{first}\n{declare}\ntry:\n{rest.replace(ALONE, 'declare')}")
    tables = evaluated("prod", {"kmsKey": "create"}, project_dir=folder).of_type(TABLE)
    own = Declared(TABLE, "own", tables["own"])
    assert [str(one) for one in violations([own], (*RULES, *PROTECTED_RULES))] == []
    same = ("serverSideEncryption", "pointInTimeRecovery", "deletionProtectionEnabled", "tags")
    assert {key: tables["own"][key] for key in same} == {key: tables["data"][key] for key in same}
    assert tables["own"]["serverSideEncryption"]["kmsKeyArn"]
