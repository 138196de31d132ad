"""HOUSE-02: what code, tests and pages cite is here: pages, decision records, defects, guarantees, scenarios."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.runtime import PROJECT_DIR

ROOTS = (
    "__main__.py",
    "bench",
    "cli",
    "contract",
    "docs",
    "handlers",
    "infra",
    "local",
    "policy",
    "tests",
    "README.md",
)
SUFFIXES = (".py", ".md", ".json", ".yaml")
SPEC = PROJECT_DIR / "docs" / "spec"
#: Pages of no repository: how earlier texts cited what is in docs/spec/ now.
_HOMELESS = re.compile(r"\bdesign,? section|\bpitfalls?\b|\bacceptance\.md|\baws-facts|\bedges\.md|\bhouse\.md", re.I)
_PAGE = re.compile(r"(?<![\w/])docs/[\w/-]+\.md")
_RECORD = re.compile(r"\bdecision records? (\d{4})(?:(?:,| and) (\d{4}))*|\[(\d{4})\]\(")
_DEFECT = re.compile(r"\bdefects? ([A-Z]\d{1,2})\b")
_GUARANTEE = re.compile(r"\bG(\d)\b")
_SCENARIO = re.compile(r"\b(?:PUB|PIPE|ORD|DUP|TASK|IMP|ZIP|OPS|WF|SAGA|API|INF|LOC|EDGE|HOUSE)-\d\d\b")


def texts() -> Iterator[tuple[str, str]]:
    """Name and text of each file that may cite, without this one."""
    for root in ROOTS:
        top = PROJECT_DIR / root
        found = sorted(top.rglob("*")) if top.is_dir() else [top] if top.exists() else []
        for path in found:
            name = path.relative_to(PROJECT_DIR).as_posix()
            if path.suffix in SUFFIXES and path != Path(__file__).resolve() and "fixtures" not in name:
                yield name, path.read_text(encoding="utf-8")


def listed(page: str, pattern: str) -> set[str]:
    return set(re.findall(pattern, (SPEC / page).read_text(encoding="utf-8"), re.MULTILINE))


def scenarios() -> set[str]:
    """The ids of the rows, of which some stand for several: ``ZIP-01..06``."""
    found = set()
    for area, first, last in re.findall(
        r"^\| ([A-Z]+)-(\d\d)(?:\.\.(\d\d))? \|", (SPEC / "scenarios.md").read_text(encoding="utf-8"), re.MULTILINE
    ):
        found |= {f"{area}-{number:02d}" for number in range(int(first), int(last or first) + 1)}
    return found


def problems_of(text: str) -> list[str]:
    """What a text cites that is nowhere."""
    records = {path.name[:4] for path in (PROJECT_DIR / "docs" / "decisions").glob("[0-9]*.md")}
    cited = {number for match in _RECORD.finditer(text) for number in re.findall(r"\d{4}", match[0])}
    return [
        *(f"{match[0]!r}: cite a page of docs/" for match in _HOMELESS.finditer(text)),
        *(page for page in _PAGE.findall(text) if not (PROJECT_DIR / page).exists()),
        *(f"decision record {number}" for number in sorted(cited - records)),
        *(f"defect {one}" for one in _DEFECT.findall(text) if one not in listed("defects.md", r"^\| ([A-Z]\d+)\b")),
        *(f"G{one}" for one in _GUARANTEE.findall(text) if one not in listed("guarantees.md", r"^## G(\d)")),
        *(one for one in _SCENARIO.findall(text) if one not in scenarios()),
    ]


def test_house_02_every_reference_resolves() -> None:
    wrong = {name: found for name, text in texts() if (found := problems_of(text))}
    assert wrong == {}


def test_house_02_much_is_cited() -> None:
    """Else the patterns would find nothing."""
    everything = "\n".join(text for _, text in texts())
    assert len(_PAGE.findall(everything)) > 20
    assert len(_RECORD.findall(everything)) > 80
    assert len(_SCENARIO.findall(everything)) > 100
    assert len(_GUARANTEE.findall(everything)) > 20


@pytest.mark.parametrize(
    "text",
    [
        "see docs/nowhere.md",
        "(decision record 9999)",
        "decision records 0010 and 9998",
        "(defect Z1)",
        "keeps G9",
        "this is ORD-98",
        "see design section 5",
        "(pitfall C13)",
    ],
)
def test_house_02_a_wrong_reference_is_found(text: str) -> None:
    assert problems_of(text)


def test_house_02_each_promised_scenario_is_described() -> None:
    promised = (PROJECT_DIR / "tests" / "scenarios.txt").read_text(encoding="utf-8").split()
    assert [one for one in promised if one not in scenarios()] == []
