"""The counted figures as charts: ``./cqrs bench --plots`` writes them, docs/figures.md and docs/cost.md show them.

Drawn by pygal from ``counted.json`` only, so that the same counts give the same files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pygal
from pygal.style import DefaultStyle

from bench import counted

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "images"
#: Charts contain no scripts: those of pygal's tooltips would be loaded from another host. Nor comments: pygal writes
#: the day into one, so that a chart would be another one the next day.
_DROPPED = re.compile(r"<script.*?</script>|<!--.*?-->", re.DOTALL)
_OPTIONS = {
    "js": [],
    "no_prefix": True,
    "disable_xml_declaration": True,
    "style": DefaultStyle(background="white", plot_background="white", font_family="sans-serif"),
    "height": 420,
    "width": 900,
    "legend_at_bottom": True,
    "print_values": False,
    "truncate_label": -1,
    "truncate_legend": -1,
}


def write(folder: Path = FOLDER) -> list[Path]:
    """Draw and write all charts. Returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, text in drawn().items():
        path = folder / name
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    return paths


def drawn() -> dict[str, str]:
    """File name to chart."""
    return {
        "dollars-of-commands.svg": _stacked(
            "Dollars per million commands, us-east-1",
            [(cost.title, cost.dollars_per_million) for cost in counted.commands()],
        ),
        "calls-of-commands.svg": _stacked(
            "AWS calls per command",
            [(cost.title, _by_service(cost.calls)) for cost in counted.commands()],
        ),
        "hops-of-commands.svg": _stacked(
            "Function calls one after the other, from publish to applied",
            [(cost.title, {"calls": cost.hops}) for cost in counted.commands()],
        ),
        "calls-of-rows.svg": _stacked(
            "AWS calls per imported row",
            [(cost.variant.title, _by_service(cost.calls)) for cost in counted.rows()],
        ),
    }


def _stacked(title: str, bars: Sequence[tuple[str, Mapping[str, float]]]) -> str:
    chart = pygal.HorizontalStackedBar(title=title, **_OPTIONS)
    shown = list(reversed(bars))  # pygal starts at the bottom
    chart.x_labels = [name for name, _ in shown]
    for part in _parts(values for _, values in bars):
        chart.add(part, [round(values.get(part, 0.0), 2) for _, values in shown])
    text: str = chart.render(is_unicode=True)
    return _DROPPED.sub("", text) + "\n"


def _parts(values: Iterable[Mapping[str, float]]) -> list[str]:
    found: dict[str, None] = {}
    for one in values:
        found.update(dict.fromkeys(one))
    return list(found)


def _by_service(calls: Mapping[str, float]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name in sorted(calls):
        service = name.partition(".")[0]
        found[service] = found.get(service, 0.0) + calls[name]
    return found
