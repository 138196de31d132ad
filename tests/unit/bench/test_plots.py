"""The pictures of docs/figures.md are those of the committed counts, and show them without help from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import counted, plots

PAGE = plots.FOLDER.parent / "figures.md"
DRAWN = plots.drawn()


@pytest.mark.parametrize("name", sorted(DRAWN))
def test_the_committed_picture_is_that_of_the_counts(name: str) -> None:
    committed = (plots.FOLDER / name).read_text(encoding="utf-8")
    assert committed == DRAWN[name], "./cqrs bench --plots draws them anew"
    assert f"](images/{name})" in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(DRAWN))
def test_it_runs_and_loads_nothing(name: str) -> None:
    ElementTree.fromstring(DRAWN[name])
    assert "<script" not in DRAWN[name]
    assert "<!--" not in DRAWN[name]  # pygal's has the day
    assert not re.findall(r"(?:href|src)=\"http|@import|url\(", DRAWN[name])


def test_every_variant_has_its_bar() -> None:
    for cost in counted.commands():
        assert f">{cost.title}<" in DRAWN["dollars-of-commands.svg"]
    for row in counted.rows():
        assert f">{row.variant.title}<" in DRAWN["calls-of-rows.svg"]


def test_they_are_written_where_asked(tmp_path: Path) -> None:
    assert [path.name for path in plots.write(tmp_path)] == list(DRAWN)
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == DRAWN
