"""REAL-02: the same random requests to the embedded endpoint and to a DynamoDB that others wrote."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from local.aws.elsewhere.server import DynamoServer
from local.aws.endpoint import AwsEndpoint
from tests.real.dynamodb.differences import Difference, Pair, count
from tests.real.dynamodb.known import KNOWN
from tests.real.dynamodb.sides import REGION, embedded, served

#: More of them: ``CQRS_DIFFERENTIAL_REQUESTS``, or the command in docs/real-parts.md.
REQUESTS = int(os.environ.get("CQRS_DIFFERENTIAL_REQUESTS", "1200"))


@pytest.mark.real
def test_real_02_random_requests_get_the_same_answers(dynamodb_url: str) -> None:
    server = DynamoServer(dynamodb_url, REGION)
    with AwsEndpoint(region=REGION) as endpoint:
        pair = Pair(embedded(endpoint), served(server))

        def differ(difference: Difference) -> None:
            assert difference.known is not None, str(difference)

        count(pair, REQUESTS, 1, differ)
    server.close()

    report = pair.report
    assert report.requests >= REQUESTS
    for code in ("OK", "ValidationException", "ConditionalCheckFailedException", "TransactionCanceledException"):
        assert report.codes[code] >= REQUESTS // 200, report.codes
    assert report.records > 0


def test_what_may_differ_is_listed() -> None:
    listed = (Path(__file__).parents[1] / "differences.md").read_text(encoding="utf-8")
    assert [one.title for one in KNOWN if f"| {one.title} |" not in listed] == []
