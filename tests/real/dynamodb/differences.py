"""Sends random requests to both sides and tells where they differ.

``python -m tests.real.dynamodb.differences --requests 20000 --seed 1`` counts; the tests stop at the first.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st

from local.aws.elsewhere.server import DynamoServer
from local.aws.endpoint import AwsEndpoint
from tests.real.dynamodb.dynoxide import find_dynoxide, running
from tests.real.dynamodb.known import Known, known
from tests.real.dynamodb.requests import MAIN, OTHER, Request, requests
from tests.real.dynamodb.sides import REGION, Answer, Side, embedded, placed, served, shape

REQUESTS_PER_EXAMPLE = 20


@dataclass(frozen=True)
class Difference:
    """One request (or a table's state after an example) with two answers."""

    operation: str
    request: Any
    ours: Answer
    theirs: Answer

    @property
    def known(self) -> Known | None:
        """What it is, if it is listed."""
        return known(self.operation, self.ours, self.theirs)

    @property
    def kind(self) -> str:
        """What to count it as."""
        messages = " ".join(f"[{shape(one.message)}]" for one in (self.ours, self.theirs))
        return f"{self.operation}: {self.ours.code} / {self.theirs.code} {messages}"

    def __str__(self) -> str:
        def cut(part: object) -> str:
            text = part if isinstance(part, str) else json.dumps(part, default=str, ensure_ascii=False)
            return text if len(text) < 1500 else f"{text[:1500]}… ({len(text)})"

        sides = (("ours  ", self.ours), ("theirs", self.theirs))
        lines = [f"  {side}: {one.code} {cut(one.message)} {cut(one.content)}" for side, one in sides]
        return "\n".join([f"{self.operation} {cut(self.request)}", *lines])


@dataclass
class Report:
    """What a run found."""

    requests: int = 0
    records: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    other_words: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    first: dict[str, Difference] = field(default_factory=dict)

    def note(self, difference: Difference) -> None:
        """Count it; the shortest of a kind that is not known is kept."""
        listed = difference.known
        if listed is not None:
            self.known[listed.title] += 1
            return
        kind = difference.kind
        self.kinds[kind] += 1
        known = self.first.get(kind)
        if known is None or len(str(difference)) < len(str(known)):
            self.first[kind] = difference


class Pair:
    """Both sides. Each example has tables of its own; after it, items and stream records are compared as well."""

    def __init__(self, ours: Side, theirs: Side) -> None:
        self._ours, self._theirs = ours, theirs
        self._examples = 0
        self.report = Report()

    def compare(self, given_requests: Sequence[Request], differ: Callable[[Difference], None]) -> None:
        """One example. ``differ`` gets each difference; it may raise."""
        self._examples += 1
        prefix = f"e{self._examples}"
        for side in (self._ours, self._theirs):
            side.create(prefix)
        try:
            # The first difference ends an example: others may come of it.
            same = all(self._one(*placed(one, prefix), differ) for one in given_requests)
            if same and all(self._same_items(f"{prefix}-{name}", differ) for name in (MAIN, OTHER)):
                for name in (MAIN, OTHER):
                    self._records(f"{prefix}-{name}", given_requests, differ)
        finally:
            for side in (self._ours, self._theirs):
                side.drop(prefix)

    def _one(self, operation: str, request: Any, differ: Callable[[Difference], None]) -> bool:
        ours, theirs = self._ours.answer(operation, request), self._theirs.answer(operation, request)
        self.report.requests += 1
        self.report.codes[theirs.code] += 1
        if ours != theirs:
            differ(Difference(operation, request, ours, theirs))
        elif ours.message != theirs.message:
            self.report.other_words[f"[{shape(ours.message)}] [{shape(theirs.message)}]"] += 1
        return ours == theirs

    def _same_items(self, table: str, differ: Callable[[Difference], None]) -> bool:
        request = {"TableName": table, "ConsistentRead": True}
        ours, theirs = (side.answer("Scan", request) for side in (self._ours, self._theirs))
        if ours != theirs:
            differ(Difference("items at the end", table, ours, theirs))
        return ours == theirs

    def _records(self, table: str, made: Sequence[Request], differ: Callable[[Difference], None]) -> None:
        our_records, their_records = self._ours.records(table), self._theirs.records(table)
        self.report.records += len(their_records)
        for number in range(max(len(our_records), len(their_records))):
            one, other = (Answer("record", all_[number : number + 1]) for all_ in (our_records, their_records))
            if one != other:
                differ(Difference("stream record", (table, number, made), one, other))
                break


def count(pair: Pair, wanted: int, seed: int, differ: Callable[[Difference], None]) -> None:
    """So many random requests, in examples of up to ``REQUESTS_PER_EXAMPLE``."""
    checks = [
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
        HealthCheck.large_base_example,
    ]

    while pair.report.requests < wanted:

        @hypothesis.seed(seed)
        @hypothesis.settings(
            max_examples=max(1, min(500, (wanted - pair.report.requests) // 12)),
            database=None,
            deadline=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=checks,
            report_multiple_bugs=False,
        )
        @given(st.lists(requests(), min_size=5, max_size=REQUESTS_PER_EXAMPLE))
        def examples(given_requests: list[Request]) -> None:
            pair.compare(given_requests, differ)

        examples()
        seed += 1


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--words", action="store_true", help="also where only the messages differ")
    options = parser.parse_args()
    begin = time.monotonic()
    with running(find_dynoxide()) as url, AwsEndpoint(region=REGION) as endpoint:
        server = DynamoServer(url, REGION)
        pair = Pair(embedded(endpoint), served(server))
        count(pair, options.requests, options.seed, pair.report.note)
        server.close()
    report = pair.report
    codes = ", ".join(f"{code} {number:,}" for code, number in report.codes.most_common())
    print(
        f"{report.requests:,} requests, {report.records:,} stream records in {time.monotonic() - begin:.0f} s: {codes}"
    )
    for title, number in report.known.most_common():
        print(f"{number:,} x listed: {title}")
    print(f"{report.kinds.total():,} other differences, of {len(report.kinds)} kinds")
    for kind, number in report.kinds.most_common():
        print(f"\n{number:,} x {kind}\n{report.first[kind]}")
    if options.words:
        print(f"\nother words: {report.other_words.total():,}")
        for kind, number in report.other_words.most_common():
            print(f"{number:,} x {kind}")
    return 1 if report.kinds else 0


if __name__ == "__main__":
    sys.exit(main())
