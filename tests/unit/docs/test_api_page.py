"""docs/api.md: every name of the application's face, in a form that no interpreter's run changes."""

from __future__ import annotations

import re

import pytest

import handlers
from cli.develop import api_page


def test_every_name_of_the_face_is_on_the_page_with_its_text() -> None:
    page = api_page.page()
    shown = re.findall(r"^### (\w+)$|^\| `(\w+)` \|", page, re.MULTILINE)
    assert sorted(first or second for first, second in shown) == sorted(handlers.__all__)
    assert "### CommandPublisher" in page
    assert "- `publish_async(given: CommandInput, context: InvokeContext, *, extra_writes:" in page
    assert "| `VersionConflict` | CqrsError |" in page


def test_nothing_on_it_depends_on_the_process() -> None:
    assert not re.search(r"0x[0-9a-f]{6}|<(built-in )?function", api_page.page())


def test_a_room_that_no_section_shows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_page, "SECTIONS", {"Imports": ("imports",)})
    with pytest.raises(KeyError, match=r"no section of docs/api.md shows handlers.commands"):
        api_page.page()
