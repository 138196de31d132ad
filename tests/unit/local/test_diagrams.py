"""The pages in docs/diagrams are those of the definitions as they are now."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from local.diagrams import diagram, pages
from local.runtime import PROJECT_DIR

PAGES = pages(PROJECT_DIR)
ONE_OF_EACH = {
    "StartAt": "first",
    "States": {
        "first": {
            "Type": "Task",
            "Next": "which",
            "Catch": [
                {"ErrorEquals": ["States.Timeout", "X"], "Next": "first"},
                {"ErrorEquals": ["States.ALL"], "Next": "bad"},
            ],
        },
        "which": {
            "Type": "Choice",
            "Choices": [
                {"Variable": "$.n", "NumericEquals": 0, "Next": "each"},
                {"Variable": "$.b", "BooleanEquals": False, "Next": "both"},
                {"Variable": "$.p", "IsPresent": True, "Next": "both"},
                {"And": [{"Variable": "$.a", "IsNull": False}], "Next": "both"},
            ],
            "Default": "bad",
        },
        "each": {
            "Type": "Map",
            "ItemProcessor": {"StartAt": "item", "States": {"item": {"Type": "Pass", "End": True}}},
            "Next": "both",
        },
        "both": {
            "Type": "Parallel",
            "Branches": [
                {"StartAt": "left", "States": {"left": {"Type": "Pass", "End": True}}},
                {"StartAt": "right", "States": {"right": {"Type": "Pass", "End": True}}},
            ],
            "End": True,
        },
        "bad": {"Type": "Fail"},
    },
}
DRAWN = """\
stateDiagram-v2
    state which <<choice>>
    state each {
        [*] --> item
        item --> [*]
    }
    state both {
        [*] --> left
        left --> [*]
        --
        [*] --> right
        right --> [*]
    }
    [*] --> first
    first --> which
    first --> first: on States.Timeout, X
    first --> bad: on any error
    which --> each: n = 0
    which --> both: b = false
    which --> both: p is present
    which --> both: And
    which --> bad: otherwise
    each --> both
    both --> [*]
    bad --> [*]"""


def test_one_of_each() -> None:
    assert "\n".join(diagram(ONE_OF_EACH)) == DRAWN


@pytest.mark.parametrize("path", sorted(PAGES), ids=lambda path: path.stem)
def test_pages_are_up_to_date(path: Path) -> None:
    assert path.exists(), f"{path.name} is missing: ./cqrs docs"
    assert path.read_text(encoding="utf-8") == PAGES[path], f"{path.name} is out of date: ./cqrs docs"


def test_there_is_no_page_without_a_definition() -> None:
    assert sorted(path for path in (PROJECT_DIR / "docs" / "diagrams").glob("*.md")) == sorted(PAGES)


def test_every_state_and_way_is_drawn() -> None:
    for path, text in PAGES.items():
        source = PROJECT_DIR / "infra" / "state_machines" / f"{path.stem}.asl.json"
        definition = json.loads(source.read_text(encoding="utf-8"))
        for name, state in definition["States"].items():
            assert f"| `{name}` |" in text
            for target in re.findall(r'"(?:Next|Default)": "([^"]+)"', json.dumps({**state, "ItemProcessor": None})):
                assert f"{name} --> {target}".replace("-", "_").replace("__>", "-->") in text, (name, target)


def test_a_distributed_map_says_what_its_children_are(tmp_path: Path) -> None:
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}
    definition = {
        "Comment": "c",
        "StartAt": "import-rows",
        "States": {
            "import-rows": {
                "Type": "Map",
                "MaxConcurrency": 50,
                "ItemProcessor": {
                    "ProcessorConfig": config,
                    "StartAt": "row",
                    "States": {"row": {"Type": "Pass", "End": True}},
                },
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "bad"}],
                "End": True,
            },
            "bad": {"Type": "Fail"},
        },
    }
    source = tmp_path / "infra" / "state_machines" / "rows.asl.json"
    source.parent.mkdir(parents=True)
    source.write_text(json.dumps(definition))
    (text,) = pages(tmp_path).values()
    assert "    import_rows: import-rows\n" in text
    assert "    state import_rows {\n        [*] --> row\n        row --> [*]\n    }" in text
    assert "    [*] --> import_rows" in text
    assert "    import_rows --> bad: on any error" in text
    assert "| `import-rows` | Map (distributed: EXPRESS children, at most 50 at once) |" in text
    assert "| `row` | Pass |" in text
