"""What ``./cqrs bench serve`` prints of its medians; the processes themselves take minutes."""

from __future__ import annotations

from bench import serve

MEDIANS = {
    serve.WITHOUT: {"ready": 4.0, serve.RATE: 100.0, serve.RATE_OF_CORE: 120.0},
    serve.WITH: {"ready": 4.25, serve.RATE: 80.0, serve.RATE_OF_CORE: 90.0, "ready again": 5.0},
}


def test_what_data_costs_is_told_of_the_time_and_of_the_processor() -> None:
    text = serve.text(MEDIANS)
    assert text.endswith("--data costs 20 % of the commands a second, 25 % of those of one core.")
    rows = [line.split() for line in text.splitlines()]
    assert ["ready", "4.00", "s", "4.25", "s"] in rows
    assert ["ready", "again", "5.00", "s"] in rows
